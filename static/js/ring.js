// @ts-check
// The page's own sounds: ring, call waiting, key tones. Told honestly: whoever asks whether it rings gets the truth of the
// AudioContext, which a browser keeps suspended until somebody has touched the page.

/** Rows and columns of the twelve keys, Hz (ITU-T Q.23). @type {Record<string, [number, number]>} */
const TONES = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477], "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};

/** Patterns: Hz, warble Hz, seconds on and off within one round, loudness 0 to 1. */
const RINGS = {
  outside: { hz: [400, 480], warble: 16, beats: [[0, 1]], round: 3, gain: 0.3 },
  inside: { hz: [660, 550], warble: 0, beats: [[0, 0.18], [0.3, 0.48]], round: 2.4, gain: 0.22 },
  waiting: { hz: [440], warble: 0, beats: [[0, 0.15], [0.3, 0.45]], round: 5, gain: 0.05 },
};

/** @typedef {keyof typeof RINGS} Kind */

/** @param {() => void} changed called when the page became able, or unable, to sound */
export function createRing(changed) {
  /** @type {AudioContext | undefined} */
  let audio;
  /** @type {AudioBufferSourceNode | undefined} */
  let source;
  /** @type {Kind | undefined} */
  let wanted;

  function context() {
    if (!audio && typeof AudioContext !== "undefined") {
      audio = new AudioContext();
      audio.onstatechange = () => (sound(), changed());
    }
    return audio;
  }
  function sound() {
    source?.stop();
    source = undefined;
    const ctx = audio;
    if (!wanted || ctx?.state !== "running") return;
    source = new AudioBufferSourceNode(ctx, { buffer: pattern(ctx, RINGS[wanted]), loop: true });
    source.connect(ctx.destination);
    source.start();
  }

  return {
    /** Must be called from a click or key press for the first time. */
    unlock() {
      if (context()?.state === "suspended") audio?.resume().catch(() => {});
    },
    /** Whether what is played can be heard. */
    able: () => context()?.state === "running",
    /** Rings in that way from now on; undefined is silence. @param {Kind | undefined} kind */
    play(kind) {
      if (kind === wanted) return;
      wanted = kind;
      this.unlock();
      sound();
    },
    /** @param {string} key */
    beep(key) {
      const ctx = context(), hz = TONES[key];
      if (!hz || ctx?.state !== "running") return;
      const gain = new GainNode(ctx, { gain: 0.08 });
      gain.connect(ctx.destination);
      for (const f of hz) {
        const tone = new OscillatorNode(ctx, { frequency: f });
        tone.connect(gain);
        tone.start();
        tone.stop(ctx.currentTime + 0.12);
      }
    },
    close() {
      wanted = undefined;
      void audio?.close();
    },
  };
}

/**
 * One round of a ring as samples, so that a throttled tab's timers have no part in it.
 * @param {AudioContext} ctx
 * @param {{ hz: number[], warble: number, beats: number[][], round: number, gain: number }} ring
 */
function pattern(ctx, ring) {
  const rate = ctx.sampleRate, buffer = ctx.createBuffer(1, Math.round(ring.round * rate), rate), samples = buffer.getChannelData(0);
  for (const [from = 0, to = 0] of ring.beats) {
    for (let i = Math.round(from * rate); i < to * rate; i++) {
      const s = i / rate, edge = Math.min(1, (s - from) / 0.01, (to - s) / 0.01);
      const warble = ring.warble ? 0.6 + 0.4 * Math.sin(2 * Math.PI * ring.warble * s) : 1;
      const wave = ring.hz.reduce((sum, f) => sum + Math.sin(2 * Math.PI * f * s), 0) / ring.hz.length;
      samples[i] = ring.gain * edge * warble * wave;
    }
  }
  return buffer;
}
