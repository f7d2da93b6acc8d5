// Lines that a person should see, the newest at the top.

import { find, make } from "./dom.js";

export class Log {
  show({ lines, now_s }) {
    if (this.shown === lines) return;
    this.shown = lines;
    find("log-nothing").hidden = lines.length > 0;
    find("log").replaceChildren(...lines.toReversed().map((line) => item(line, now_s)));
  }
}

function item({ level, text, at_s }, now_s) {
  const when = new Date(Date.now() - 1000 * (now_s - at_s));
  const time = make("time", "", when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }));
  time.dateTime = when.toISOString();
  const row = make("li", "", "", time, make("span", "level", level), make("span", "text", text));
  row.dataset.level = level;
  return row;
}
