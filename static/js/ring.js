// @ts-check
// The page's own sounds: ring, call waiting, key tones. Told honestly: whoever asks whether it rings gets the truth of the
// AudioContext, which a browser keeps suspended until somebody has touched the page, and a ring counts as heard only when its
// samples were rendered.
import { listed, speaker } from "./devices.js";
import { valueOf } from "./settings.js";

/** @typedef {import("./types").Preferred} Preferred */
/** @typedef {import("./types").Snapshot} Snapshot */

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

/** How much of a ring must have been rendered, in seconds, and how often that is looked at, in milliseconds. */
const ENOUGH = 0.1;
const LOOK = 50;

/** @typedef {keyof typeof RINGS} Kind */
/** @typedef {{ call: string, kind: Kind }} Ring */

/**
 * What rings now in this page: the first call that is offered, in the page that has the sound and for as long as it knows
 * what the phone does. A call that waits beside another one rings softly; a test rings as an outside call does.
 * @param {Snapshot | undefined} snap
 * @param {import("./types").Page} page
 * @returns {Ring | undefined}
 */
export function ringOf(snap, page) {
  if (!snap || snap.phase !== "in" || !page.owner || !page.linked) return undefined;
  const calls = snap.calls ?? [], offered = calls.find((c) => c.phase === "offered");
  if (!offered) return snap.ringTest ? { call: "", kind: "outside" } : undefined;
  const busy = calls.some((c) => c.phase === "talking" || c.phase === "joining");
  return { call: offered.id, kind: busy ? "waiting" : offered.outside ? "outside" : "inside" };
}

/**
 * How loud it rings, 0 to 1, as the ear has it. A call that waits may be shown only: then silence is played, so that its receipt is true
 * of the device and the center does not take the call away.
 * @param {Snapshot | undefined} snap
 * @param {Ring | undefined} ring
 */
export const loudnessOf = (snap, ring) => (ring?.kind === "waiting" && valueOf(snap, "calls.waiting") === "silent" ? 0 : (Number(valueOf(snap, "ring.volume")) / 100) ** 2);

/**
 * @param {() => void} changed called when the page became able, or unable, to sound
 * @param {(call: string) => void} heard called once for a call when its ring has really sounded
 */
export function createRing(changed, heard) {
  /** @type {AudioBufferSourceNode | undefined} */
  let source;
  /** @type {Ring | undefined} */
  let wanted;
  let told = ""; // the call whose ring was heard
  let volume = 1;
  let looking = 0;
  const loud = output(() => (sound(), changed())), soft = output(() => {}); // rings and key tones go to different devices

  function sound() {
    source?.stop();
    source = undefined;
    clearInterval(looking);
    const ctx = loud.context();
    if (!wanted || ctx?.state !== "running") return;
    source = new AudioBufferSourceNode(ctx, { buffer: pattern(ctx, RINGS[wanted.kind], volume), loop: true });
    source.connect(ctx.destination);
    source.start();
    if (wanted.call && wanted.call !== told) listen(ctx, wanted.call);
  }
  /** Waits until the device has taken what sounds for the call. @param {AudioContext} ctx @param {string} call */
  function listen(ctx, call) {
    const from = ctx.currentTime;
    looking = setInterval(() => {
      if (rendered(ctx) < from + ENOUGH) return;
      clearInterval(looking);
      heard((told = call));
    }, LOOK);
  }

  return {
    /** Must be called from a click or key press for the first time. */
    unlock() {
      loud.resume();
      soft.resume();
    },
    /** Whether what is played can be heard. */
    able: () => loud.context()?.state === "running",
    /** Rings in that way and as loud from now on; undefined is silence. @param {Ring | undefined} ring @param {number} [loudness] 0 to 1 */
    play(ring, loudness = 1) {
      if (ring?.call === wanted?.call && ring?.kind === wanted?.kind && (!ring || loudness === volume)) return;
      [wanted, volume] = [ring, loudness];
      loud.resume();
      sound();
    },
    /** Rings on these devices from now on, and gives key tones on the loudspeaker. @param {Preferred | undefined} p */
    use(p) {
      loud.use([...(p?.ring ?? []), ...(p?.speaker ?? [])]);
      soft.use(p?.speaker ?? []);
    },
    /** @param {string} key */
    beep(key) {
      const ctx = soft.context(), hz = TONES[key];
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
      sound();
      loud.close();
      soft.close();
    },
  };
}

/**
 * Up to where the device has played, in the context's seconds; 0 while it has taken nothing.
 * @param {AudioContext} ctx
 */
const rendered = (ctx) => (typeof ctx.getOutputTimestamp === "function" ? (ctx.getOutputTimestamp().contextTime ?? 0) : ctx.currentTime);

/**
 * A way out for sounds, made when it is first needed, on the first of the devices wished for that is there.
 * @param {() => void} changed
 */
function output(changed) {
  /** @type {AudioContext | undefined} */
  let ctx;
  /** @type {string[]} */
  let labels = [];
  let sink = "";

  function context() {
    if (!ctx && typeof AudioContext !== "undefined") {
      ctx = new AudioContext();
      ctx.onstatechange = changed;
    }
    return ctx;
  }
  /** @param {typeof speaker} find how the device is found */
  async function choose(find) {
    const made = /** @type {(AudioContext & { setSinkId?: (id: string) => Promise<void> }) | undefined} */ (ctx);
    if (!made?.setSinkId) return; // this browser plays on the system's device
    const id = await find(labels);
    if (id === sink) return;
    sink = id;
    await made.setSinkId(id).catch(() => (sink = "")); // it went away meanwhile: the next change asks again
  }
  const replugged = () => void choose(listed);
  navigator.mediaDevices?.addEventListener?.("devicechange", replugged);

  return {
    context,
    resume() {
      if (context()?.state === "suspended") ctx?.resume().catch(() => {});
    },
    /** @param {string[]} wished */
    use(wished) {
      if (wished.join("\n") === labels.join("\n")) return;
      labels = wished;
      context();
      void choose(speaker);
    },
    close() {
      navigator.mediaDevices?.removeEventListener?.("devicechange", replugged);
      void ctx?.close();
    },
  };
}

/**
 * One round of a ring as samples, so that a throttled tab's timers have no part in it.
 * @param {AudioContext} ctx
 * @param {{ hz: number[], warble: number, beats: number[][], round: number, gain: number }} ring
 * @param {number} volume
 */
function pattern(ctx, ring, volume) {
  const rate = ctx.sampleRate, buffer = ctx.createBuffer(1, Math.round(ring.round * rate), rate), samples = buffer.getChannelData(0);
  for (const [from = 0, to = 0] of ring.beats) {
    for (let i = Math.round(from * rate); i < to * rate; i++) {
      const s = i / rate, edge = Math.min(1, (s - from) / 0.01, (to - s) / 0.01);
      const warble = ring.warble ? 0.6 + 0.4 * Math.sin(2 * Math.PI * ring.warble * s) : 1;
      const wave = ring.hz.reduce((sum, f) => sum + Math.sin(2 * Math.PI * f * s), 0) / ring.hz.length;
      samples[i] = volume * ring.gain * edge * warble * wave;
    }
  }
  return buffer;
}
