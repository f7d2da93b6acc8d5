// The mood's settings, changed while it runs: the robot takes them at once and says what it has now.

import { find, make, write } from "./dom.js";

const SETTINGS = [ // name, words, lowest, highest, step, unit
  ["enter", "A mood begins at", 0, 1, 0.01, ""],
  ["leave", "and ends below", 0, 1, 0.01, ""],
  ["smooth_s", "Smoothing", 0, 2, 0.05, " s"],
  ["dwell_s", "It must last", 0, 3, 0.05, " s"],
  ["absent_s", "Nobody is there after", 0, 5, 0.1, " s"],
];
const PATIENCE_MS = 250; // of a moving hand, before what it set is sent
const OWN_MS = 1500; // so long the hand is right, not the robot

export class Tune {
  constructor(order) {
    this.order = order;
    this.rows = SETTINGS.map((row) => this.row(...row));
    find("tune").replaceChildren(...this.rows.map(({ element }) => element));
  }

  row(name, words, low, high, step, unit) {
    const input = Object.assign(make("input"), { type: "range", min: low, max: high, step, name });
    const output = make("output");
    const row = { name, input, output, unit, movedAt: -OWN_MS, element: make("label", "slider", "", make("span", "", words), input, output) };
    input.addEventListener("input", () => {
      row.movedAt = performance.now();
      this.write(row);
      clearTimeout(row.waiting);
      row.waiting = setTimeout(() => this.order({ what: "tune", settings: { [name]: Number(input.value) } }), PATIENCE_MS);
    });
    return row;
  }

  show({ itself, link, watched }) {
    const mood = itself?.mood ?? {};
    for (const row of this.rows) {
      row.input.disabled = !(link === "open" && watched?.here && row.name in mood);
      if (performance.now() - row.movedAt < OWN_MS || !(row.name in mood)) continue;
      if (Number(row.input.value) !== mood[row.name]) row.input.value = mood[row.name];
      this.write(row);
    }
  }

  write({ input, output, unit }) {
    write(output, Number(input.value).toFixed(2) + unit);
  }
}
