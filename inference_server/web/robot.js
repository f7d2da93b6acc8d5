// The robot's body, beside what it sees: as its joints stood a moment ago. Nothing is shown of a robot that does not say.

import { Body } from "./body.js";
import { find, make } from "./dom.js";

const table = fetch("body.json").then((answer) => answer.json());

export class RobotBody {
  constructor() {
    this.canvas = make("canvas", "robot-body");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "The robot's body; drag it or use the arrow keys to turn it");
    this.canvas.hidden = true;
    find("mood").parentElement.append(this.canvas);
    table.then((known) => { this.body = new Body(this.canvas, known); });
  }

  show({ link, frame, watched }) {
    if (watched?.name !== this.of) {
      this.of = watched?.name;
      this.known = false;
    }
    const angles = frame?.joints_rad;
    this.known = this.known || Boolean(angles);
    this.canvas.hidden = !(this.body && this.known && link === "open" && watched?.here);
    if (this.canvas.hidden || !angles || angles === this.shown) return;
    this.shown = angles;
    this.body.show({ angles });
  }
}
