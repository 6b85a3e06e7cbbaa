// @ts-check
/**
 * The microphone: open while a call or a test wants it, on the first preferred device that is there, and watched, for no browser
 * tells of every device that was pulled out.
 *
 * @typedef {{send: (type: string, body?: object) => void, changed: () => void, opened: () => void}} Io
 */
import { all, known, pick, wanted } from "./devices.js";

/** After the last call the microphone stays open so long, in milliseconds: the next call often comes at once. */
const LINGER = 5000;
/** Exact digital silence for so long, in milliseconds, is a microphone that is off or gone; looked at four times a second. */
const SILENT = 900;
/** The old microphone goes on until the new one has surely taken its place, in milliseconds. */
const OVERLAP = 100;
/** How often the list of devices is asked for in a call, in milliseconds. */
const LIST = 2000;

/** @param {Io} io */
export function createMic(io) {
  /** @type {MediaStreamTrack | null} */
  let mic = null;
  /** The id that was asked for; "" the system's choice. */
  let asked = "";
  /** @type {string[] | undefined} */
  let labels;
  let muted = false;
  let owner = false;
  let open = false;
  let closed = false;
  let asking = false;
  let refused = ""; // what the browser said when asked
  let told = "";
  let linger = 0;
  let listed = 0;
  let silent = false; // told, and opened anew once

  /** @param {string} state */
  function tell(state) {
    const label = mic?.label ?? "";
    if (state + label === told) return;
    told = state + label;
    io.send("mic.state", label ? { state, label } : { state });
  }

  function settle() {
    if (owner && open) {
      clearTimeout(linger);
      linger = 0;
      if (!mic && !asking && !refused) void get();
    } else if (!owner) {
      shut();
    } else if (mic && !linger) {
      linger = setTimeout(() => { linger = 0; if (!open) shut(), io.changed(); }, LINGER);
    }
    if (owner && told && !mic && refused) tell(refused);
  }

  /**
   * Opens the preferred device in place of what is open; the old one goes on until the new one is there.
   * @param {string} [id] the device, where it is known: asking for the list takes longer than opening it
   */
  async function get(id) {
    const wish = labels;
    asking = true;
    try {
      id ??= await best();
      let track = await first(id);
      if (labels?.length && track.getSettings().deviceId !== id) {
        // Labels are known only now, or the device is gone: the one that is preferred may be another one.
        id = await best();
        if (id && track.getSettings().deviceId !== id) {
          track.stop();
          track = await first(id);
        }
      }
      take(track, id);
    } catch (err) {
      const name = err instanceof DOMException ? err.name : "";
      refused = name === "NotAllowedError" || name === "SecurityError" ? "denied" : "missing";
      drop();
      tell(refused);
    } finally {
      asking = false;
      if (labels !== wish) swap();
      io.changed();
    }
  }

  /** The id of the first preferred device that is there. */
  const best = async () => (labels?.length ? pick(await all(), "audioinput", labels) : "");


  /** @param {string} id @returns {Promise<MediaStreamTrack>} */
  async function first(id) {
    const ask = (/** @type {string} */ id) => navigator.mediaDevices.getUserMedia({ audio: wanted(id) });
    const stream = await ask(id).catch((err) => {
      if (id && err instanceof DOMException && ["OverconstrainedError", "NotFoundError", "NotReadableError"].includes(err.name)) return ask("");
      throw err;
    });
    return /** @type {MediaStreamTrack} */ (stream.getAudioTracks()[0]);
  }

  /** @param {MediaStreamTrack} track @param {string} id */
  function take(track, id) {
    if (closed || !owner) return track.stop();
    const old = mic;
    if (old) {
      old.onended = null;
      setTimeout(() => old.stop(), OVERLAP);
    }
    mic = track;
    asked = id;
    track.onended = () => { if (track === mic) again(); };
    tell(silent ? "silent" : "open");
    io.opened();
  }

  function drop() {
    if (!mic) return;
    mic.onended = null;
    mic.stop();
    mic = null;
  }

  function shut() {
    clearTimeout(linger);
    linger = 0;
    silent = false;
    if (!mic) return;
    drop();
    tell("");
  }

  /** The device ended, or gives nothing, or another one is better. @param {string} [id] whatever is best now */
  function again(id) {
    if (asking || !mic) return;
    refused = "";
    void get(id);
  }

  /** Something about devices, permissions or wishes changed. */
  async function reconsider() {
    if (refused && !asking) {
      refused = "";
      return io.changed();
    }
    if (!mic || asking) return;
    const list = (await all().catch(() => [])).filter((d) => d.kind === "audioinput");
    if (!mic || asking || !list.some((d) => d.label)) return;
    const better = pick(list, "audioinput", labels), now = mic.getSettings().deviceId;
    if (better !== asked || now && !list.some((d) => d.deviceId === now)) again(better);
  }

  /** Another wish in a call is heard at once, by the list that was asked for last. */
  function swap() {
    const better = pick(known(), "audioinput", labels);
    if (!mic || asking || !better) void reconsider();
    else if (better !== asked) again(better);
  }
  navigator.mediaDevices?.addEventListener?.("devicechange", reconsider);
  navigator.permissions?.query({ name: /** @type {PermissionName} */ ("microphone") })
    .then((p) => { p.onchange = reconsider; }, () => {});

  return {
    track: () => mic,
    /** @param {{ owner: boolean, open: boolean }} w */
    want(w) {
      ({ owner, open } = w);
      settle();
    },
    /** @param {string[] | undefined} list labels, best first @param {boolean} m by the person: then a silent device is no fault */
    prefer(list, m) {
      muted = m;
      if (labels?.join("\n") === list?.join("\n")) return;
      labels = list;
      swap();
    },
    /** Called four times a second in a call. @param {number} still for how many milliseconds it has given exact silence */
    look(still) {
      const now = performance.now();
      if (now - listed >= LIST) {
        listed = now;
        void reconsider();
      }
      if (!mic || asking) return;
      if (still < SILENT) {
        silent = false;
        tell("open");
      } else if (!muted && !silent) {
        silent = true;
        tell("silent");
        again(); // a device that is gone says so only when it is asked for
      }
    },
    forgive() { refused = ""; },
    close() {
      closed = true;
      owner = open = false;
      navigator.mediaDevices?.removeEventListener?.("devicechange", reconsider);
      shut();
    },
  };
}
