// What the robot can play, by emotion: a button each.

import { capital, find, make, mark } from "./dom.js";

export class Behaviors {
  constructor(order) {
    this.order = order;
    this.shown = null; // the table that the buttons are of
    this.buttons = new Map(); // name: button
    this.input = find("find");
    this.input.addEventListener("input", () => this.filter());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.visible()[0]?.click();
      if (event.key === "ArrowDown") this.visible()[0]?.focus();
      if (event.key === "Escape") this.clear();
    });
    find("behaviors").addEventListener("keydown", (event) => this.walk(event));
  }

  focus() { this.input.focus(); }

  clear() {
    this.input.value = "";
    this.input.blur();
    this.filter();
  }

  show({ itself, frame, emotions, link, watched }) {
    const table = itself?.behaviors ?? {};
    if (this.shown !== table && JSON.stringify(this.shown) !== JSON.stringify(table)) this.build(table, emotions);
    this.shown = table;
    const reached = link === "open" && watched?.here;
    for (const [name, button] of this.buttons) {
      mark(button, "data-playing", frame?.doing === name);
      button.disabled = !reached || frame?.mode === "stopped";
    }
  }

  build(table, emotions) {
    this.buttons.clear();
    const groups = emotions.filter((emotion) => table[emotion]?.length).map((emotion) => {
      const buttons = table[emotion].map((name) => this.button(name));
      const group = make("div", "group", "", make("span", "label", capital(emotion)), make("div", "names", "", ...buttons));
      group.dataset.emotion = emotion;
      group.role = "group";
      group.ariaLabel = emotion;
      return group;
    });
    find("behaviors").replaceChildren(...groups);
    this.filter();
  }

  button(name) {
    const button = make("button", "play", name);
    button.type = "button";
    button.ariaLabel = `Play ${name}`;
    button.addEventListener("click", () => this.order({ what: "play", name }));
    this.buttons.set(name, button);
    return button;
  }

  filter() {
    const wanted = this.input.value.trim().toLowerCase();
    for (const [name, button] of this.buttons) button.hidden = !name.toLowerCase().includes(wanted);
    for (const group of find("behaviors").children) group.hidden = !group.querySelector("button:not([hidden])");
  }

  visible() {
    return [...this.buttons.values()].filter((button) => !button.hidden && !button.disabled);
  }

  /** Arrow keys go from name to name. */
  walk(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = this.visible();
    buttons[buttons.indexOf(document.activeElement) + step]?.focus();
  }
}
