// NAO in three dimensions on a plain canvas: joint angles and lamps in, a picture out. A page gives it the table
// of shapes.py; it knows no server, asks for nothing, and paints only when it is told that something changed.
//
// Every part is the tight skin around a few balls, so on paper the hull of a few circles; parts are painted from
// the farthest to the nearest. Metres; x ahead of the robot, y to its left, z up; rad.

const REACH_M = 0.76; // height of what is seen: NAO with its arms up, and some air
const MIDDLE_M = 0.305; // height of its middle over the floor
const EYE_M = 2.2; // from the camera to the robot
const AT_FIRST = { azimuth: 0.42, height: 0.16 }; // turned from the robot's front to its left; raised
const HEIGHTS = [-0.15, 1.35];
const TURN_PX = 0.008; // rad for each pixel of a drag
const TURN_KEY = 0.15; // rad for each press of an arrow
const LIGHT = [-0.46, -0.89]; // on paper, the way to the light
const ROUND = Array.from({ length: 20 }, (_, i) => [Math.cos((Math.PI * i) / 10), Math.sin((Math.PI * i) / 10)]); // corners of a circle
const GRID_M = 0.1;
const SUNK_M = 0.02;
const PALE = 0.25; // of the way to white that a lit lamp seems to be
const FALL_S = 0.35; // to lie down, or to get up

// Where the colours come from: [lit, own, in the shade] of each tint.
const PALETTES = {
  light: {
    shell: ["#ffffff", "#eceef2", "#b4bcc9"], joint: ["#8b93a1", "#676f7d", "#454b57"], accent: ["#9dbcf6", "#5f8fe6", "#3a63ad"],
    hand: ["#d3d8e0", "#a9b1be", "#737c8b"], rim: "#59616e", floor: "#8a93a3", shadow: "rgb(30 40 60 / 0.16)", visor: "#2a2e36",
  },
  dark: {
    shell: ["#ffffff", "#dde1e8", "#828b9b"], joint: ["#7b8494", "#525a68", "#2c313a"], accent: ["#9dbcf6", "#5a88de", "#2f538f"],
    hand: ["#c3c9d3", "#959eac", "#565e6c"], rim: "#14171c", floor: "#8d97a8", shadow: "rgb(0 0 0 / 0.5)", visor: "#1b1e24",
  },
};
const LAMPS = { eye: 0xffffff, ear: 0x2a6eff, crown: 0, chest: 0, foot: 0 }; // where nobody says what they show
const LYING = { LyingBelly: Math.PI / 2, LyingBack: -Math.PI / 2 }; // how far the torso is tipped over

// Vectors of three; a pose is {turn: nine numbers row by row, at: vector}.

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const times = (s, a) => [s * a[0], s * a[1], s * a[2]];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => times(1 / Math.hypot(...a), a);
const turned = (t, a) => [dot(t.slice(0, 3), a), dot(t.slice(3, 6), a), dot(t.slice(6, 9), a)];
const placed = (pose, a) => add(pose.at, turned(pose.turn, a));
const within = (value, low, high) => Math.max(low, Math.min(high, value));

function product(a, b) {
  return a.map((_, i) => a[i - (i % 3)] * b[i % 3] + a[i - (i % 3) + 1] * b[3 + (i % 3)] + a[i - (i % 3) + 2] * b[6 + (i % 3)]);
}

/** The rotation about a unit axis. */
function rotation([x, y, z], angle) {
  const [s, c] = [Math.sin(angle), Math.cos(angle)];
  const d = 1 - c;
  return [
    c + d * x * x, d * x * y - s * z, d * x * z + s * y,
    d * x * y + s * z, c + d * y * y, d * y * z - s * x,
    d * x * z - s * y, d * y * z + s * x, c + d * z * z,
  ];
}

const HERE = { turn: rotation([0, 0, 1], 0), at: [0, 0, 0] };

/** Map of every joint's pose, of the torso's under null: forward kinematics. `angles` is a list as table.joints. */
export function poses(table, angles, torso = HERE) {
  const found = new Map([[null, torso]]);
  for (const [joint, parent, at, axis] of table.links) {
    const before = found.get(parent);
    const turn = product(before.turn, rotation(axis, angles[table.joints.indexOf(joint)]));
    found.set(joint, { turn, at: placed(before, at) });
  }
  return found;
}

