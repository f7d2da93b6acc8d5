// A song for a mood that lasts: begins when it has lasted, fades when it changes. It plays only once a person has
// pressed the button, for browsers forbid a page to make noise by itself.

import { find, mark, write } from "./dom.js";

export class Music {
  constructor() {
    this.audio = new Audio();
    this.button = find("music");
    this.wanted = false;
    this.playing = null; // the emotion whose song plays
    this.mood = null; // of the newest frame ...
    this.since_s = 0; // ... and since when, by the server's clock
    this.fading_s = null; // since when it fades
    this.turns = {}; // emotion: songs begun so far
    this.audio.addEventListener("ended", () => this.stop());
    this.button.addEventListener("click", () => {
      this.wanted = !this.wanted;
      if (!this.wanted) this.stop();
    });
  }

  show(scene) {
    const { music, now_s } = scene;
    this.button.hidden = !music;
    if (!music) return;
    mark(this.button, "aria-pressed", this.wanted);
    write(this.button, this.wanted ? "Stop the music" : "Play music");
    mark(this.button, "data-plays", this.playing ?? "none");
    const known = scene.link === "open" && scene.watched?.here && scene.frame;
    const mood = known && scene.frame.mode !== "stopped" ? scene.frame.mood : null;
    if (mood !== this.mood) Object.assign(this, { mood, since_s: now_s });
    if (!this.wanted) return;
    if (!this.playing) this.begin(music, now_s);
    else if (this.fading_s !== null || mood !== this.playing) this.fade(music, now_s);
  }

  begin(music, now_s) {
    const songs = music.songs[this.mood] ?? [];
    if (!songs.length || now_s - this.since_s < music.after_s) return;
    const turn = (this.turns[this.mood] ?? -1) + 1;
    Object.assign(this, { playing: this.mood, fading_s: null });
    this.turns[this.mood] = turn;
    this.audio.src = songs[turn % songs.length];
    this.audio.volume = music.volume;
    this.audio.play().catch((error) => { if (error.name !== "AbortError") this.refuse(error); });
  }

  fade(music, now_s) {
    this.fading_s ??= now_s;
    const left = music.fade_s > 0 ? 1 - (now_s - this.fading_s) / music.fade_s : 0;
    if (left <= 0) this.stop();
    else this.audio.volume = music.volume * left;
  }

  stop() {
    this.audio.pause();
    Object.assign(this, { playing: null, fading_s: null });
  }

  refuse(error) {
    this.stop();
    this.wanted = false;
    this.button.title = `This browser cannot play the song: ${error.message}`;
  }
}
