// The line to the server: opens it, opens it again when it breaks, and takes messages apart.
// It knows nothing of what the messages mean.

const AGAIN_MS = [300, 700, 1500, 3000]; // waits before each new try; the last one repeats
const SILENT_MS = 5000; // the server speaks every second; after this long without a word the line is dead
const TOO_MANY = 4008; // monitor.py refuses one page more

export class Link {
  /** onMessage(header, jpeg Blob or null); onChange(state): "open", "gone" or "full". */
  constructor(onMessage, onChange) {
    this.onMessage = onMessage;
    this.onChange = onChange;
    this.tries = 0;
    this.open();
    const now = () => { if (!document.hidden && this.waiting) this.open(); };
    addEventListener("online", now);
    document.addEventListener("visibilitychange", () => { this.heardAt = performance.now(); now(); });
    setInterval(() => this.check(), 1000);
  }

  open() {
    clearTimeout(this.waiting);
    this.waiting = null;
    this.heardAt = performance.now();
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.take(socket, event.data);
    socket.onclose = (event) => this.lost(socket, event.code === TOO_MANY ? "full" : "gone");
    this.socket = socket;
  }

  /** Tell the server that a message has been painted; it sends two ahead and no more. */
  seen() {
    this.say({ seen: true });
  }

  /** Ask for another robot. */
  watch(id) {
    this.say({ watch: id });
  }

  /** Have a robot do something: `wish` is an order's what, name, face, settings. */
  order(robot, wish) {
    this.say({ order: { robot, ...wish } });
  }

  /** Mark this moment. */
  mark(text) {
    this.say({ mark: text });
  }

  say(words) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(words));
  }

  take(socket, bytes) {
    if (socket !== this.socket) return;
    this.tries = 0;
    this.heardAt = performance.now();
    const length = new DataView(bytes).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    const jpeg = bytes.byteLength > 4 + length ? new Blob([new Uint8Array(bytes, 4 + length)], { type: "image/jpeg" }) : null;
    this.onChange("open");
    this.onMessage(header, jpeg);
  }

  lost(socket, state) {
    if (socket !== this.socket || this.waiting) return;
    this.onChange(state);
    this.waiting = setTimeout(() => this.open(), AGAIN_MS[Math.min(this.tries, AGAIN_MS.length - 1)]);
    this.tries += 1;
  }

  check() {
    if (document.hidden || this.waiting || performance.now() - this.heardAt < SILENT_MS) return;
    const dead = this.socket;
    this.lost(dead, "gone");
    dead.close();
  }
}