/** The balls of all parts where the robot stands on the floor: [{part, balls: [[point, radius], ...]}, ...] and the poses. */
function stand(table, { angles, place: [x, y, theta], lifted_m }, tipped) {
  const turn = product(rotation([0, 0, 1], theta), rotation([0, 1, 0], tipped));
  const joints = poses(table, angles, { turn, at: [0, 0, 0] });
  const parts = table.parts.map((part) => {
    const open = part.opens ? angles[table.joints.indexOf(part.opens)] : 0;
    const pose = joints.get(part.joint);
    return { part, balls: part.balls.map(([bx, by, bz, r, dx = 0, dy = 0, dz = 0]) => [placed(pose, add([bx, by, bz], times(open, [dx, dy, dz]))), r]) };
  });
  const lowest = Math.min(...parts.flatMap(({ balls }) => balls.map(([point, r]) => point[2] - r)));
  const up = [x, y, lifted_m - lowest];
  for (const { balls } of parts) for (const ball of balls) ball[0] = add(ball[0], up);
  for (const pose of joints.values()) pose.at = add(pose.at, up);
  return { parts, joints };
}

/** A body on a canvas. `show` takes what is to be seen; the person turns it by dragging, or with the arrow keys. */
export class Body {
  constructor(canvas, table) {
    this.canvas = canvas;
    this.table = table;
    this.view = { ...AT_FIRST };
    this.state = { angles: table.stand, lamps: {}, place: [0, 0, 0], lying: null, lifted_m: 0 };
    this.tipped = 0; // rad, on its way to what `lying` says
    this.turnable();
    new ResizeObserver(() => this.paintSoon()).observe(canvas);
    addEventListener("themechange", () => this.paintSoon());
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.paintSoon());
  }

  /** Any of: angles [26], lamps {name: [0xRRGGBB, ...]}, place [x, y, theta], lying "LyingBelly" | ..., lifted_m. */
  show(news) {
    Object.assign(this.state, news);
    this.paintSoon();
  }

  turnable() {
    const { canvas } = this;
    canvas.style.touchAction = "pan-y";
    canvas.style.cursor = "grab";
    canvas.tabIndex = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      canvas.style.cursor = "grabbing";
      const from = { ...this.view, x: event.clientX, y: event.clientY };
      const move = (now) => this.turn(from.azimuth - TURN_PX * (now.clientX - from.x), from.height + TURN_PX * (now.clientY - from.y));
      canvas.addEventListener("pointermove", move);
      const over = () => { canvas.removeEventListener("pointermove", move); canvas.style.cursor = "grab"; };
      canvas.addEventListener("lostpointercapture", over, { once: true });
    });
    canvas.addEventListener("dblclick", () => this.turn(AT_FIRST.azimuth, AT_FIRST.height));
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      this.turn(this.view.azimuth + TURN_KEY * way[0], this.view.height + TURN_KEY * way[1]);
    });
  }

  turn(azimuth, height) {
    this.view = { azimuth, height: within(height, ...HEIGHTS) };
    this.paintSoon();
  }

  paintSoon() {
    if (this.planned) return;
    this.planned = requestAnimationFrame((now_ms) => { this.planned = 0; this.paint(now_ms); });
  }

  /** Bring `tipped` nearer to how the robot lies; paints on until it is there. */
  tip(now_ms) {
    const goal = LYING[this.state.lying] ?? 0;
    const step = (Math.PI / 2 / FALL_S) * within((now_ms - (this.paintedAt ?? now_ms)) / 1000, 0.016, 0.1);
    this.paintedAt = now_ms;
    this.tipped += within(goal - this.tipped, -step, step);
    if (this.tipped !== goal) this.paintSoon();
  }

  paint(now_ms) {
    const { canvas, state, table } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return;
    this.tip(now_ms);
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const camera = new Camera(this.view, [...state.place.slice(0, 2), MIDDLE_M], width, height);
    const colours = PALETTES[isDark(canvas) ? "dark" : "light"];
    const { parts, joints } = stand(table, state, this.tipped);
    paintFloor(context, camera, colours, state.place);
    paintShadow(context, camera, colours, parts);
    const seen = parts.map(({ part, balls }) => ({ part, circles: balls.map(([point, radius]) => camera.circle(point, radius)) }));
    seen.sort((a, b) => nearness(a) - nearness(b));
    for (const { part, circles } of seen) {
      paintPart(context, circles, colours[part.tint], colours.rim);
      for (const lamp of table.lamps) if (lamp.part === part.name) paintLamp(context, camera, lamp, joints.get(part.joint), lit(lamp, state.lamps), colours);
    }
  }
}

