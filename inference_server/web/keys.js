// Keys for what an operator does without looking: one table, which is also what the page shows.

import { find, make } from "./dom.js";

/** Obey keys, and list them; given are the views that act. */
export function listenToKeys({ calls, faces, behaviors, robots, timeline }) {
  const keys = [
    ["S", "stop: the robot rests within 3 s", () => calls.stop()],
    ["Shift+S", "stop all robots", () => calls.stopAll()],
    ["P", "pause reactions, or go on after a pause or a stop", () => calls.pauseOrGoOn()],
    ["M", "mark this moment", () => calls.mark()],
    ["N", "write words for the mark; Enter marks", () => find("mark-text").focus()],
    ["B", "find a behaviour; Enter plays the first, arrows choose", () => behaviors.focus()],
    ["A", "attend to the next face, from left to right", () => faces.next()],
    ["Shift+A", "attend to whom the server's rule names", () => faces.attend(null)],
    ["[", "the robot before", () => robots.next(-1)],
    ["]", "the robot after", () => robots.next(1)],
    ["+", "timeline: less time, larger", () => timeline.zoom(0.5)],
    ["-", "timeline: more time, smaller", () => timeline.zoom(2)],
    ["0", "timeline: back to now", () => timeline.live()],
    ["?", "show these keys", () => { find("keys").open = !find("keys").open; }],
  ];
  find("keys-list").replaceChildren(...keys.map(([key, words]) => (
    make("div", "", "", make("dt", "", "", make("kbd", "", key)), make("dd", "", words))
  )));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isWriting(event.target)) return;
    const pressed = (event.shiftKey && /^[a-z]$/i.test(event.key) ? "Shift+" : "") + event.key.toUpperCase();
    const found = keys.find(([key]) => key.toUpperCase() === pressed.toUpperCase());
    if (!found) return;
    event.preventDefault();
    found[2]();
  });
}

const isWriting = (element) => element.matches?.("input:not([type=range]), textarea, select");
