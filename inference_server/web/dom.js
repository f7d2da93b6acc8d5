// Small helpers of the views. Text from outside reaches the page through textContent only.

/** The element of that id. */
export const find = (id) => document.getElementById(id);

/** A new element with a class, a text, and children. */
export function make(tag, className = "", text = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

/** Write `text` into `element`, if it is not there already: a screen reader is not told twice. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute, if it differs. */
export function mark(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** Index of the largest number. */
export const largest = (numbers) => numbers.reduce((best, value, i) => (value > numbers[best] ? i : best), 0);

/** The face of a frame that the robot attends to, or undefined. */
export const attended = (frame) => frame?.faces.find(({ id }) => id === frame.attended);

const FLAWS = { dark: "too dark", small: "too small", profile: "turned away", blurred: "blurred" };

/** What makes a face's scores doubtful, in words, or "". */
export function doubts({ quality, unsure }) {
  if (!unsure && !quality.length) return "";
  return quality.length ? `unsure: ${quality.map((flaw) => FLAWS[flaw] ?? flaw).join(", ")}` : "unsure";
}

/** "5 s", "3 min": an age for people. */
export const ago = (seconds) => (seconds < 90 ? `${Math.max(0, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);

/** Make the pixels of a canvas those of the screen; gives its context and size in CSS pixels, and whether it changed. */
export function fit(canvas) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const changed = canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio);
  if (changed) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height, changed };
}

/** {emotion: colour} of the theme in use, from monitor.css. */
export function colours(emotions) {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    of: Object.fromEntries(emotions.map((emotion) => [emotion, read(`--${emotion}`)])),
    ink: read("--ink"), muted: read("--muted"), line: read("--line"), raised: read("--raised"),
  };
}
