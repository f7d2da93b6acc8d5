// Recording: a button that says whether a session is being recorded, and behind it a window to start and stop one,
// and the sessions that are there. The recorder is the server's; this only asks it (recorder_web.py).

import { find, make, mark, write } from "./dom.js";

const LOOK_MS = 2000; // between two questions whether something is being recorded
const STATES = { running: "being recorded", whole: "", cut: "cut off; repair it with: python -m inference_server repair" };

export class Record {
  constructor() {
    this.button = find("record");
    this.dialog = make("dialog", "sessions");
    this.dialog.setAttribute("aria-labelledby", "sessions-title");
    document.body.append(this.dialog);
    this.build();
    this.button.addEventListener("click", () => { this.dialog.showModal(); this.look(); });
    setInterval(() => { if (this.wanted && !document.hidden) this.look(); }, LOOK_MS);
  }

  show({ about, link, may_steer }) {
    this.wanted = Boolean(about.sessions) && may_steer && link === "open";
    this.button.hidden = !about.sessions || !may_steer;
    this.button.disabled = link !== "open";
    if (this.wanted && !this.state) this.look();
    const running = this.wanted && this.state?.running;
    mark(this.button, "data-running", Boolean(running));
    write(this.button.lastChild, running ? `Recording ${clock(Date.now() / 1000 - running.since_s)}` : "Record");
  }

  build() {
    this.purpose = field("input", { type: "text", maxLength: 400, required: true });
    this.images = field("input", { type: "checkbox" });
    this.consent = field("input", { type: "text", maxLength: 1000 });
    this.consentRow = row("Who agreed, when, and for what", this.consent);
    this.images.addEventListener("change", () => this.needConsent());
    this.inputs = make("div", "", "", row("What it is for", this.purpose), tick("Keep the camera's pictures", this.images), this.consentRow);
    this.go = make("button", "go");
    this.error = make("p", "error");
    this.error.setAttribute("role", "alert");
    this.now = make("p", "now");
    const form = make("form", "", "", this.inputs, this.now, this.error, this.go);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.press(); });
    const title = make("h2", "", "Record a session");
    title.id = "sessions-title";
    const close = make("button", "close", "Close");
    close.type = "button";
    close.addEventListener("click", () => this.dialog.close());
    this.list = make("ul", "list");
    this.none = make("p", "none", "No session has been recorded yet.");
    const head = make("header", "", "", title, close);
    this.dialog.append(head, form, make("h3", "", "Sessions"), this.none, this.list);
  }

  async look() {
    await this.take(fetch("record"));
  }

  async press() {
    const running = this.state?.running;
    const wish = { purpose: this.purpose.value, images: this.images.checked, consent: this.consent.value };
    this.go.disabled = true;
    await this.take(fetch(running ? "record/stop" : "record/start", { method: "POST", body: JSON.stringify(wish) }));
    this.go.disabled = false;
  }

  /** Show what the recorder answers: its state, or a sentence. */
  async take(asked) {
    try {
      const answer = await asked;
      if (!answer.ok) return write(this.error, await answer.text());
      const first = !this.state;
      this.state = await answer.json();
      if (first) this.begin(this.state.defaults);
      write(this.error, "");
      this.paint(this.state);
    } catch {
      write(this.error, "The server cannot be reached.");
    }
  }

  begin({ purpose, images, consent }) {
    this.purpose.value = purpose;
    this.images.checked = images;
    this.consent.value = consent;
    this.needConsent();
  }

  needConsent() {
    this.consentRow.hidden = !this.images.checked;
    this.consent.required = this.images.checked;
  }

  paint({ running, sessions }) {
    this.inputs.hidden = Boolean(running);
    for (const input of [this.purpose, this.images, this.consent]) input.disabled = Boolean(running);
    const lost = running?.missed ? `; ${running.missed} events were missed, the disk is too slow` : "";
    write(this.now, running ? `${running.name}, ${size(running.bytes)}, ${running.images ? "with" : "without"} pictures${lost}` : "");
    write(this.go, running ? "Stop recording" : "Start recording");
    mark(this.go, "data-running", Boolean(running));
    this.none.hidden = sessions.length > 0;
    const shown = JSON.stringify(sessions);
    if (shown === this.shown) return;
    this.shown = shown;
    this.list.replaceChildren(...sessions.map(item));
  }
}

function item(session) {
  const link = make("a", "", session.name);
  link.href = `record/${encodeURIComponent(session.name)}`;
  link.download = session.name;
  const told = [size(session.bytes), session.images === "yes" ? "with pictures" : "without pictures", STATES[session.state]];
  return make("li", "", "", link, make("span", "purpose", session.purpose), make("span", "told", told.filter(Boolean).join(", ")));
}

const field = (tag, properties) => Object.assign(make(tag), properties);

const row = (text, input) => make("label", "row", "", make("span", "", text), input);

const tick = (text, input) => make("label", "tick", "", input, make("span", "", text));

const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
