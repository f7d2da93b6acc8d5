// The virtual NAO's page: shows what the robot is and does, and asks for what the person presses.

import { Body } from "./body.js";

const AGAIN_MS = 700; // between two tries to reach a robot that is gone
const PICTURE_MS = 80; // between two pictures of its camera
const KEPT_LINES = 400;
const LONGEST = 160; // letters of one line's arguments

const find = (id) => document.getElementById(id);

// A button, and while `is(state)` holds, what undoes it. do: a method of the service VirtualNAO.
const FAULTS = [
  { text: "Touch the head", do: "touch", with: ["head"] },
  { text: "Chest button", do: "touch", with: ["chest"] },
  { text: "Left bumper", do: "touch", with: ["left bumper"] },
  { text: "Right bumper", do: "touch", with: ["right bumper"] },
  { text: "Push it over", do: "fall", with: [], is: (now) => now.lying, back: { text: "Help it up", do: "standUp", with: [] } },
  { text: "Lift it", do: "lift", with: [], is: (now) => now.lifted_m > 0, back: { text: "Put it down", do: "putDown", with: [] } },
  { text: "Stand in its way", do: "obstacle", with: [0.4, 0.4], is: ({ facts }) => facts.clear_m < 1, back: { text: "Step aside", do: "obstacle", with: [5, 5] } },
  { text: "Empty the battery", do: "charge", with: [5], is: ({ facts }) => facts.charge < 20, back: { text: "Charge it", do: "charge", with: [100] } },
  { text: "Heat a motor", do: "heat", with: [["RShoulderPitch"]], is: ({ facts }) => facts.hot.length, back: { text: "Cool it", do: "heat", with: [[]] } },
  { text: "Slow the network", do: "slowNetwork", with: [0.5], is: ({ facts }) => facts.latency_s > 0, back: { text: "Network as before", do: "slowNetwork", with: [0] } },
  { text: "Cut it off for 5 s", do: "loseSessions", with: [5] },
];

let socket = null;
let now = null; // the newest state
let refusedHere = null; // why a dropped file was not taken

const say = (words) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(words)); };

function connect(body) {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.onopen = () => { document.body.dataset.link = "open"; find("link").textContent = "Here"; find("diary").replaceChildren(); };
  socket.onclose = () => {
    document.body.dataset.link = "gone";
    find("link").textContent = "The virtual NAO has ended";
    setTimeout(() => connect(body), AGAIN_MS);
  };
  socket.onmessage = ({ data }) => {
    const news = JSON.parse(data);
    requestAnimationFrame(() => { show(news, body); say({ seen: true }); });
  };
}

function show(news, body) {
  now = news.state;
  body.show(now);
  find("bubble").hidden = !now.says;
  if (now.says && find("bubble").textContent !== now.says) find("bubble").textContent = now.says;
  showFacts(now.facts);
  for (const { button, fault } of buttons) {
    const isSo = Boolean(fault.is?.(now));
    button.textContent = isSo ? fault.back.text : fault.text;
    button.setAttribute("aria-pressed", isSo);
  }
  find("source").textContent = news.camera;
  find("aloud").checked = Boolean(news.aloud);
  find("aloud").disabled = news.aloud === null;
  find("aloud-label").title = news.aloud === null ? "For this, install espeak-ng on the robot's computer." : "";
  const refused = news.refused ?? refusedHere;
  find("refused").hidden = !refused;
  find("refused").textContent = refused ?? "";
  write(news.diary);
}

function showFacts(facts) {
  const rows = [
    ["Posture", facts.posture], ["Life", facts.life],
    ["Stiffness", facts.stiffness ? `${Math.round(100 * facts.stiffness)} %` : "none"],
    ["Battery", `${facts.charge} %`, facts.charge < 20],
    ["Motors", facts.hot.length ? `hot: ${facts.hot.join(", ")}` : "cool", facts.hot.length],
    ["Touched", facts.touched.join(", ") || "nowhere"],
    ["Language", facts.language],
    ["Camera", facts.watchers ? `${facts.watchers} watching` : "nobody watches"],
  ];
  const list = find("facts");
  if (!list.childElementCount) list.append(...rows.map(([name]) => {
    const row = document.createElement("div");
    const [label, value] = [document.createElement("dt"), document.createElement("dd")];
    label.textContent = name;
    row.append(label, value);
    return row;
  }));
  rows.forEach(([, text, bad], i) => {
    const value = list.children[i].lastChild;
    if (value.textContent !== text) value.textContent = text;
    value.dataset.level = bad ? "bad" : "good";
  });
}

