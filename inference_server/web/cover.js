// What stands over the picture when there is none to show: why, and what to do about it.

import { ago, find, make, write } from "./dom.js";

const QUIET_S = 2; // from then on what is shown is called old
const SERVE = "python -m inference_server serve";

export class Cover {
  constructor() {
    this.shown = null;
  }

  show(scene) {
    const cover = coverOf(scene);
    const element = find("cover");
    element.hidden = !cover;
    document.body.dataset.state = cover?.state ?? (scene.watched.quiet_s > QUIET_S ? "quiet" : "live");
    if (!cover) return;
    element.dataset.state = cover.state;
    write(find("cover-title"), cover.title);
    write(find("cover-text"), cover.text);
    const commands = JSON.stringify(cover.commands);
    if (this.shown === commands) return;
    this.shown = commands;
    find("cover-commands").replaceChildren(...cover.commands.map(([why, command]) => (
      make("div", "command", "", make("p", "", why), code(command), copyButton(command))
    )));
  }
}

function coverOf({ link, watched, about }) {
  if (link === "connecting") return { state: "connecting", title: "Connecting to the server", text: "", commands: [] };
  if (link === "full") {
    return { state: "full", title: "Too many pages are open", text: "Close one of the others; this page tries again by itself.", commands: [] };
  }
  if (link === "gone") {
    return {
      state: "gone", title: "The server is gone",
      text: "The robot rests until it is back. This page connects again by itself.",
      commands: [["Start the server", SERVE]],
    };
  }
  if (!watched) {
    const server = about.listen ?? "tcp://127.0.0.1:5555";
    return {
      state: "empty", title: "No robot has connected yet",
      text: `The server is ready and waits at ${server}.`,
      commands: [
        ["Try it without a robot", `python -m robot_app --server ${server} --robot virtual --camera demo`],
        ["Or with a NAO", `python -m robot_app --server ${server} --robot tcp://NAO-ADDRESS:9559`],
      ],
    };
  }
  if (!watched.here) {
    return {
      state: "left", title: `${watched.name || watched.id} has left`,
      text: `It was last heard ${ago(watched.quiet_s)} ago, and comes back by itself when its program runs again.`,
      commands: [],
    };
  }
  return null;
}

/** The command, which breaks before an option only. */
function code(command) {
  const parts = command.split(/ (?=--)/);
  return make("code", "", "", ...parts.flatMap((part) => [make("span", "", part), " "]).slice(0, -1));
}

function copyButton(command) {
  const button = make("button", "copy", "Copy");
  button.type = "button";
  button.setAttribute("aria-label", `Copy: ${command}`);
  button.addEventListener("click", async () => {
    const done = await navigator.clipboard?.writeText(command).then(() => true, () => false);
    write(button, done ? "Copied" : "Select it");
    setTimeout(() => write(button, "Copy"), 1500);
  });
  return button;
}
