// Seven probabilities of the attended face, in the order of the contract.

import { capital, find, largest, make, mark, write } from "./dom.js";

export class Bars {
  constructor() {
    this.list = find("bars");
    this.rows = [];
  }

  show({ emotions, frame }) {
    if (this.rows.length !== emotions.length) this.build(emotions);
    const faces = frame?.faces ?? [];
    const scores = faces[0]?.scores;
    const best = scores ? largest(scores) : -1;
    write(find("bars-aside"), faces.length > 1 ? `attended one of ${faces.length} faces` : "");
    this.rows.forEach(({ row, meter, fill, number }, i) => {
      const share = scores ? scores[i] : 0;
      mark(row, "data-best", i === best);
      fill.style.transform = `translateX(${(100 * share - 100).toFixed(1)}%)`;
      write(number, scores ? `${Math.round(100 * share)} %` : "–");
      mark(meter, "aria-valuenow", Math.round(100 * share));
    });
  }

  build(emotions) {
    this.rows = emotions.map((emotion) => {
      const fill = make("span", "fill");
      const meter = make("span", "meter", "", fill);
      for (const [name, value] of Object.entries({ role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": emotion })) {
        meter.setAttribute(name, value);
      }
      const number = make("span", "number");
      const row = make("li", "", "", make("span", "label", capital(emotion)), meter, number);
      row.dataset.emotion = emotion;
      return { row, meter, fill, number };
    });
    this.list.replaceChildren(...this.rows.map(({ row }) => row));
  }
}
