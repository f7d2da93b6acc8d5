// Stop, pause, mark; and what came of the last order.

import { find, mark, write } from "./dom.js";

const LATE_S = 4; // a sentence about an order stands for so long

export class Calls {
  /** order(wish, robot id) has a robot do something, the shown one without an id; note(text) marks this moment. */
  constructor(order, note) {
    this.order = order;
    this.note = note;
    this.scene = null;
    find("stop").addEventListener("click", () => this.stop());
    find("stop-all").addEventListener("click", () => this.stopAll());
    find("pause").addEventListener("click", () => this.pauseOrGoOn());
    find("mark").addEventListener("click", () => this.mark());
    find("mark-text").addEventListener("keydown", (event) => { if (event.key === "Enter") this.mark(); });
  }

  stop() { this.order({ what: "stop" }); }

  stopAll() {
    for (const robot of this.scene.robots) if (robot.here) this.order({ what: "stop" }, robot.id);
  }

  pauseOrGoOn() { this.order({ what: this.scene.frame?.mode ? "resume" : "pause" }); }

  mark() {
    this.note(find("mark-text").value);
    find("mark-text").value = "";
    flash(find("mark"));
  }

  show(scene) {
    this.scene = scene;
    find("steer").hidden = !(scene.may_steer && scene.watched);
    if (find("steer").hidden) return;
    const reached = scene.link === "open" && scene.watched.here;
    for (const button of [find("stop"), find("pause")]) button.disabled = !reached;
    find("stop-all").hidden = scene.robots.filter((robot) => robot.here).length < 2;
    const mode = scene.frame?.mode ?? null;
    write(find("pause-word"), mode ? "Go on" : "Pause");
    mark(find("pause"), "data-on", Boolean(mode));
    mark(find("stop"), "data-on", mode === "stopped");
    this.showOrder(scene);
  }

  showOrder({ orders, told, now_s }) {
    const order = orders.at(-1);
    const newer = told && (!order || told.at_s > order.at_s) ? { text: told.text, state: "refused", at_s: told.at_s } : null;
    const said = newer ?? (order && { text: inWords(order), state: order.state, at_s: order.at_s + (order.after_s ?? 0) });
    const fresh = said && (said.state !== "done" || now_s - said.at_s < LATE_S);
    write(find("order"), fresh ? said.text : "");
    mark(find("order"), "data-state", fresh ? said.state : "none");
  }
}

function inWords({ what, name, state, why_not, after_s }) {
  const word = what === "play" ? name : { stop: "Stop", pause: "Pause", resume: "Go on", attend: "Attend", tune: "Mood settings" }[what];
  if (state === "waiting") return `${word}: on its way`;
  return state === "done" ? `${word}: done after ${Math.round(1000 * after_s)} ms` : `${word}: not done, ${why_not}`;
}

function flash(button) {
  button.dataset.flash = "true";
  setTimeout(() => { delete button.dataset.flash; }, 300);
}
