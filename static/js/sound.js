// @ts-check
/**
 * The page as microphone and loudspeaker. The tray process decides everything: which page, which codec, when to restart;
 * mute is made there too. This module only brings the browser into the state that order and snapshot ask for, again
 * and again, so that it does not matter in which order news, reloads and failures come.
 *
 * @typedef {import("./types").SoundOrder} Order
 * @typedef {import("./types").Snapshot} Snapshot
 * @typedef {import("./types").Sound} Sound
 * @typedef {import("./types").Way} Way
 * @typedef {{page: string, post: (path: string, body: object) => Promise<any>, send: (type: string, body?: object) => void}} Io
 */
import { createMic } from "./mic.js";
import { choosesSpeaker, listed, speaker } from "./devices.js";
import { createPCM } from "./pcm.js";
import { createRTC } from "./rtc.js";

/** After a failure, in milliseconds. */
const AGAIN = 1000;
/** A connection that is not up after so long will not come up; one takes ten, some browsers 250. */
const SLOW = 2000;
/** Where it cannot connect at all it is tried again after so long, between calls. */
const LATER = 60000;
const MEASURE = 2000;
const LOOK = 250;

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
  let calls = 0; // the part in somebody else's is one
  let listens = false; // and nobody is to hear us there: no microphone is asked for
  let closed = false;
  /** @type {string[] | undefined} */
  let speakers;
  let sink = ""; // asked for last

  /** @type {Way | null} */
  let way = null;
  let came = false; // it was up
  let slow = 0;
  const ladder = createLadder();

  let retry = 0;
  let looking = 0;
  let measured = 0;
  /** @type {(() => void) | null} */
  let unlockCalls = null;
  let level = 0;

  let busy = false;
  let again = false;

  const mic = createMic({ send: io.send, changed: settle, opened: play });

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
        mic.want({ owner: !closed && signedIn && order.owner, open: (calls > 0 && !listens) || order.mic === true });
        await settleConnection();
        await way?.carry(mic.track());
        if (order.codec) await way?.speak(order.codec);
        lookOften();
      } catch (err) {
        console.warn("sound:", err);
        clearTimeout(retry);
        retry = setTimeout(settle, AGAIN);
      }
    } while (again);
    busy = false;
  }

  async function settleConnection() {
    if (closed || !signedIn || first || order.taken) return drop();
    if (way?.up()) {
      came = true;
      clearTimeout(slow);
      ladder.good(way.name);
    } else if (way?.hopeless()) {
      ladder.hopeless();
      drop();
    }
    if (order.renew > done.renew || !way || way.dead()) {
      done = { restart: order.restart, renew: order.renew };
      await connect();
    } else if (order.restart > done.restart) {
      done.restart = order.restart;
      await way.restart();
    }
  }

  function drop() {
    clearTimeout(slow);
    if (!way) return;
    way.close();
    way = null;
    audio.srcObject = null;
  }

  async function connect() {
    if (way && !came) ladder.bad();
    drop();
    came = false;
    /** @type {import("./types").WayIo} */
    const wayIo = { page: io.page, post: io.post, play, changed: () => { if (mine === way) settle(); },
      hear: (stream) => { if (mine === way || !way) audio.srcObject = stream, play(); } };
    const mine = ladder.step() === "websocket" ? createPCM(wayIo) : createRTC(wayIo, ladder.step() === "network");
    way = mine;
    try {
      await mine.open();
    } catch (err) {
      if (mine === way) drop(); // the tray process refused it or is away: no fault of this way
      throw err;
    }
    slow = setTimeout(() => {
      if (mine !== way || came || mine.up()) return;
      ladder.bad();
      drop();
      settle();
    }, SLOW);
  }

  /** In a call what no browser tells is looked for: devices, digital silence, how it sounds. */
  function lookOften() {
    const on = !closed && order.owner && (calls > 0 || order.mic === true);
    if (on === looking > 0) return;
    clearInterval(looking);
    looking = on ? setInterval(look, LOOK) : 0;
    measured = performance.now();
    if (!on && way?.name === "websocket") setTimeout(upAgain, LATER);
  }

  function upAgain() {
    if (calls > 0 || order.mic || way?.name !== "websocket" || closed) return;
    ladder.afresh();
    drop();
    settle();
  }
  addEventListener("online", upAgain);

  async function look() {
    if (!way) return;
    const mine = way, still = await mine.still();
    if (mine !== way) return;
    mic.look(still);
    const now = performance.now();
    if (now - measured < MEASURE) return;
    measured = now;
    void settleSpeaker(listed);
    const stats = await mine.stats().catch(() => null);
    if (!stats) return;
    level = stats.level;
    if (order.live) io.send("sound.stats", stats);
  }

  /** @param {typeof speaker} find how the loudspeaker is found */
  async function settleSpeaker(find) {
    if (!choosesSpeaker()) return;
    const id = await find(speakers);
    if (id === sink) return;
    sink = id;
    await audio.setSinkId(id).catch(() => { sink = ""; });
  }
  const changed = () => void settleSpeaker(listed);
  navigator.mediaDevices?.addEventListener?.("devicechange", changed);

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

  return {
    order(o) {
      order = o;
      if (first) done = { restart: o.restart, renew: o.renew };
      first = false;
      settle();
    },
    show(s) {
      const before = calls, listened = listens, own = s.calls?.length ?? 0;
      signedIn = s.phase === "in";
      calls = own + (s.supervised ? 1 : 0);
      listens = own === 0 && s.supervised?.mode === "listen";
      if ((before === 0 || listened) && calls > 0 && !listens) mic.forgive(); // a new call, a new try
      mic.prefer(s.devices?.microphone, s.muted);
      if (speakers?.join("\n") !== s.devices?.speaker?.join("\n") || before === 0 && calls > 0) {
        speakers = s.devices?.speaker;
        void settleSpeaker(speaker);
      }
      settle();
    },
    claim() { io.send("sound.claim", {}); },
    unlock() {
      way?.unlock();
      if (audio.srcObject) play();
      mic.forgive(); // some browsers ask for the microphone only after a click
      settle();
    },
    close() {
      closed = true;
      calls = 0;
      clearTimeout(retry);
      removeEventListener("online", upAgain);
      navigator.mediaDevices?.removeEventListener?.("devicechange", changed);
      mic.close();
      settle();
      audio.remove();
    },
    info() {
      return { connection: way?.state() ?? "", codec: order.codec, level: mic.track() ? level : 0, way: way?.name ?? "" };
    },
  };
}

/**
 * By what the page connects: first loopback alone, then the tray process's network addresses too, and when neither works samples by
 * a websocket. What worked is kept over a reload.
 */
function createLadder() {
  const KEY = "zaseki.way";
  let bad = 0, empty = 0; // attempts in a row
  let step = sessionStorage.getItem(KEY) ?? lowest();
  if (step === "websocket") bad = 1; // one try only, for it may be different now
  if (typeof RTCPeerConnection === "undefined") step = "websocket";

  /** Firefox does not speak to 127.0.0.1. */
  function lowest() { return navigator.userAgent.includes("Firefox/") ? "network" : "loopback"; }
  /** @param {string} to */
  function go(to) {
    step = to;
    sessionStorage.setItem(KEY, to);
  }
  return {
    step: () => step,
    /** @param {string} name */
    good(name) {
      if (name === "webrtc") bad = empty = 0;
      go(step);
    },
    bad() {
      if (step !== "websocket") go(++bad < 2 ? "network" : "websocket");
    },
    /** The browser found no address to connect from. */
    hopeless() { if (++empty >= 4) go("websocket"); },
    afresh() {
      bad = 1, empty = 0;
      step = typeof RTCPeerConnection === "undefined" ? "websocket" : "network";
    },
  };
}