/** New lines at the diary's end; it follows them unless the person has scrolled up to read. */
function write(lines) {
  if (!lines.length) return;
  const list = find("diary");
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(...lines.map(lineOf));
  while (list.childElementCount > KEPT_LINES) list.firstChild.remove();
  find("nothing").hidden = true;
  if (follows) list.scrollTop = list.scrollHeight;
}

function lineOf(line) {
  const item = document.createElement("li");
  item.dataset.event = line.error ? "refused" : line.event;
  const time = document.createElement("time");
  time.textContent = line.at_s.toFixed(2);
  const what = document.createElement("span");
  what.className = "what";
  const [call, words] = [document.createElement("span"), document.createElement("span")];
  call.className = "call";
  words.className = "words";
  const [name, rest] = inWords(line);
  call.textContent = name;
  words.textContent = rest && ` ${rest.length > LONGEST ? `${rest.slice(0, LONGEST)}…` : rest}`;
  what.append(call, words);
  item.append(time, what);
  return item;
}

/** [what was called, the rest of the story]. */
function inWords(line) {
  if (line.event === "noticed") return [`${line.service}: ${line.what}`, details(line)];
  const args = (line.args ?? []).map((value) => JSON.stringify(value)).join(", ");
  if (line.error) return [`${line.service}.${line.method}(${args})`, line.error.split("\t").at(-1)];
  if (line.event === "ended") return [`${line.service}.${line.method}`, line.how === "done" ? "is done" : `was ${line.how}`];
  if (line.event === "counted") return ["The end.", ""];
  const gave = line.result === null || line.result === undefined ? "" : `→ ${JSON.stringify(line.result)}`;
  return [`${line.service}.${line.method}`, `(${args}) ${gave}`];
}

function details({ event, service, at_s, what, ...rest }) {
  return Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(", ");
}

const buttons = FAULTS.map((fault) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = fault.text;
  button.addEventListener("click", () => {
    refusedHere = null;
    const wish = now && fault.is?.(now) ? fault.back : fault;
    say({ do: wish.do, with: wish.with });
  });
  find("faults").append(button);
  return { button, fault };
});

function look(spec) {
  refusedHere = null;
  say({ look: spec });
}

async function send(file) {
  find("source").textContent = `${file.name} is on its way`;
  const answer = await fetch(`camera?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }).catch(() => null);
  refusedHere = answer?.ok ? null : (await answer?.text()) ?? "The file could not be sent.";
}

function cameraControls() {
  const drop = find("drop");
  for (const event of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(event, (happened) => {
      happened.preventDefault();
      drop.dataset.over = event === "dragover";
      const file = event === "drop" && happened.dataTransfer.files[0];
      if (file) send(file);
    });
  }
  find("file").addEventListener("change", ({ target }) => { if (target.files[0]) send(target.files[0]); target.value = ""; });
  for (const button of document.querySelectorAll("[data-look]")) button.addEventListener("click", () => look(button.dataset.look));
  find("look").addEventListener("submit", (event) => { event.preventDefault(); if (find("path").value.trim()) look(find("path").value); });
}

/** One picture after the other, as long as somebody may see them. */
function watchCamera() {
  const picture = find("camera");
  const next = () => {
    if (document.hidden) document.addEventListener("visibilitychange", next, { once: true });
    else picture.src = `camera.jpg?${performance.now()}`;
  };
  picture.addEventListener("load", () => setTimeout(next, PICTURE_MS));
  picture.addEventListener("error", () => setTimeout(next, AGAIN_MS));
  next();
}

const body = new Body(find("body"), await (await fetch("body.json")).json());
find("aloud").addEventListener("change", ({ target }) => say({ aloud: target.checked }));
cameraControls();
watchCamera();
connect(body);
