// The page: takes what the link brings, keeps the scene (all that is known now), and asks each view to show it.

import { Bars } from "./bars.js";
import { Behaviors } from "./behaviors.js";
import { Calls } from "./calls.js";
import { Cover } from "./cover.js";
import { Faces } from "./faces.js";
import { Figures } from "./figures.js";
import { listenToKeys } from "./keys.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Music } from "./music.js";
import { Picture } from "./picture.js";
import { Record } from "./record.js";
import { RobotBody } from "./robot.js";
import { Robots } from "./robots.js";
import { Timeline } from "./timeline.js";
import { Tune } from "./tune.js";

const TICK_MS = 250; // ages and the timeline move on even when nothing comes

const scene = {
  link: "connecting",
  about: {},
  music: null, // what there is to play: {songs, after_s, fade_s, volume}
  may_steer: false, // this page, the robots
  emotions: [],
  robots: [],
  watched: null, // the robot that is shown, one of robots
  frame: null, // its newest frame's header
  picture: null, // the ImageBitmap that belongs to it
  broken: false, // the frame's picture could not be decoded
  samples: [], // of the timeline, oldest first
  lines: [], // of the log, oldest first
  marks: [], // of the timeline, oldest first
  itself: null, // what the robot told of itself: {behaviors, mood, battery, hottest, naoqi}
  orders: [], // its last ones, oldest first, and what came of them
  told: null, // the last sentence for this page alone: {text, at_s}
  history_s: 60,
  offset_s: 0, // from the page's clock to the server's
  now_s: 0, // by the server's clock
};

let turn = Promise.resolve(); // messages enter the scene one after another, though pictures are decoded meanwhile
const link = new Link(
  (header, jpeg) => { turn = turn.then(() => take(header, jpeg)).catch(console.error); },
  (state) => { scene.link = state; paintSoon(); },
);
const order = (wish, robot = scene.watched?.id) => robot && scene.may_steer && link.order(robot, wish);
const timeline = new Timeline();
const calls = new Calls(order, (text) => scene.may_steer && link.mark(text));
const faces = new Faces(order);
const behaviors = new Behaviors(order);
const robots = new Robots((id) => link.watch(id));
const views = [
  new Picture(order), robots, new Bars(), new Figures(), new Log(), timeline, new Cover(), new Music(),
  calls, faces, behaviors, new Tune(order), new Record(), new RobotBody(),
];
listenToKeys({ calls, faces, behaviors, robots, timeline });

let unseen = 0; // messages that are in the scene and not yet painted
let planned = false;

async function take(header, jpeg) {
  if (header.emotions) {
    Object.assign(scene, { about: header.about, music: header.music, emotions: header.emotions, history_s: header.history_s, lines: [], marks: [] });
    scene.may_steer = header.may_steer;
    forgetRobot();
  }
  if (header.restart) forgetRobot();
  const picture = jpeg ? await createImageBitmap(jpeg).catch(() => null) : null;
  scene.offset_s = header.now_s - performance.now() / 1000;
  scene.robots = header.robots;
  scene.watched = header.robots.find((robot) => robot.id === header.watched) ?? null;
  scene.lines = [...scene.lines, ...header.lines].slice(-50);
  scene.marks.push(...header.marks);
  scene.itself = header.itself ?? scene.itself;
  scene.orders = header.orders ?? scene.orders;
  if (header.told) scene.told = { text: header.told.at(-1), at_s: header.now_s };
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
  scene.orders = [];
  scene.frame = scene.itself = scene.told = null;
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
