// The page: takes what the link brings, keeps the scene (all that is known now), and asks each view to show it.

import { Bars } from "./bars.js";
import { Cover } from "./cover.js";
import { Figures } from "./figures.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Music } from "./music.js";
import { Picture } from "./picture.js";
import { RobotBody } from "./robot.js";
import { Robots } from "./robots.js";
import { Timeline } from "./timeline.js";

const TICK_MS = 250; // ages and the timeline move on even when nothing comes

const scene = {
  link: "connecting",
  about: {},
  music: null, // what there is to play: {songs, after_s, fade_s, volume}
  emotions: [],
  robots: [],
  watched: null, // the robot that is shown, one of robots
  frame: null, // its newest frame's header
  picture: null, // the ImageBitmap that belongs to it
  broken: false, // the frame's picture could not be decoded
  samples: [], // of the timeline, oldest first
  lines: [], // of the log, oldest first
  history_s: 60,
  offset_s: 0, // from the page's clock to the server's
  now_s: 0, // by the server's clock
};

let turn = Promise.resolve(); // messages enter the scene one after another, though pictures are decoded meanwhile
const link = new Link(
  (header, jpeg) => { turn = turn.then(() => take(header, jpeg)).catch(console.error); },
  (state) => { scene.link = state; paintSoon(); },
);
const views = [new Picture(), new Robots((id) => link.watch(id)), new Bars(), new Figures(), new Log(), new Timeline(), new Cover(), new Music(), new RobotBody()];

let unseen = 0; // messages that are in the scene and not yet painted
let planned = false;

async function take(header, jpeg) {
  if (header.emotions) {
    Object.assign(scene, { about: header.about, music: header.music, emotions: header.emotions, history_s: header.history_s, lines: [] });
    forgetRobot();
  }
  if (header.restart) forgetRobot();
  const picture = jpeg ? await createImageBitmap(jpeg).catch(() => null) : null;
  scene.offset_s = header.now_s - performance.now() / 1000;
  scene.robots = header.robots;
  scene.watched = header.robots.find((robot) => robot.id === header.watched) ?? null;
  scene.lines = [...scene.lines, ...header.lines].slice(-50);
  scene.samples.push(...(header.samples ?? []));
  while (scene.samples.length && scene.samples[0].at_s < header.now_s - scene.history_s - 1) scene.samples.shift();
  if (header.frame) {
    scene.frame = header.frame;
    scene.broken = Boolean(jpeg) && !picture;
    if (picture) {
      scene.picture?.close();
      scene.picture = picture;
    }
  }
  unseen += 1;
  paintSoon();
}

function forgetRobot() {
  scene.samples = [];
  scene.frame = null;
  scene.picture?.close();
  scene.picture = null;
}

function paintSoon() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(paint);
}

function paint() {
  planned = false;
  scene.now_s = scene.offset_s + performance.now() / 1000;
  for (const view of views) view.show(scene);
  for (; unseen; unseen -= 1) link.seen();
}

setInterval(paintSoon, TICK_MS);
addEventListener("resize", paintSoon);
addEventListener("themechange", paintSoon);
