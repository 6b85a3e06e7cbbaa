// @ts-check
/**
 * Between the browser's sound card and messages of 20 ms at 16 kHz, for pcm.js: it runs in the browser's audio thread, and
 * knows no other module. The tray process has put in order what the network brought; here waits only what this machine's own
 * unevenness asks for, and a card whose clock runs differently is followed by playing a little faster or slower.
 */

const RATE = 16000;
const FRAME = 320;
/** Samples at 16 kHz: what waits before it is played, at the least and after it ran dry, and what is too much at any time. */
const LEAST = 480, MOST = 960, FLOOD = 4000;
/** How far what waits may wander, and from where on a piece is cut out. */
const LOOSE = 320, LONG = 800;
/** Nobody hears half a percent. */
const BEND = 0.005;

/** Changes the rate by a windowed sinc, a table of 64 places between two samples. */
class Resampler {
  /** @param {number} from Hz @param {number} to Hz */
  constructor(from, to) {
    const scale = Math.max(1, from / to);
    this.step = from / to;
    this.half = Math.ceil(12 * scale);
    /** @type {Float32Array[]} */
    this.table = [];
    for (let p = 0; p <= 64; p++) {
      const row = new Float32Array(2 * this.half);
      let sum = 0;
      for (let k = 0; k < row.length; k++) {
        const x = (k - this.half + 1 - p / 64) / scale, w = x / 12;
        row[k] = Math.abs(w) >= 1 ? 0 : (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)) * (0.5 + 0.5 * Math.cos(Math.PI * w));
        sum += row[k];
      }
      this.table.push(row.map((v) => v / sum));
    }
    this.past = new Float32Array(8192);
    this.have = 2 * this.half;
    this.at = this.half;
  }
  /** How many samples are missing for that many of the other side. @param {number} n */
  missing(n, step = this.step) {
    return Math.max(0, Math.ceil(this.at + n * step) + this.half + 1 - this.have);
  }
  /** @param {Float32Array} samples */
  feed(samples, n = samples.length) {
    this.past.set(n === samples.length ? samples : samples.subarray(0, n), this.have);
    this.have += n;
  }
  /** Fills as much of out as there is sound for, and says how much. @param {Float32Array} out */
  give(out, step = this.step) {
    let n = 0;
    for (; n < out.length && Math.floor(this.at) + this.half < this.have; n++, this.at += step) {
      const from = Math.floor(this.at), row = this.table[Math.round((this.at - from) * 64)];
      let sum = 0;
      for (let k = 0, i = from - this.half + 1; k < row.length; k++) sum += row[k] * this.past[i + k];
      out[n] = sum;
    }
    const old = Math.floor(this.at) - this.half;
    if (old > 0) {
      this.past.copyWithin(0, old, this.have);
      this.have -= old;
      this.at -= old;
    }
    return n;
  }
}

class Line extends AudioWorkletProcessor {
  constructor() {
    super();
    this.up = new Resampler(RATE, sampleRate);
    this.down = new Resampler(sampleRate, RATE);
    this.ring = new Float32Array(16384); // of what is to be played, as a ring
    this.from = 0;
    this.held = 0;
    this.want = LEAST;
    this.on = false;
    this.mean = 0; // of what waits, over half a second
    this.fade = 0; // of what is played, 0 to 1
    this.mic = new Float32Array(FRAME);
    this.said = 0;
    this.some = new Float32Array(256);
    this.pulled = new Float32Array(1024);
    this.played = this.starved = this.waited = this.rounds = 0;
    this.port.onmessage = (e) => this.hear(new Int16Array(e.data));
  }
  /** @param {Int16Array} pcm */
  hear(pcm) {
    for (const v of pcm) this.ring[(this.from + this.held++) % this.ring.length] = v / 32768;
    if (this.held > FLOOD) this.drop(this.held - this.want);
  }
  /** @param {number} n */
  drop(n) {
    this.from = (this.from + n) % this.ring.length;
    this.held -= n;
    this.fade = 0;
  }
  /** Takes 5 to 20 ms out where the sound resembles itself, and blends the ends. */
  shorten() {
    const at = (/** @type {number} */ i) => (this.from + i) % this.ring.length;
    let best = -1, cut = 320;
    for (let lag = 80; lag <= 320; lag += 2) {
      let dot = 0, power = 1e-9;
      for (let i = 0; i < 160; i++) {
        const v = this.ring[at(lag + i)];
        dot += this.ring[at(i)] * v;
        power += v * v;
      }
      const like = (dot * Math.abs(dot)) / power;
      if (like > best) [best, cut] = [like, lag];
    }
    for (let i = 0; i < 160; i++) this.ring[at(cut + i)] = (this.ring[at(i)] * (160 - i) + this.ring[at(cut + i)] * i) / 160;
    this.from = at(cut);
    this.held -= cut;
    this.mean -= cut;
  }
  /** How much faster it has to play: not at all while what waits is near what is wanted. */
  bend() {
    this.mean += (this.held - this.mean) / (sampleRate / 256);
    const over = this.mean - this.want;
    if (over > LONG && this.held > 640) this.shorten();
    return over > LOOSE ? BEND : over < -LOOSE ? -BEND : 0;
  }
  /** Plays what waits. @param {Float32Array} out */
  play(out) {
    if (!this.on && this.held >= this.want) [this.on, this.mean] = [true, this.held];
    if (!this.on) return;
    const step = this.up.step * (1 + this.bend());
    const n = this.up.missing(out.length, step), k = Math.min(n, this.held);
    for (let i = 0; i < n; i++) this.pulled[i] = i < k ? this.ring[(this.from + i) % this.ring.length] : 0;
    this.from = (this.from + k) % this.ring.length;
    this.held -= k;
    this.played += n;
    if (k < n) { // ran dry: gather again, a little more
      this.starved += n - k;
      this.on = false;
      this.want = Math.min(MOST, this.want + 160);
    }
    this.up.feed(this.pulled, n);
    this.up.give(out, step);
    for (let i = 0; i < out.length && this.fade < 1; i++, this.fade += 1 / 240) out[i] *= this.fade;
    if (!this.on) this.fade = 0;
  }
  /** Sends what the microphone says, 20 ms at a time. @param {Float32Array} input */
  say(input) {
    this.down.feed(input);
    const n = this.down.give(this.some);
    for (let i = 0; i < n; i++) {
      this.mic[this.said++] = this.some[i];
      if (this.said < FRAME) continue;
      const pcm = Int16Array.from(this.mic, (v) => Math.round(Math.max(-1, Math.min(1, v)) * 32767));
      this.port.postMessage(pcm.buffer, [pcm.buffer]);
      this.said = 0;
    }
  }
  /** @param {Float32Array[][]} inputs @param {Float32Array[][]} outputs */
  process(inputs, outputs) {
    if (inputs[0][0]) this.say(inputs[0][0]);
    this.play(outputs[0][0]);
    this.waited += this.held;
    if (++this.rounds >= sampleRate / 128) {
      this.port.postMessage({ played: this.played, starved: this.starved, buffer: (this.waited / this.rounds / RATE) * 1000 });
      this.played = this.starved = this.waited = this.rounds = 0;
      if (this.want > LEAST) this.want -= 8; // calm: less may wait again
    }
    return true;
  }
}
registerProcessor("zaseki-line", Line);
