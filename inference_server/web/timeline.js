// What was, in four lanes: the face's seven scores as stacked areas, the robot's mood, what it played, the marks.
// Pointing at a moment, or moving with the arrow keys, reads it out. It shows the last seconds as they come, or,
// zoomed and drawn to a side, any stretch that the server still knows.

import { ago, capital, colours, find, fit, largest, make, mark, write } from "./dom.js";

const SPAN_S = 60;
const LEAST_S = 5;
const TICKS = 4;
const THINNEST_PX = 0.7; // samples nearer together than this are not painted each
const GAP_S = 1.5; // samples farther apart than this are not joined
const ON_COLOUR = "#101216"; // readable on each emotion's colour, in both themes
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const every_ms = () => (CALM.matches ? 1000 : 90);

export class Timeline {
  constructor() {
    this.canvas = find("timeline");
    this.aside = find("timeline-aside");
    this.paintedAt = 0;
    this.pointed_s = null; // the moment that is read out, as seconds (0 or less) from the right edge
    this.span = SPAN_S; // seconds from edge to edge
    this.end_s = null; // the right edge by the server's clock; null: now
    this.ticks = "";
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerdown", (event) => this.canvas.setPointerCapture(event.pointerId));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    find("closer").addEventListener("click", () => this.zoom(0.5));
    find("wider").addEventListener("click", () => this.zoom(2));
    find("live").addEventListener("click", () => this.live());
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    addEventListener("themechange", () => { this.palette = null; this.paintedAt = 0; });
  }

  show(scene) {
    this.scene = scene;
    const now = performance.now();
    if (now - this.paintedAt < every_ms() && !fit(this.canvas).changed) return;
    this.paintedAt = now;
    this.paint();
  }

  point(age_s) {
    this.pointed_s = age_s === null ? null : Math.max(-this.span, Math.min(0, age_s));
    if (this.scene) this.paint();
  }

  /** Show `times` as much time; the moment at `share` of the width (or the one that is read out) stays where it is. */
  zoom(times, share = this.pointed_s === null ? 1 : 1 + this.pointed_s / this.span) {
    const span = Math.max(LEAST_S, Math.min(this.scene.history_s, this.span * times));
    const fixed_s = this.edge() - this.span * (1 - share);
    if (this.pointed_s !== null) this.pointed_s *= span / this.span;
    this.span = span;
    if (this.end_s !== null || share < 1) this.show_until(fixed_s + span * (1 - share));
    this.paint();
  }

  /** Follow what comes. */
  live() {
    this.end_s = null;
    this.paint();
  }

  edge() {
    return this.end_s ?? this.scene.now_s;
  }

  /** Put the right edge there; at now it follows. */
  show_until(end_s) {
    const { now_s, history_s } = this.scene;
    this.end_s = end_s >= now_s ? null : Math.max(end_s, now_s - history_s + this.span);
  }

  move(event) {
    if (event.buttons && event.movementX) this.show_until(this.edge() - (event.movementX / this.canvas.clientWidth) * this.span);
    this.point(-this.span * (1 - event.offsetX / this.canvas.clientWidth));
  }

