// Whom the robot attends to: a button for each face, where there are several.

import { capital, find, largest, make, mark, write } from "./dom.js";

export class Faces {
  constructor(order) {
    this.order = order;
    this.list = find("faces");
    this.buttons = new Map(); // face id: button
    this.frame = null;
  }

  /** Attend to the face after the attended one, from left to right. */
  next() {
    const ids = fromLeft(this.frame?.faces ?? []).map(({ id }) => id);
    if (ids.length) this.attend(ids[(ids.indexOf(this.frame.attended) + 1) % ids.length]);
  }

  /** To this one; null: to whom the server's own rule names. */
  attend(face) {
    this.order({ what: "attend", face });
  }

  show({ frame, emotions, may_steer }) {
    this.frame = frame;
    const faces = may_steer && frame?.faces.length > 1 ? fromLeft(frame.faces) : [];
    this.list.hidden = !faces.length;
    for (const [id, button] of this.buttons) {
      if (!faces.some((face) => face.id === id)) {
        button.remove();
        this.buttons.delete(id);
      }
    }
    faces.forEach((face, i) => {
      const button = this.buttons.get(face.id) ?? this.add(face.id);
      write(button.lastChild, capital(emotions[largest(face.scores)]));
      mark(button, "data-emotion", emotions[largest(face.scores)]);
      mark(button, "aria-pressed", face.id === frame.attended);
      if (this.list.children[i] !== button) this.list.insertBefore(button, this.list.children[i] ?? null);
    });
  }

  add(id) {
    const button = make("button", "small face", "", make("span", "dot"), make("span"));
    button.type = "button";
    button.addEventListener("click", () => this.attend(id));
    this.buttons.set(id, button);
    return button;
  }
}

const fromLeft = (faces) => faces.toSorted((a, b) => a.box_px[0] - b.box_px[0]);