/** Looks at a point from EYE_M away. */
class Camera {
  constructor({ azimuth, height }, middle, width, canvasHeight) {
    const [sa, ca, se, ce] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(height), Math.cos(height)];
    this.toward = [ce * ca, ce * sa, se];
    this.right = [-sa, ca, 0]; // the robot's left is on our right
    this.up = [-se * ca, -se * sa, ce];
    this.middle = middle;
    this.scale = Math.min(canvasHeight, width * 1.25) / REACH_M;
    this.centre = [width / 2, canvasHeight / 2];
  }

  /** [x px, y px, nearness m, px for each m] of a point. */
  point(at) {
    const from = add(at, times(-1, this.middle));
    const near = dot(from, this.toward);
    const scale = (this.scale * EYE_M) / (EYE_M - near);
    return [this.centre[0] + scale * dot(from, this.right), this.centre[1] - scale * dot(from, this.up), near, scale];
  }

  circle(at, radius) {
    const [x, y, near, scale] = this.point(at);
    return { x, y, r: radius * scale, near };
  }
}

/** What is nearer is painted later; a joint lies within the shells about it. */
const nearness = ({ part, circles }) => circles.reduce((sum, { near }) => sum + near, 0) / circles.length - (part.tint === "joint" ? SUNK_M : 0);

/** Corners of the hull of points [x, y], all in one sense of turning. */
function hull(points) {
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (row) => {
    const kept = [];
    for (const point of row) {
      while (kept.length > 1 && isRight(kept.at(-2), kept.at(-1), point)) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...half(points), ...half(points.toReversed())];
}

const isRight = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) <= 0;

