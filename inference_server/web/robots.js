// Who is connected, which robot is shown, and the line to the server; what that robot feels and does.

import { ago, capital, find, make, mark, write } from "./dom.js";

const MODES = { paused: "Reactions are paused; what you order is played.", stopped: "Stopped. It rests until you let it go on." };
const LINK = { connecting: "Connecting", open: "Connected", gone: "Server gone", full: "Server full" };

export class Robots {
  /** choose(id) is called when the person picks a robot. */
  constructor(choose) {
    this.choose = choose;
    this.scene = null;
    this.chips = new Map(); // id: button
    this.list = find("robots");
  }

  /** Pick the robot `step` places on. */
  next(step) {
    const { robots, watched } = this.scene;
    if (robots.length) this.choose(robots[(robots.indexOf(watched) + step + robots.length) % robots.length].id);
  }

  show(scene) {
    this.scene = scene;
    mark(document.body, "data-link", scene.link);
    write(find("link-text"), LINK[scene.link]);
    this.showChips(scene);
    showMood(scene);
  }

  showChips({ robots, watched }) {
    for (const [id, chip] of this.chips) {
      if (!robots.some((robot) => robot.id === id)) {
        chip.remove();
        this.chips.delete(id);
      }
    }
    const names = robots.map((robot) => robot.name);
    for (const robot of robots) {
      const chip = this.chips.get(robot.id) ?? this.addChip(robot.id);
      const twin = !robot.name || names.indexOf(robot.name) !== names.lastIndexOf(robot.name);
      write(chip.querySelector(".name"), twin ? `${robot.name} ${robot.id}`.trim() : robot.name);
      write(chip.querySelector(".state"), robot.here ? robot.mode ?? "" : `left ${ago(robot.quiet_s)} ago`);
      mark(chip, "data-here", robot.here);
      mark(chip, "aria-pressed", robot === watched);
    }
  }

  addChip(id) {
    const chip = make("button", "chip", "", make("span", "dot"), make("span", "name"), make("span", "state"));
    chip.type = "button";
    chip.addEventListener("click", () => this.choose(id));
    this.chips.set(id, chip);
    this.list.append(chip);
    return chip;
  }
}

function showMood({ link, frame, watched }) {
  const known = link === "open" && watched?.here && frame;
  const mood = known ? frame.mood : null;
  const word = !known ? "–" : mood ? capital(mood) : frame.faces.length ? "Undecided" : "Nobody in view";
  write(find("mood-word"), word);
  mark(find("mood"), "data-emotion", mood ?? "none");
  const doing = known ? frame.doing : null;
  write(find("doing-text"), doingText(link, watched, doing));
  write(find("doing-name"), doing ?? "");
  const mode = known ? MODES[frame.mode] : null;
  find("mode").hidden = !mode;
  write(find("mode"), mode ?? "");
  const trouble = known ? frame.trouble : null;
  find("trouble").hidden = !trouble;
  write(find("trouble"), trouble ? `The robot: ${trouble}` : "");
}

function doingText(link, watched, doing) {
  if (link !== "open") return "Not known without the server";
  if (!watched) return "No robot yet";
  if (!watched.here) return "The robot has left";
  return doing ? "The robot plays" : "The robot is at rest";
}
