// @ts-check
import { attr, h, put } from "../dom.js";
import { busy, isBusy } from "../form.js";
import { clean, clock, say, t } from "../text.js";
import { gradeMark, millis, percent } from "../view/grade.js";
import { present } from "./prefer.js";

/** @typedef {import("../types").Devices} Devices */
/** @typedef {import("../types").NetworkTest} NetworkTest */
/** @typedef {import("../types").Page} Page */
/** @typedef {import("../types").Snapshot} Snapshot */

/** How long somebody is listened to before the microphone is judged, in milliseconds. */
const JUDGE = 4000;
/** Levels as a share of the loudest: below the first nothing comes, below the second it is too little (−70 and −42 dB). */
const [NOTHING, LITTLE] = [0.0003, 0.008];

/**
 * Tests of all that a call needs, each with a verdict in words and what to do. That of the network stands in its own chapter.
 * @param {import("../types").Send} send
 * @param {Devices} devices
 */
export function trialView(send, devices) {
  /** @type {Snapshot | undefined} */
  let last;
  const first = (/** @type {"microphone" | "speaker"} */ kind) => last?.devices?.[kind]?.find((l) => present(kind, devices.list(), []).includes(l)) ?? "";
  const mic = micTrial(devices, () => first("microphone")), tone = toneTrial(devices, () => first("speaker"));
  const echo = trial(t("test.echo"), t("test.echo.what"), () => send("test.echo", { on: !last?.echo }));
  const ring = ringTrial(send, devices);
  const network = networkTrial(send);
  const root = h("section", { "aria-labelledby": "settings-test" }, h("h3", { id: "settings-test" }, t("test.title")),
    h("ul", { className: "trials" }, mic.root, tone.root, echo.root, ring.root));
  return {
    root, network: network.root,
    /** @param {Snapshot} snap @param {Page} page */
    show(snap, page) {
      last = snap;
      const calls = (snap.calls ?? []).length > 0;
      echo.button.disabled = calls || !page.owner;
      attr(echo.button, "aria-pressed", String(!!snap.echo));
      echo.say(calls ? t("test.echo.call") : !page.owner && page.taken ? t("sound.other") : snap.echo ? t("test.echo.on") : t("test.echo.what"));
      ring.show(snap);
      network.show(snap);
    },
    /** Ends what listens or plays. */
    stop() {
      mic.stop();
      if (last?.echo) send("test.echo", { on: false });
    },
  };
}

/**
 * One test: its button, and under it what it does or what came of it, in a height that is kept.
 * @param {string} name
 * @param {string} what
 * @param {() => void} onclick
 * @param {...HTMLElement} more
 */
function trial(name, what, onclick, ...more) {
  const words = h("p", { className: "trial-words", role: "status" }, what);
  const button = h("button", { type: "button", onclick: () => isBusy(button) || onclick() }, name);
  const root = h("li", {}, button, h("div", {}, words, ...more));
  return {
    root, button,
    /** @param {string} text @param {string} [level] good or bad */
    say(text, level) {
      put(words, text);
      attr(words, "data-level", level);
    },
  };
}

/** @param {Devices} devices @param {() => string} label */
function micTrial(devices, label) {
  /** @type {(() => void) | undefined} */
  let end;
  let run = 0; // counts starts, so that a late answer of the browser is known
  const bar = h("meter", { min: 0, max: 1, low: 0.25, optimum: 0.7, value: 0, "aria-label": t("test.mic.level") });
  const test = trial(t("test.mic"), t("test.mic.what"), () => (test.button.getAttribute("aria-pressed") === "true" ? stop() : void start()), bar);
  attr(test.button, "aria-pressed", "false");

  async function start() {
    const mine = ++run, began = Date.now();
    let loudest = 0;
    attr(test.button, "aria-pressed", "true");
    test.say(t("test.mic.speak"));
    try {
      const done = await devices.meter(label(), (level) => {
        if (mine !== run) return;
        loudest = Math.max(loudest, level);
        bar.value = loudness(level);
        if (Date.now() - began > JUDGE) test.say(...verdict(loudest));
      });
      if (mine === run) end = done;
      else done();
    } catch (e) {
      if (mine !== run) return;
      stop();
      test.say(say({ code: refusal(e) }), "bad");
    }
  }
  function stop() {
    run++;
    end?.();
    end = undefined;
    bar.value = 0;
    attr(test.button, "aria-pressed", "false");
  }
  return { root: test.root, stop };
}