function trace(context, corners) {
  corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

function paintPart(context, circles, [bright, own, shade], rim) {
  const way = lightAcross(circles);
  const along = circles.flatMap(({ x, y, r }) => { const t = x * way[0] + y * way[1]; return [t - r, t + r]; });
  const [low, high] = [Math.min(...along), Math.max(...along)];
  const middle = circles[0].x * way[0] + circles[0].y * way[1];
  const at = (t) => [circles[0].x + (t - middle) * way[0], circles[0].y + (t - middle) * way[1]];
  const gradient = context.createLinearGradient(...at(high), ...at(low));
  gradient.addColorStop(0, own);
  gradient.addColorStop(0.22, bright);
  gradient.addColorStop(0.5, own);
  gradient.addColorStop(1, shade);
  context.beginPath();
  trace(context, hull(circles.flatMap(({ x, y, r }) => ROUND.map(([c, s]) => [x + r * c, y + r * s]))));
  context.fillStyle = gradient;
  context.fill();
  context.lineWidth = 1;
  context.lineJoin = "round";
  context.strokeStyle = rim;
  context.stroke();
}

/** The way to the light on paper; for a long part more and more across it, as on a cylinder. */
function lightAcross(circles) {
  const [first, last] = [circles[0], circles.at(-1)];
  const [dx, dy] = [last.x - first.x, last.y - first.y];
  const length = Math.hypot(dx, dy);
  if (circles.length > 2 || length < 1e-6) return LIGHT;
  const share = length / (length + first.r + last.r);
  const on = (LIGHT[0] * dx + LIGHT[1] * dy) / length / length;
  const way = [LIGHT[0] - share * on * dx, LIGHT[1] - share * on * dy];
  const size = Math.hypot(...way);
  return size < 1e-6 ? LIGHT : [way[0] / size, way[1] / size];
}

function paintFloor(context, camera, colours, [x, y]) {
  const [middleX, middleY, , scale] = camera.point([x, y, 0]);
  const reach = 0.38;
  const fade = context.createRadialGradient(middleX, middleY, 0, middleX, middleY, reach * scale);
  fade.addColorStop(0, colours.floor);
  fade.addColorStop(1, "transparent");
  context.strokeStyle = fade;
  context.lineWidth = 1;
  context.globalAlpha = 0.4;
  context.beginPath();
  for (let i = -Math.ceil(reach / GRID_M); i <= reach / GRID_M + 1; i += 1) {
    const [lineX, lineY] = [GRID_M * (Math.floor(x / GRID_M) + i), GRID_M * (Math.floor(y / GRID_M) + i)];
    for (const [a, b] of [[[lineX, y - reach, 0], [lineX, y + reach, 0]], [[x - reach, lineY, 0], [x + reach, lineY, 0]]]) {
      context.moveTo(...camera.point(a).slice(0, 2));
      context.lineTo(...camera.point(b).slice(0, 2));
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** What the body hides from a light above it. */
function paintShadow(context, camera, colours, parts) {
  if (camera.toward[2] < 0.02) return; // the floor is seen from its edge, or from beneath
  context.beginPath();
  for (const { balls } of parts) {
    const spots = balls.flatMap(([[x, y, z], r]) => ROUND.map(([c, s]) => camera.point([x + 0.25 * z + r * c, y + r * s, 0])));
    trace(context, hull(spots));
  }
  context.fillStyle = colours.shadow;
  context.fill();
}

/** The colours of a lamp's ring, or of the one lamp: [0xRRGGBB, ...]. */
function lit({ name, ring }, lamps) {
  return lamps[name] ?? Array(ring || 1).fill(LAMPS[name.split(" ").at(-1)]);
}

function paintLamp(context, camera, lamp, pose, shown, colours) {
  const facing = unit(turned(pose.turn, lamp.facing));
  const at = placed(pose, lamp.at);
  const [x, y, , scale] = camera.point(at);
  if (dot(facing, unit(add(times(EYE_M, camera.toward), times(-1, add(at, times(-1, camera.middle)))))) < 0.08) return;
  // A ring runs from its top to the outside of the head, on either side; one that lies flat, from its front.
  const top = turned(pose.turn, Math.abs(lamp.facing[2]) > 0.9 ? [1, 0, 0] : [0, 0, 1]);
  const upright = unit(add(top, times(-dot(facing, top), facing)));
  const outward = times(lamp.name.startsWith("right") ? -1 : 1, cross(upright, facing));
  const onPaper = (a) => [scale * lamp.radius * dot(a, camera.right), -scale * lamp.radius * dot(a, camera.up)];
  context.save();
  context.transform(...onPaper(outward), ...onPaper(upright), x, y);
  context.beginPath();
  context.arc(0, 0, 1, 0, 2 * Math.PI);
  context.fillStyle = colours.visor;
  context.fill();
  shown.forEach((colour, i) => {
    context.beginPath();
    if (lamp.ring) {
      const [from, to] = [-0.5, 0.5].map((half) => Math.PI / 2 - (2 * Math.PI * (i + half * 0.86)) / lamp.ring);
      context.arc(0, 0, 0.88, from, to, true);
      context.arc(0, 0, 0.44, to, from);
    } else {
      context.arc(0, 0, 0.72, 0, 2 * Math.PI);
    }
    context.fillStyle = css(colour);
    context.fill();
  });
  paintGlow(context, shown);
  context.restore();
}

/** Around a lamp (of radius 1), the light that it throws on the shell. */
function paintGlow(context, shown) {
  const mean = [16, 8, 0].map((shift) => Math.round(shown.reduce((sum, colour) => sum + (colour >> shift & 255), 0) / shown.length));
  const strength = Math.max(...mean) / 255;
  const glow = context.createRadialGradient(0, 0, 0.8, 0, 0, 2);
  glow.addColorStop(0, `rgb(${mean.join(" ")} / ${0.55 * strength})`);
  glow.addColorStop(1, `rgb(${mean.join(" ")} / 0)`);
  context.beginPath();
  context.arc(0, 0, 2, 0, 2 * Math.PI);
  context.arc(0, 0, 0.95, 0, 2 * Math.PI, true);
  context.fillStyle = glow;
  context.fill();
}

/** A lamp looks paler than its colour: even a pure blue one is bright. */
function css(colour) {
  const channels = [colour >> 16 & 255, colour >> 8 & 255, colour & 255];
  const most = Math.max(...channels);
  return `rgb(${channels.map((value) => Math.round(value + PALE * (most - value))).join(" ")})`;
}

/** Whether the page is dark where the canvas lies, told by its ink. */
function isDark(canvas) {
  const [r, g, b] = getComputedStyle(canvas).color.match(/[\d.]+/g).map(Number);
  return 0.3 * r + 0.59 * g + 0.11 * b > 128;
}
