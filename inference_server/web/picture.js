// The newest picture, and on it the faces that were found in that very picture: the emotion in white over each.
// A face that is pressed is attended to.

import { ago, doubts, find, fit, largest, mark, write } from "./dom.js";

const QUIET_S = 2; // from then on the picture is called old
const DESCRIBE_MS = 2000; // a screen reader is told no more often

export class Picture {
  /** order(wish) has the robot do something. */
  constructor(order) {
    this.places = []; // {face, x, y, w, h} of what is painted
    this.canvas = find("picture");
    this.canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const hit = ({ x, y, w, h }) => offsetX >= x && offsetX <= x + w && offsetY >= y && offsetY <= y + h;
      const found = this.places.findLast(hit);
      if (found) order({ what: "attend", face: found.face.id });
    });
    this.note = find("note");
    this.described = -DESCRIBE_MS;
  }

  show(scene) {
    const { context, width, height, changed } = fit(this.canvas);
    if (changed || this.painted !== scene.frame) {
      this.painted = scene.frame;
      context.clearRect(0, 0, width, height);
      this.places = [];
      if (scene.picture) this.paint(context, width, height, scene);
    }
    const note = noteOf(scene);
    this.note.hidden = !note;
    write(this.note, note);
    if (performance.now() - this.described > DESCRIBE_MS) {
      this.described = performance.now();
      mark(this.canvas, "aria-label", describe(scene));
    }
  }

  paint(context, width, height, { picture, frame, emotions }) {
    const scale = Math.min(width / picture.width, height / picture.height);
    const left = (width - picture.width * scale) / 2;
    const top = (height - picture.height * scale) / 2;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, left, top, picture.width * scale, picture.height * scale);
    const place = ([x, y, w, h]) => ({ x: left + x * scale, y: top + y * scale, w: w * scale, h: h * scale });
    const last = ({ id }) => (id === frame.attended ? 1 : 0); // the attended one lies on top
    for (const face of frame.faces.toSorted((a, b) => last(a) - last(b))) {
      const box = place(face.box_px);
      this.places.push({ face, ...box });
      paintFace(context, box, face, emotions, face.id === frame.attended, { left, top, right: width - left });
    }
  }
}

/** A box with its word. The face that the robot attends to is drawn stronger than the others, an unsure one dashed. */
function paintFace(context, box, face, emotions, first, rim) {
  const { scores } = face;
  const best = largest(scores);
  const size = Math.max(first ? 15 : 12, Math.min(first ? 30 : 20, box.w * 0.17));
  context.save();
  context.globalAlpha = first ? 1 : 0.75;
  context.shadowColor = "rgb(0 0 0 / 0.65)";
  context.shadowBlur = 6;
  context.strokeStyle = "#fff";
  context.lineWidth = first ? 2.5 : 1.5;
  if (face.unsure) context.setLineDash([7, 6]);
  context.beginPath();
  context.roundRect(box.x, box.y, box.w, box.h, Math.min(10, box.w * 0.06));
  context.stroke();

  context.fillStyle = "#fff";
  context.textBaseline = "alphabetic";
  const style = getComputedStyle(document.body).fontFamily;
  context.setLineDash([]);
  const word = emotions[best] + (face.unsure ? "?" : "");
  const share = ` ${Math.round(100 * scores[best])} %`;
  const letters = (text, weight, px, x, y) => {
    context.font = `${weight} ${px}px ${style}`;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  context.font = `650 ${size}px ${style}`;
  const wordWidth = context.measureText(word).width;
  context.font = `450 ${size * 0.72}px ${style}`;
  const shareWidth = first ? context.measureText(share).width : 0;
  const x = Math.max(rim.left + 6, Math.min(box.x, rim.right - wordWidth - shareWidth - 6));
  const above = box.y - size * 0.42;
  const y = above - size > rim.top ? above : Math.max(box.y, rim.top) + size * 1.25;
  context.strokeStyle = "rgb(0 0 0 / 0.4)";
  context.lineWidth = size * 0.12;
  context.lineJoin = "round";
  letters(word, 650, size, x, y);
  if (first) letters(share, 450, size * 0.72, x + wordWidth, y);
  const doubt = doubts(face);
  if (first && doubt) letters(doubt, 450, size * 0.62, x + 6, Math.min(box.y + box.h, context.canvas.clientHeight) - size * 0.4);
  context.restore();
}

/** What should be said about the picture, or "". */
function noteOf({ link, frame, watched, broken }) {
  if (link !== "open" || !frame || !watched?.here) return "";
  if (watched.quiet_s > QUIET_S) return `No new picture for ${ago(watched.quiet_s)}`;
  if (broken) return "This browser could not decode the picture";
  return frame.faces.length ? "" : "Nobody in view";
}

function describe({ frame, watched, emotions }) {
  if (!frame || !watched) return "No picture yet";
  const faces = frame.faces.map((face) => [
    emotions[largest(face.scores)], `${Math.round(100 * Math.max(...face.scores))} percent`, doubts(face),
  ].filter(Boolean).join(", "));
  const seen = faces.length ? `${faces.length === 1 ? "one face" : `${faces.length} faces`}: ${faces.join("; ")}` : "nobody in view";
  return `Picture from ${watched.name || watched.id}: ${seen}`;
}
