// @ts-check
/**
 * The usual way of the sound: WebRTC to the tray process on this machine.
 *
 * @typedef {import("./types").Way} Way
 * @typedef {import("./types").WayIo} WayIo
 */

/**
 * A browser that has found no address of its own within so many milliseconds is given up. Without any network Chromium's first
 * connection looks for one for ever, while the next one connects at once, from an address that it does not tell.
 */
const BARREN = 300;
/**
 * The level that browsers tell falls to a quarter at every step of so many milliseconds after the last sample that was not zero, and
 * is zero only when it has fallen so for most of a second: a level that falls as fast as that is silence already.
 */
const FALL = 110;

/**
 * @param {WayIo} io
 * @param {boolean} network whether the tray process shall answer with its network addresses too
 * @returns {Way}
 */
export function createRTC(io, network) {
  const pc = new RTCPeerConnection({ iceServers: [] });
  /** The codec that was offered first, to browsers that cannot choose one otherwise. */
  let first = "";
  let found = 0; // addresses of our own
  let barren = false;
  let closed = false;
  const way = pc.addTransceiver("audio", { direction: "sendrecv" });
  pc.ontrack = (e) => io.hear(e.streams[0] ?? new MediaStream([e.track]));
  pc.onicecandidate = (e) => { if (e.candidate?.candidate) found++; };
  const changed = () => { if (!closed) io.changed(); };
  pc.onconnectionstatechange = changed;

  function dead() {
    const state = way.sender.transport?.state;
    return pc.connectionState === "failed" || pc.connectionState === "closed" || state === "closed" || state === "failed";
  }

  /** The page always offers: the other way round the first connection takes a second. */
  async function offer() {
    await pc.setLocalDescription();
    setTimeout(() => { barren = found === 0, changed(); }, BARREN);
    const { sdp } = await io.post("/media/offer", { page: io.page, sdp: pc.localDescription?.sdp, network });
    if (!closed) await pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** What was counted last, so that stats are of the time since then. @type {Record<string, number>} */
  let counted = {};
  /** When the microphone was last surely heard, by performance.now(); 0: this browser does not say. */
  let loud = 0;
  /** Its level as last looked at, 0 to 1, and when. */
  let peak = 0, looked = 0;

  /** @param {Record<string, number>} now */
  function since(now) {
    const diff = Object.fromEntries(Object.entries(now).map(([k, v]) => [k, Math.max(0, v - (counted[k] ?? 0))]));
    counted = now;
    return diff;
  }

  async function measure() {
    const report = await way.sender.getStats();
    report.forEach((s) => {
      if (s.type !== "media-source" || s.audioLevel === undefined) return;
      const now = performance.now(), falls = Math.floor((now - looked) / FALL);
      if (!loud || s.audioLevel > peak / 4 ** falls) loud = now;
      peak = s.audioLevel;
      looked = now;
    });
  }

  return {
    name: "webrtc",
    async open() {
      await offer();
      const transport = way.sender.transport;
      if (transport) transport.onstatechange = () => { if (dead()) changed(); };
    },
    async restart() {
      pc.restartIce();
      await offer();
    },
    async carry(mic) {
      if (way.sender.track === mic) return;
      loud = 0;
      await way.sender.replaceTrack(mic);
    },
    /** Lets the sender use that codec, such as PCMU. */
    async speak(codec) {
      const sender = way.sender, mime = "audio/" + codec.toLowerCase();
      const p = sender.getParameters();
      const enc = /** @type {any} */ (p.encodings?.[0]);
      const want = p.codecs.find((c) => c.mimeType.toLowerCase() === mime);
      if (first === codec || enc?.codec?.mimeType.toLowerCase() === mime) return;
      if (enc && want) {
        enc.codec = want;
        await sender.setParameters(p).catch(() => {});
        if (/** @type {any} */ (sender.getParameters().encodings?.[0])?.codec) return;
      }
      // A browser without encodings[].codec speaks the first of an offer: the same connection again, in another order.
      const all = RTCRtpReceiver.getCapabilities("audio")?.codecs ?? [], its = all.filter((c) => c.mimeType.toLowerCase() === mime);
      if (!its.length) return;
      first = codec;
      way.setCodecPreferences([...its, ...all.filter((c) => !its.includes(c))]);
      await offer();
    },
    up: () => pc.connectionState === "connected",
    dead,
    hopeless: () => barren && pc.connectionState !== "connected",
    state: () => pc.connectionState,
    unlock() {},
    async still() {
      await measure().catch(() => {});
      return loud ? performance.now() - loud : 0;
    },
    async stats() {
      /** @type {Record<string, number>} */
      const now = {};
      const keep = (/** @type {any} */ s, /** @type {string[]} */ ...names) => { for (const n of names) now[n] = s[n] ?? 0; };
      (await pc.getStats()).forEach((s) => {
        if (s.type === "inbound-rtp") keep(s, "concealedSamples", "totalSamplesReceived", "jitterBufferDelay", "jitterBufferEmittedCount");
        if (s.type === "media-playout") keep(s, "totalPlayoutDelay", "totalSamplesCount");
        if (s.type === "media-source") keep(s, "totalAudioEnergy", "totalSamplesDuration");
      });
      const d = since(now), ratio = (/** @type {string} */ a, /** @type {string} */ b) => (d[b] ? (d[a] ?? 0) / d[b] : 0);
      return {
        concealed: 100 * ratio("concealedSamples", "totalSamplesReceived"), buffer: 1000 * ratio("jitterBufferDelay", "jitterBufferEmittedCount"),
        playout: 1000 * ratio("totalPlayoutDelay", "totalSamplesCount"), level: Math.min(1, Math.sqrt(ratio("totalAudioEnergy", "totalSamplesDuration"))),
      };
    },
    close() {
      closed = true;
      pc.close();
    },
  };
}
