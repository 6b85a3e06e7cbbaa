// @ts-check
/**
 * The page as microphone and loudspeaker. The tray process decides everything: which page, which codec, when to restart;
 * mute is made there too. This module only brings the browser into the state that order and snapshot ask for, again
 * and again, so that it does not matter in which order news, reloads and failures come.
 *
 * @typedef {import("./types.d.ts").SoundOrder} Order
 * @typedef {import("./types.d.ts").Snapshot} Snapshot
 * @typedef {import("./types.d.ts").Sound} Sound
 * @typedef {{page: string, post: (path: string, body: object) => Promise<any>, send: (type: string, body?: object) => void}} Io
 */

/** After the last call the microphone stays open so long, in milliseconds: the next call often comes at once. */
const LINGER = 5000;
/** After a failure, in milliseconds. */
const AGAIN = 1000;

/**
 * @param {Io} io
 * @returns {Sound}
 */
export function createSound(io) {
  const audio = document.createElement("audio");
  audio.autoplay = true;
  audio.hidden = true;
  document.body.append(audio);

  /** @type {Order} */
  let order = { owner: false, taken: false, codec: "", live: false, restart: 0, renew: 0 };
  let done = { restart: 0, renew: 0 }; // orders carried out
  let first = true; // no order seen yet: its counters are where we begin
  let signedIn = false;
  let calls = 0;
  let closed = false;

  /** @type {RTCPeerConnection | null} */
  let pc = null;
  /** @type {RTCRtpTransceiver | null} */
  let way = null;
  /** The codec the connection was renegotiated for, in browsers that cannot choose one otherwise. */
  let only = "";
  /** @type {MediaStreamTrack | null} */
  let mic = null;
  /** @type {Promise<void> | null} */
  let asking = null;
  let refused = ""; // what the browser said when asked for the microphone
  let told = ""; // mic.state sent last
  let linger = 0;
  let retry = 0;
  /** @type {(() => void) | null} */
  let unlockCalls = null;
  let level = 0;

  let busy = false;
  let again = false;

  /** Brings everything into the wished state; one run at a time, and once more when something changed meanwhile. */
  async function settle() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      try {
        holdLock();
        settleMic();
        await settleConnection();
        await settleSender();
      } catch (err) {
        console.warn("sound:", err);
        clearTimeout(retry);
        retry = setTimeout(settle, AGAIN);
      }
    } while (again);
    busy = false;
  }

  async function settleConnection() {
    const wanted = !closed && signedIn && !first && !order.taken;
    if (!wanted) return drop();
    if (order.renew > done.renew || !pc || dead()) {
      done = { restart: order.restart, renew: order.renew };
      await connect();
    } else if (order.restart > done.restart) {
      done.restart = order.restart;
      pc.restartIce();
      await offer();
    }
  }

  function dead() {
    const state = way?.sender.transport?.state;
    return !pc || pc.connectionState === "failed" || pc.connectionState === "closed" || state === "closed" || state === "failed";
  }

  function drop() {
    if (!pc) return;
    pc.onconnectionstatechange = pc.ontrack = null;
    pc.close();
    pc = way = null;
    only = "";
    audio.srcObject = null;
  }

  async function connect() {
    drop();
    const mine = new RTCPeerConnection({ iceServers: [] });
    pc = mine;
    way = mine.addTransceiver(mic ?? "audio", { direction: "sendrecv" });
    mine.ontrack = (e) => {
      audio.srcObject = e.streams[0] ?? new MediaStream([e.track]);
      play();
    };
    mine.onconnectionstatechange = () => {
      if (mine === pc && dead()) settle();
    };
    await offer();
    const transport = way.sender.transport;
    if (transport) transport.onstatechange = () => { if (mine === pc && dead()) settle(); };
  }

  /** The page always offers: the other way round the first connection takes a second. */
  async function offer() {
    const mine = pc;
    if (!mine) return;
    await mine.setLocalDescription();
    const { sdp } = await io.post("/media/offer", { page: io.page, sdp: mine.localDescription?.sdp });
    if (mine !== pc) return;
    await mine.setRemoteDescription({ type: "answer", sdp });
  }

  /** Gives the sender its microphone and its codec. */
  async function settleSender() {
    if (!pc || !way) return;
    const sender = way.sender;
    if (sender.track !== mic) await sender.replaceTrack(mic);
    if (!order.codec) return;
    const mime = "audio/" + order.codec.toLowerCase();
    const p = sender.getParameters();
    const enc = /** @type {any} */ (p.encodings?.[0]);
    const want = p.codecs.find((c) => c.mimeType.toLowerCase() === mime);
    if (only === order.codec || enc?.codec?.mimeType.toLowerCase() === mime) return;
    if (enc && want) {
      enc.codec = want;
      await sender.setParameters(p).catch(() => {});
      if (/** @type {any} */ (sender.getParameters().encodings?.[0])?.codec) return;
    }
    // A browser without encodings[].codec: offer that one codec alone, over the same connection.
    const list = RTCRtpReceiver.getCapabilities("audio")?.codecs.filter((c) => c.mimeType.toLowerCase() === mime);
    if (!list?.length) return;
    only = order.codec;
    way.setCodecPreferences(list);
    await offer();
  }

  /** The microphone is open while there is a call, which also lets the browser play sound without a click. */
  function settleMic() {
    const wanted = !closed && signedIn && order.owner && calls > 0;
    if (wanted) {
      clearTimeout(linger);
      linger = 0;
      if (!mic && !asking && !refused) asking = openMic().finally(() => { asking = null; settle(); });
    } else if (closed || !signedIn || !order.owner) {
      shutMic();
    } else if (mic && !linger) {
      linger = setTimeout(() => { linger = 0; if (calls === 0) { shutMic(); settle(); } }, LINGER);
    }
    if (order.owner && told && !mic && refused) tellMic(refused);
  }

  async function openMic() {
    const raw = localStorage.getItem("zaseki.audio") === "raw"; // tests compare what was said with what is heard
    const audio = { echoCancellation: !raw, noiseSuppression: !raw, autoGainControl: !raw };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio });
      const track = stream.getAudioTracks()[0];
      track.onended = () => { if (track === mic) { mic = null; settle(); } };
      if (closed || !order.owner) return track.stop();
      mic = track;
      tellMic("open");
      play();
    } catch (err) {
      const name = err instanceof DOMException ? err.name : "";
      refused = name === "NotAllowedError" || name === "SecurityError" ? "denied" : "missing";
      tellMic(refused);
    }
  }

  function shutMic() {
    clearTimeout(linger);
    linger = 0;
    if (!mic) return;
    mic.onended = null;
    mic.stop();
    mic = null;
    tellMic("");
  }

  /** @param {string} state */
  function tellMic(state) {
    if (state === told) return;
    told = state;
    io.send("mic.state", { state });
  }

  /** Something about devices or permissions changed: ask again. */
  function reconsider() {
    refused = "";
    settle();
  }
  navigator.mediaDevices?.addEventListener("devicechange", reconsider);
  navigator.permissions?.query({ name: /** @type {PermissionName} */ ("microphone") })
    .then((p) => { p.onchange = reconsider; }, () => {});

  function play() {
    audio.play().catch(() => {}); // allowed with the microphone open or after a click: unlock() tries again
  }

  /** A held lock keeps the browser from freezing the page in a call. */
  function holdLock() {
    if (calls > 0 && !unlockCalls && navigator.locks) {
      navigator.locks.request("zaseki.call." + io.page, () => new Promise((free) => { unlockCalls = () => free(undefined); }))
        .catch(() => {});
      unlockCalls ??= () => {};
    } else if (calls === 0 && unlockCalls) {
      unlockCalls();
      unlockCalls = null;
    }
  }

  /** Fills level for info(): how loud the microphone is, 0 to 1. */
  async function measure() {
    const stats = await way?.sender.getStats();
    stats?.forEach((s) => { if (s.type === "media-source") level = s.audioLevel ?? 0; });
  }

  return {
    order(o) {
      order = o;
      if (first) done = { restart: o.restart, renew: o.renew };
      first = false;
      settle();
    },
    show(s) {
      const before = calls;
      signedIn = s.phase === "in";
      calls = s.calls?.length ?? 0;
      if (before === 0 && calls > 0) refused = ""; // a new call, a new try
      settle();
    },
    claim() { io.send("sound.claim", {}); },
    unlock() { if (audio.srcObject) play(); },
    close() {
      closed = true;
      calls = 0;
      clearTimeout(retry);
      navigator.mediaDevices?.removeEventListener("devicechange", reconsider);
      settle();
      audio.remove();
    },
    info() {
      measure().catch(() => {});
      return { connection: pc?.connectionState ?? "", codec: order.codec, level: mic ? level : 0 };
    },
  };
}
