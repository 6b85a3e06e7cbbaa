// @ts-check
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { at, clean, span, t } from "../text.js";
import { soundState } from "./head.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Page} Page */
/** @typedef {import("../types").Send} Send */

/**
 * The calls of this phone, ringing ones first, each a card. Nothing takes the keyboard by itself: Enter or Space meant
 * for something else never answers.
 * @param {Send} send
 * @param {() => void} claim
 * @returns {import("../types").View}
 */
export function callsView(send, claim) {
  const root = h("section", { className: "calls", "aria-label": t("calls.now"), hidden: true });
  /** @type {Map<string, ReturnType<typeof card>>} */
  const cards = new Map();
  return {
    root,
    show(snap, page) {
      const calls = [...(snap.calls ?? [])].sort((a, b) => rank(a) - rank(b));
      root.hidden = calls.length === 0;
      each(root, cards, calls, (c) => c.id, (c) => card(c.id, send, claim), (v, c) => v.show(c, snap, page));
      this.tick?.(Date.now());
    },
    tick(now) {
      for (const c of cards.values()) c.tick(now);
    },
  };
}

/** @param {Call} c */
const rank = (c) => ["offered", "joining", "talking", "alerted", "dialing", "held", "ending"].indexOf(c.phase);

/** Who is on the other side, as text. @param {{ name?: string, number: string }} c */
export const peerOf = (c) => clean(c.name) || clean(c.number) || t("call.hidden");

/**
 * @param {string} id
 * @param {Send} send
 * @param {() => void} claim
 */
function card(id, send, claim) {
  /** @type {Call} */
  let call;
  const kind = h("span", { className: "badge" });
  const phase = h("span", { className: "call-phase", role: "status" });
  const time = h("span", { className: "time" });
  const secure = h("span", { className: "lock", role: "img", "aria-label": t("call.secure"), title: t("call.secure") }, icon("lock"));
  const peer = h("bdi", { className: "call-peer" });
  const number = h("bdi", { className: "call-number" });
  const warn = h("p", { className: "call-warn", role: "status" });
  const move = h("button", { type: "button", onclick: claim }, t("sound.move"));
  const act = (/** @type {string} */ cls, /** @type {string} */ draw, /** @type {string} */ name, /** @type {() => void} */ onclick) =>
    h("button", { type: "button", className: `act ${cls}`, onclick }, icon(draw), h("span", {}, name));
  const answer = act("answer", "phone", t("call.answer"), () => send("call.answer", { call: id }));
  const decline = act("decline", "hangup", t("call.decline"), () => send("call.decline", { call: id }));
  const mute = act("toggle", "mic", t("call.mute"), () => send("call.mute", { on: mute.getAttribute("aria-pressed") !== "true" }));
  const hold = act("toggle", "pause", t("call.hold"), () => send("call.hold", { call: id, on: call.phase !== "held" }));
  const holdName = /** @type {HTMLElement} */ (hold.lastChild);
  const transfer = act("", "transfer", t("call.transfer"), () => {});
  transfer.setAttribute("aria-disabled", "true");
  transfer.title = t("call.transfer.later");
  transfer.setAttribute("aria-description", t("call.transfer.later"));
  const hangup = act("hangup", "hangup", t("call.hangup"), () => send("call.hangup", { call: id }));
  const root = h("article", { className: "call" },
    h("header", {}, kind, phase, secure, time), peer, number,
    h("div", { className: "call-notes" }, warn, move),
    h("div", { className: "acts" }, answer, decline, mute, hold, transfer, hangup));

  return {
    root,
    /** @param {Call} c @param {Snapshot} snap @param {Page} page */
    show(c, snap, page) {
      call = c;
      const talking = c.phase === "talking" || c.phase === "held", offered = c.phase === "offered";
      attr(root, "data-phase", c.phase);
      attr(root, "data-kind", c.outside ? "outside" : "inside");
      attr(root, "data-muted", talking && snap.muted ? "true" : undefined);
      attr(root, "aria-label", `${phaseName(c)}: ${peerOf(c)}`);
      put(kind, c.queue ? clean(c.queue) : c.outside ? t("call.outside") : t("call.inside"));
      put(phase, phaseName(c));
      put(peer, peerOf(c));
      put(number, c.name ? clean(c.number) : "");
      secure.hidden = !c.secure;
      answer.hidden = decline.hidden = !offered;
      mute.hidden = hold.hidden = transfer.hidden = !talking;
      hangup.hidden = offered;
      hangup.disabled = c.phase === "ending";
      attr(mute, "aria-pressed", String(snap.muted));
      put(holdName, c.phase === "held" ? t("call.resume") : t("call.hold"));
      attr(hold, "data-on", c.phase === "held" ? "true" : undefined);
      const [words, mine] = warning(c, snap, page);
      put(warn, words);
      attr(warn, "data-level", !mine || words !== tones(c) ? "bad" : undefined);
      move.hidden = mine || !page.linked;
    },
    /** @param {number} now */
    tick(now) {
      if (call) put(time, span(now - at(call.answered || call.began)));
    },
  };
}

/** @param {Call} c */
function phaseName(c) {
  const names = /** @type {Record<string, string>} */ ({
    offered: t("call.offered"), dialing: t("call.dialing"), alerted: t("call.alerted"), joining: t("call.joining"),
    talking: t("call.talking"), held: t("call.held"), ending: t("call.ending"),
  });
  return c.peerHold && c.phase === "talking" ? t("call.peerHold") : (names[c.phase] ?? "");
}

/**
 * The one thing most worth knowing about the sound of this call, and whether the sound is in this page.
 * @param {Call} c
 * @param {Snapshot} snap
 * @param {Page} page
 * @returns {[string, boolean]}
 */
function warning(c, snap, page) {
  if (c.phase === "ending") return ["", true];
  const [level, words] = soundState(snap, page);
  if (page.taken) return [words, false];
  if (level === "bad") return [words, true];
  if (c.phase === "talking" && c.silent) return [t("call.silent"), true];
  if (c.phase === "talking" && snap.muted) return [t("call.muted"), true];
  return [tones(c), true];
}

/** @param {Call} c */
const tones = (c) => (c.digits ? t("call.digits", { digits: clean(c.digits) }) : "");
