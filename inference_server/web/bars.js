// Seven probabilities of the attended face, in the order of the contract: of this picture, and smoothed.

import { attended, capital, doubts, find, largest, make, mark, write } from "./dom.js";

const NAOQI = ["neutral", "happy", "surprised", "angry", "sad"];

/** What NAOqi reads in one face: [its id, shares as NAOQI]. */
function opinion([, shares]) {
  const best = largest(shares);
  return `${NAOQI[best]} ${Math.round(100 * shares[best])} %`;
}

export class Bars {
  constructor() {
    this.list = find("bars");
    this.rows = [];
  }

  show({ emotions, frame, itself }) {
    if (this.rows.length !== emotions.length) this.build(emotions);
    const face = attended(frame);
    const scores = face?.scores;
    const best = scores ? largest(scores) : -1;
    write(find("bars-aside"), face ? doubts(face) : "");
    write(find("naoqi"), itself?.naoqi?.length ? `NAOqi itself: ${itself.naoqi.map(opinion).join("; ")}.` : "");
    mark(this.list, "data-unsure", Boolean(face?.unsure));
    this.rows.forEach(({ row, meter, fill, line, number }, i) => {
      const share = scores ? scores[i] : 0;
      mark(row, "data-best", i === best);
      fill.style.transform = `translateX(${(100 * share - 100).toFixed(1)}%)`;
      line.hidden = !(scores && frame.smoothed);
      if (!line.hidden) line.style.left = `${(100 * frame.smoothed[i]).toFixed(1)}%`;
      write(number, scores ? `${Math.round(100 * share)} %` : "–");
      mark(meter, "aria-valuenow", Math.round(100 * share));
    });
  }

  build(emotions) {
    this.rows = emotions.map((emotion) => {
      const fill = make("span", "fill");
      const line = make("span", "line");
      const meter = make("span", "meter", "", make("span", "well", "", fill), line);
      for (const [name, value] of Object.entries({ role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": emotion })) {
        meter.setAttribute(name, value);
      }
      const number = make("span", "number");
      const row = make("li", "", "", make("span", "label", capital(emotion)), meter, number);
      row.dataset.emotion = emotion;
      return { row, meter, fill, line, number };
    });
    this.list.replaceChildren(...this.rows.map(({ row }) => row));
  }
}
