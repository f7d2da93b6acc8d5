// The last minute in three lanes: the face's seven scores as stacked areas, the robot's mood, what it played.
// Pointing at a moment, or moving with the arrow keys, reads it out.

import { capital, colours, find, fit, largest, mark, write } from "./dom.js";

const GAP_S = 1.5; // samples farther apart than this are not joined
const ON_COLOUR = "#101216"; // readable on each emotion's colour, in both themes
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const every_ms = () => (CALM.matches ? 1000 : 90);

export class Timeline {
  constructor() {
    this.canvas = find("timeline");
    this.aside = find("timeline-aside");
    this.paintedAt = 0;
    this.pointed_s = null; // age of the moment that is read out
    this.canvas.addEventListener("pointermove", (event) => this.point(-this.span * (1 - event.offsetX / this.canvas.clientWidth)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    addEventListener("themechange", () => { this.palette = null; this.paintedAt = 0; });
  }

  show(scene) {
    this.scene = scene;
    this.span = scene.history_s;
    const now = performance.now();
    if (now - this.paintedAt < every_ms() && !fit(this.canvas).changed) return;
    this.paintedAt = now;
    this.paint();
  }

  point(age_s) {
    this.pointed_s = age_s === null ? null : Math.max(-this.span, Math.min(0, age_s));
    if (this.scene) this.paint();
  }

  press(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -this.span, End: this.span }[event.key];
    if (!step) return;
    event.preventDefault();
    this.point((this.pointed_s ?? 0) + step);
  }

  paint() {
    const { context, width, height } = fit(this.canvas);
    const { samples, now_s, emotions } = this.scene;
    if (!this.palette || !(emotions[0] in this.palette.of)) this.palette = colours(emotions);
    const lanes = Object.fromEntries([...document.querySelectorAll("[data-lane]")].map((label) => (
      [label.dataset.lane, { top: label.offsetTop - this.canvas.offsetTop, height: label.offsetHeight }]
    )));
    const x = (at_s) => width * (1 - (now_s - at_s) / this.span);
    const pen = { context, width, x, palette: this.palette };
    context.font = `550 12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.clearRect(0, 0, width, height);
    paintGrid(pen, lanes);
    for (const stretch of stretches(samples)) {
      paintScores(pen, lanes.face, stretch, emotions);
      paintMoods(pen, lanes.mood, runs(stretch, "mood"));
      paintPlays(pen, lanes.plays, runs(stretch, "doing"));
    }
    this.readOut(pen, height);
  }

  /** The line at the pointed moment, and in words what was there. */
  readOut({ context, width, palette }, height) {
    if (this.pointed_s === null) {
      write(this.aside, "");
      return;
    }
    const { samples, now_s, emotions } = this.scene;
    const at_s = now_s + this.pointed_s;
    const near = samples.reduce((best, sample) => (
      best && Math.abs(best.at_s - at_s) <= Math.abs(sample.at_s - at_s) ? best : sample
    ), null);
    const words = near && Math.abs(near.at_s - at_s) < GAP_S ? describe(near, emotions) : "no picture";
    const text = `${Math.round(-this.pointed_s)} s ago: ${words}`;
    write(this.aside, text);
    mark(this.canvas, "aria-valuenow", Math.round(this.pointed_s));
    mark(this.canvas, "aria-valuetext", text);
    context.fillStyle = palette.ink;
    context.fillRect(Math.round(width * (1 + this.pointed_s / this.span)) - 0.5, 0, 1, height);
  }
}

function describe({ scores, mood, doing }, emotions) {
  const best = scores && largest(scores);
  const face = scores ? `${emotions[best]} ${scores[best]} %` : "nobody in view";
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

function block(context, left, right, lane, fill) {
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(left, lane.top, right - left, lane.height, 4);
  context.fill();
}
