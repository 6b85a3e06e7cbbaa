// @ts-check
/**
 * Microphones and loudspeakers of this machine, named by label: an id differs in every browser, a label is what a person reads.
 * Browsers tell labels only once the microphone was allowed, and no browser tells of every unplugged device, so that in a
 * call sound.js asks for the list again and again through here.
 *
 * @typedef {import("./types").Device} Device
 * @typedef {import("./types").Devices} Devices
 */

/** What browsers add to the list for "whatever the system uses". */
const ALIASES = new Set(["default", "communications"]);
const KINDS = { audioinput: "microphone", audiooutput: "speaker" };

/** As they were last listed. @type {MediaDeviceInfo[]} */
let last = [];

/**
 * The list as getUserMedia and setSinkId want it.
 * @returns {Promise<MediaDeviceInfo[]>}
 */
export async function all() {
  const list = await navigator.mediaDevices?.enumerateDevices() ?? [];
  return (last = list.filter((d) => d.kind in KINDS));
}

/** The list as it was last, for what shall be at once. */
export const known = () => last;

/**
 * The id of the first preferred device that is there; "" is the system's own choice.
 * @param {MediaDeviceInfo[]} list
 * @param {MediaDeviceKind} kind
 * @param {string[] | undefined} labels
 */
export function pick(list, kind, labels) {
  for (const label of labels ?? []) {
    const found = list.find((d) => d.kind === kind && d.label === label && !ALIASES.has(d.deviceId));
    if (found) return found.deviceId;
  }
  return "";
}

/**
 * The id of the first preferred loudspeaker that is there, by a new list.
 * @param {string[] | undefined} labels
 */
export const listed = async (labels) => pick(await all().catch(() => []), "audiooutput", labels);

/**
 * The same by the list that is known, where that has the best one: a new list would hold up a microphone that is opened just now.
 * @param {string[] | undefined} labels
 */
export const speaker = async (labels) => pick(last, "audiooutput", labels?.slice(0, 1)) || listed(labels);

/** Whether this browser lets a page choose where its sound goes (Safari does not). */
export const choosesSpeaker = () => "setSinkId" in HTMLMediaElement.prototype;

/**
 * What a microphone is asked for. Tests that compare what was said with what is heard ask for the sound as it is.
 * @param {string} id
 * @returns {MediaTrackConstraints}
 */
export function wanted(id) {
  const raw = localStorage.getItem("zaseki.audio") === "raw";
  return { echoCancellation: !raw, noiseSuppression: !raw, autoGainControl: !raw, ...(id ? { deviceId: { exact: id } } : {}) };
}

/** @returns {Devices} */
export function createDevices() {
  /** @type {Device[]} */
  let known = [];
  /** @type {Set<(list: Device[]) => void>} */
  const watchers = new Set();

  async function look() {
    const list = await all().catch(() => []);
    const now = list.filter((d) => d.label && !ALIASES.has(d.deviceId))
      .map((d) => ({ kind: /** @type {Device["kind"]} */ (KINDS[/** @type {keyof typeof KINDS} */ (d.kind)]), label: d.label }));
    if (JSON.stringify(now) === JSON.stringify(known)) return;
    known = now;
    for (const w of watchers) w(known);
  }
  navigator.mediaDevices?.addEventListener?.("devicechange", look);
  void look();

  return {
    list: () => known,
    watch(change) {
      watchers.add(change);
      change(known);
      void look();
      return () => watchers.delete(change);
    },
    choosesSpeaker,
    async meter(label, show) {
      const id = pick(await all(), "audioinput", label ? [label] : []);
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted(id) });
      void look(); // now they have labels
      const ctx = new AudioContext();
      void ctx.resume();
      const analyser = new AnalyserNode(ctx, { fftSize: 2048 });
      ctx.createMediaStreamSource(stream).connect(analyser);
      const wave = new Float32Array(analyser.fftSize);
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(wave);
        show(Math.sqrt(wave.reduce((sum, v) => sum + v * v, 0) / wave.length));
      }, 100);
      return () => {
        clearInterval(timer);
        for (const track of stream.getTracks()) track.stop();
        void ctx.close();
      };
    },
    async tone(label) {
      const ctx = new AudioContext();
      const out = ctx.createMediaStreamDestination();
      const gain = new GainNode(ctx, { gain: 0 });
      const tone = new OscillatorNode(ctx, { frequency: 523.25 });
      tone.connect(gain).connect(out);
      gain.gain.setTargetAtTime(0.2, ctx.currentTime, 0.02);
      gain.gain.setTargetAtTime(0, ctx.currentTime + 0.9, 0.02);
      const audio = new Audio();
      audio.srcObject = out.stream;
      try {
        if (choosesSpeaker()) await audio.setSinkId(await listed(label ? [label] : []));
        await ctx.resume();
        tone.start();
        tone.stop(ctx.currentTime + 1);
        await audio.play();
        await new Promise((end) => { tone.onended = end; });
      } finally {
        audio.srcObject = null;
        void ctx.close();
      }
    },
    close() {
      navigator.mediaDevices?.removeEventListener?.("devicechange", look);
      watchers.clear();
    },
  };
}