/** A level as the ear has it: 60 dB over the whole bar. @param {number} level 0 to 1 */
const loudness = (level) => Math.min(1, Math.max(0, 1 + (20 * Math.log10(level || 1e-9)) / 60));

/** @param {number} loudest @returns {[string, string]} */
function verdict(loudest) {
  if (loudest < NOTHING) return [t("test.mic.silent"), "bad"];
  return loudest < LITTLE ? [t("test.mic.quiet"), "bad"] : [t("test.mic.good"), "good"];
}

/** @param {Devices} devices @param {() => string} label */
function toneTrial(devices, label) {
  const test = trial(t("test.tone"), t("test.tone.what"), () => void play());
  async function play() {
    busy(test.button, true);
    const heard = await devices.tone(label()).then(() => true, () => false);
    busy(test.button, false);
    test.say(heard ? t("test.tone.done") : t("test.tone.failed"), heard ? undefined : "bad");
  }
  return test;
}

/** @param {import("../types").Send} send @param {Devices} devices */
export function ringTrial(send, devices) {
  const ring = trial(t("test.ring"), t("test.ring.what"), () => send("test.ring"));
  return {
    root: ring.root,
    /** @param {Snapshot} snap */
    show(snap) {
      const calls = (snap.calls ?? []).length > 0, device = snap.devices?.ring?.find((l) => present("ring", devices.list(), snap.rings).includes(l));
      busy(ring.button, !!snap.ringTest);
      ring.button.disabled = calls;
      ring.say(calls ? t("test.echo.call") : snap.ringTest ? t("test.ring.on", { device: clean(device) || t("devices.system") }) : t("test.ring.what"));
    },
  };
}

/** @param {import("../types").Send} send */
function networkTrial(send) {
  const mark = gradeMark();
  const figures = h("p", { className: "trial-figures quiet-text" });
  const test = trial(t("test.network"), t("test.network.what"), () => send("test.network"), figures);
  test.root.querySelector(".trial-words")?.before(mark.root);
  return {
    root: test.root,
    /** @param {Snapshot} snap */
    show(snap) {
      const n = snap.network, measured = !!n && ["good", "fair", "bad"].includes(n.state);
      busy(test.button, n?.state === "running");
      test.button.disabled = !!snap.local;
      mark.show(measured ? n.mos : undefined);
      put(figures, measured ? figuresOf(n) : "");
      const [words, level] = networkWords(snap);
      test.say(words, level);
    },
  };
}

/** @param {NetworkTest} n */
const figuresOf = (n) => [`${t("quality.loss")} ${percent(n.loss)}`, `${t("quality.jitter")} ${millis(n.jitter)}`, `${t("quality.rtt")} ${millis(n.rtt)}`,
  n.at ? t("test.network.at", { time: clock(n.at) }) : ""].filter(Boolean).join(" · ");

/** What the network is good for, and what to do. @param {Snapshot} snap @returns {[string, string | undefined]} */
function networkWords(snap) {
  const n = snap.network;
  if (snap.local) return [t("test.network.local"), undefined];
  switch (n?.state) {
    case "running": return [t("test.network.running"), undefined];
    case "failed": return [n.problem ? say(n.problem) : t("test.network.bad"), "bad"];
    case "good": return [t("test.network.good"), "good"];
    case "fair": return [`${t("test.network.fair")} ${advice(n)}`, "bad"];
    case "bad": return [`${t("test.network.bad")} ${advice(n)}`, "bad"];
  }
  return [t("test.network.what"), undefined];
}

/** What would help most: each figure beside where it begins to hurt speech. @param {NetworkTest} n */
function advice(n) {
  const worst = Math.max(n.loss / 1, n.jitter / 20, n.rtt / 150);
  if (worst === n.loss / 1) return t("test.network.loss");
  return worst === n.jitter / 20 ? t("test.network.jitter") : t("test.network.rtt");
}

/** The problem behind what a browser says when it gives no microphone. @param {unknown} e */
export const refusal = (e) => (["NotAllowedError", "SecurityError"].includes(/** @type {any} */ (e)?.name) ? "mic.denied" : "mic.missing");
