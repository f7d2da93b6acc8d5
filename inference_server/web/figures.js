// How fast the loop is, and what runs: numbers that stand still long enough to be read.

import { capital, find, make, mark, write } from "./dom.js";

const EVERY_MS = 500;
const LOW = 0.2; // of the battery
const SMOOTH = 0.25; // weight of the newest frame
const LABELS = { listen: "Robots connect to" }; // any other label is shown as the server gave it

export class Figures {
  constructor() {
    this.shownAt = -EVERY_MS;
    this.forget();
  }

  forget() {
    this.robot = null;
    this.age_s = null;
    this.steps_ms = new Map();
  }

  show(scene) {
    if (this.robot !== scene.watched?.id) this.forget();
    if (scene.frame && scene.frame !== this.frame) this.take(scene);
    if (this.about !== scene.about) this.showAbout(scene.about);
    if (performance.now() - this.shownAt < EVERY_MS) return;
    this.shownAt = performance.now();
    const live = scene.link === "open" && scene.watched?.here && scene.watched.quiet_s < 2;
    number(find("rate"), live ? scene.watched.rate_hz.toFixed(1) : null, "fps");
    number(find("age"), live && this.age_s !== null ? (1000 * this.age_s).toFixed(0) : null, "ms");
    number(find("lost"), live ? Math.round(100 * scene.watched.lost) : null, "%");
    this.showSteps(live);
    this.showHealth(scene.itself ?? {});
  }

  showHealth({ battery, hottest }) {
    number(find("battery"), typeof battery === "number" ? Math.round(100 * battery) : null, "%");
    mark(find("battery"), "data-low", battery < LOW);
    number(find("hottest"), hottest ? hottest[1].toFixed(0) : null, "°C");
    write(find("hottest-joint"), hottest ? `Warmest: ${hottest[0]}` : "Warmest motor");
  }

  take({ frame, watched }) {
    this.frame = frame;
    this.robot = watched?.id;
    const smooth = (old, now) => (old === null || old === undefined ? now : old + SMOOTH * (now - old));
    if (frame.answer_age_s !== null) this.age_s = smooth(this.age_s, frame.answer_age_s);
    for (const step of this.steps_ms.keys()) if (!(step in frame.timings_ms)) this.steps_ms.delete(step);
    for (const [step, ms] of Object.entries(frame.timings_ms)) this.steps_ms.set(step, smooth(this.steps_ms.get(step), ms));
  }

  showSteps(live) {
    const steps = live ? [...this.steps_ms].filter(([step]) => step !== "total") : [];
    const sum = steps.reduce((all, [, ms]) => all + ms, 0);
    number(find("work"), steps.length ? (this.steps_ms.get("total") ?? sum).toFixed(0) : null, "ms");
    const bar = find("steps-bar");
    const list = find("steps");
    while (bar.children.length < steps.length) bar.append(make("span"));
    while (bar.children.length > steps.length) bar.lastChild.remove();
    while (list.children.length < steps.length) list.append(make("li", "", "", make("span", "key"), make("span", "name"), make("span", "number")));
    while (list.children.length > steps.length) list.lastChild.remove();
    steps.forEach(([step, ms], i) => {
      bar.children[i].style.flexGrow = sum ? ms / sum : 0;
      write(list.children[i].querySelector(".name"), step);
      write(list.children[i].querySelector(".number"), ms.toFixed(1));
    });
  }

  showAbout(about) {
    this.about = about;
    find("about").replaceChildren(...Object.entries(about).map(([label, text]) => (
      make("div", "", "", make("dt", "", LABELS[label] ?? capital(label)), make("dd", "", text))
    )));
  }
}

/** A number (null: there is none) with its unit. */
function number(element, text, unit) {
  if (text === null) write(element, "–");
  else if (element.textContent !== `${text} ${unit}`) element.replaceChildren(text, make("small", "", ` ${unit}`));
}