  /** A wheel turned sideways draws the time along; with Ctrl, and on a touch pad by two fingers, it zooms. */
  turn(event) {
    if (!event.ctrlKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    if (event.ctrlKey) this.zoom(1.002 ** event.deltaY, event.offsetX / this.canvas.clientWidth);
    else this.show_until(this.edge() + (event.deltaX / this.canvas.clientWidth) * this.span);
  }

  press(event) {
    const large = this.span / 6;
    const step = { ArrowLeft: -this.span / 60, ArrowRight: this.span / 60, PageDown: -large, PageUp: large, Home: -this.span, End: this.span }[event.key];
    if (!step) return;
    event.preventDefault();
    const wished = (this.pointed_s ?? 0) + step;
    if (wished < -this.span) this.show_until(this.edge() + wished + this.span);
    if (wished > 0 && this.end_s !== null) this.show_until(this.end_s + wished);
    this.point(wished);
  }

  paint() {
    const { context, width, height } = fit(this.canvas);
    const { emotions, marks } = this.scene;
    const end_s = this.edge();
    if (!this.palette || !(emotions[0] in this.palette.of)) this.palette = colours(emotions);
    const lanes = Object.fromEntries([...document.querySelectorAll("[data-lane]")].map((label) => (
      [label.dataset.lane, { top: label.offsetTop - this.canvas.offsetTop, height: label.offsetHeight }]
    )));
    const x = (at_s) => width * (1 - (end_s - at_s) / this.span);
    const samples = shown(this.scene.samples, end_s - this.span, end_s, (THINNEST_PX * this.span) / width);
    const pen = { context, width, x, palette: this.palette };
    context.font = `550 12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.clearRect(0, 0, width, height);
    paintGrid(pen, lanes);
    const parts = stretches(samples);
    for (const stretch of parts) paintScores(pen, lanes.face, stretch, emotions);
    paintMoods(pen, lanes.mood, parts.flatMap((stretch) => runs(stretch, "mood")));
    paintPlays(pen, lanes.plays, parts.flatMap((stretch) => runs(stretch, "doing")));
    paintMarks(pen, lanes.marks, marks, height);
    this.readOut(pen, height);
    this.label();
  }

  /** Say what time is shown. */
  label() {
    const from_s = this.scene.now_s - this.edge();
    find("live").hidden = this.end_s === null;
    const times = Array.from({ length: TICKS + 1 }, (_, i) => from_s + this.span * (1 - i / TICKS));
    const texts = times.map((age_s) => (age_s < 0.5 ? "now" : `−${clock(age_s)}`));
    if (this.ticks === texts.join()) return;
    this.ticks = texts.join();
    find("ticks").replaceChildren(...texts.map((text) => make("span", "", text)));
    write(find("timeline-title"), this.end_s !== null ? `${clock(this.span)} of the past` : this.span === SPAN_S ? "Last minute" : `Last ${clock(this.span)}`);
    mark(this.canvas, "aria-valuemin", -Math.round(this.span));
  }

  /** The line at the pointed moment, and in words what was there. */
  readOut({ context, width, palette }, height) {
    if (this.pointed_s === null) {
      write(this.aside, "");
      return;
    }
    const { samples, now_s, emotions } = this.scene;
    const at_s = this.edge() + this.pointed_s;
    const near = samples.reduce((best, sample) => (
      best && Math.abs(best.at_s - at_s) <= Math.abs(sample.at_s - at_s) ? best : sample
    ), null);
    const near_s = Math.max(GAP_S, this.span / 100); // what the hand can point at
    const words = near && Math.abs(near.at_s - at_s) < near_s ? describe(near, emotions) : "no picture";
    const noted = this.scene.marks.filter((one) => Math.abs(one.at_s - at_s) < near_s).map(({ text }) => `mark “${text}”`);
    const text = `${ago(now_s - at_s)} ago: ${[words, ...noted].join(" · ")}`;
    write(this.aside, text);
    mark(this.canvas, "aria-valuenow", Math.round(this.pointed_s));
    mark(this.canvas, "aria-valuetext", text);
    context.fillStyle = palette.ink;
    context.fillRect(Math.round(width * (1 + this.pointed_s / this.span)) - 0.5, 0, 1, height);
  }
}

/** "45 s", "2:30 min". */
function clock(seconds) {
  const whole = Math.round(seconds);
  return whole < 100 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

/** The samples between two times and one beyond each, no two nearer than `step_s` unless mood or behaviour changed. */
function shown(samples, from_s, to_s, step_s) {
  const kept = [];
  for (const [i, sample] of samples.entries()) {
    if (samples[i + 1]?.at_s < from_s) continue;
    const last = kept.at(-1);
    if (!last || sample.at_s - last.at_s >= step_s || sample.mood !== last.mood || sample.doing !== last.doing) kept.push(sample);
    if (sample.at_s > to_s) break;
  }
  return kept;
}

function describe({ scores, mood, doing, unsure }, emotions) {
  const best = scores && largest(scores);
  const face = scores ? `${emotions[best]} ${scores[best]} %${unsure ? " (unsure)" : ""}` : "nobody in view";
  return [face, mood && `mood ${mood}`, doing && `plays ${doing}`].filter(Boolean).join(" · ");
}

/** Samples cut where the pictures paused. */
function stretches(samples) {
  const parts = [];
  samples.forEach((sample, i) => {
    if (!i || sample.at_s - samples[i - 1].at_s > GAP_S) parts.push([]);
    parts.at(-1).push(sample);
  });
  return parts;
}

/** [{value, from_s, to_s, mood}] of neighbours with the same value under `key`; where it is null there is no run. */
function runs(samples, key) {
  const found = [];
  samples.forEach((sample, i) => {
    const to_s = samples[i + 1]?.at_s ?? sample.at_s;
    const last = found.at(-1);
    if (last && last.value === sample[key] && last.to_s === sample.at_s) last.to_s = to_s;
    else found.push({ value: sample[key], from_s: sample.at_s, to_s, mood: sample.mood });
  });
  return found.filter((run) => run.value !== null);
}

function paintGrid({ context, width, palette }, lanes) {
  context.fillStyle = palette.line;
  for (const { top, height } of Object.values(lanes)) {
    context.globalAlpha = 0.45;
    context.beginPath();
    context.roundRect(0, top, width, height, 4);
    context.fill();
  }
  context.globalAlpha = 1;
  for (let i = 1; i < 4; i += 1) {
    for (const { top, height } of Object.values(lanes)) context.fillRect(Math.round((width * i) / 4), top, 1, height);
  }
}

/** Seven areas on top of one another, the first emotion at the bottom; they fill the lane where a face was seen. */
function paintScores({ context, x, palette }, lane, samples, emotions) {
  for (const seen of split(samples, (sample) => sample.scores)) {
    const floor = seen.map(() => 0);
    emotions.forEach((emotion, e) => {
      const y = (share) => lane.top + lane.height * (1 - Math.min(share, 100) / 100);
      context.beginPath();
      seen.forEach((sample, i) => context.lineTo(x(sample.at_s), y(floor[i])));
      for (let i = seen.length - 1; i >= 0; i -= 1) {
        floor[i] = e === emotions.length - 1 ? 100 : floor[i] + seen[i].scores[e]; // rounding leaves no gap at the top
        context.lineTo(x(seen[i].at_s), y(floor[i]));
      }
      context.fillStyle = palette.of[emotion];
      context.fill();
    });
  }
}

/** Neighbours for which `has` holds, as lists. */
function split(samples, has) {
  const parts = [];
  samples.forEach((sample, i) => {
    if (!has(sample)) return;
    if (!i || !has(samples[i - 1])) parts.push([]);
    parts.at(-1).push(sample);
  });
  return parts;
}

/** The mood as bands in its colour, with its name where there is room. */
function paintMoods({ context, x, palette }, lane, found) {
  for (const run of found) {
    const left = x(run.from_s);
    const right = Math.max(left + 2, x(run.to_s) - 1);
    const text = capital(run.value);
    block(context, left, right, lane, palette.of[run.value]);
    if (context.measureText(text).width + 14 <= right - Math.max(left, 0)) {
      context.fillStyle = ON_COLOUR;
      context.fillText(text, Math.max(left, 0) + 7, lane.top + lane.height / 2 + 0.5);
    }
  }
}

/** What was played: a block with the colour of the mood at its start, and its name, which may reach into free space. */
function paintPlays({ context, width, x, palette }, lane, found) {
  found.forEach((run, i) => {
    const left = x(run.from_s);
    const right = Math.max(left + 4, x(run.to_s) - 1);
    block(context, left, right, lane, palette.raised);
    block(context, left, Math.min(left + 4, right), lane, palette.of[run.mood] ?? palette.muted);
    const from = Math.max(left, -4) + 10;
    const free = found[i + 1] ? x(found[i + 1].from_s) : width;
    if (from + context.measureText(run.value).width + 4 <= free) {
      context.fillStyle = palette.ink;
      context.fillText(run.value, from, lane.top + lane.height / 2 + 0.5);
    }
  });
}

/** A line through all lanes at each mark, and its words in its lane. */
function paintMarks({ context, width, x, palette }, lane, marks, height) {
  marks.forEach(({ text, at_s }, i) => {
    const left = x(at_s);
    if (left < -200 || left > width) return;
    context.fillStyle = palette.ink;
    context.globalAlpha = 0.75;
    context.fillRect(Math.round(left), 0, 1, height);
    context.globalAlpha = 1;
    const free = (marks[i + 1] ? x(marks[i + 1].at_s) : width) - left - 8;
    if (context.measureText(text).width <= free) context.fillText(text, left + 5, lane.top + lane.height / 2 + 0.5);
  });
}

function block(context, left, right, lane, fill) {
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(left, lane.top, right - left, lane.height, 4);
  context.fill();
}
