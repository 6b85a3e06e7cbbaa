// @ts-check
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { at, clean, span, t } from "../text.js";
import { act, muteButton } from "../view/parts.js";

/** @typedef {import("../types").Supervised} Supervised */
/** @typedef {import("../types").Snapshot} Snapshot */

/** From hearing only to being heard by the caller: the last one stands apart. */
const MODES = /** @type {const} */ ([["listen", "ear"], ["whisper", "whisper"], ["join", "people"]]);

/**
 * Whom a supervisor attends, where a call would stand: how, who hears whom in words, the own microphone, and the end of it. The modes are
 * buttons and no radio buttons: an arrow key must not bring anybody's voice to the caller.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function supervisedView(send) {
  /** @type {Supervised | undefined} */
  let now;
  const say = (/** @type {Partial<Supervised>} */ more) => now && send("supervise", { account: now.account, mode: now.mode, follow: !!now.follow, ...more });
  const time = h("span", { className: "time" });
  const mark = h("span", { className: "badge" }, t("attend.title"));
  const state = h("span", { className: "call-phase" });
  const name = h("bdi", { className: "call-peer" });
  const words = h("p", { className: "attend-words", role: "status" });
  const modes = MODES.map(([mode, draw]) => ({ mode, root: h("button", { type: "button", className: `attend-${mode}`, onclick: () => say({ mode }) }, icon(draw), h("span", {}, t(`attend.${mode}`))) }));
  const mic = h("p", { className: "attend-mic" }, icon("mic"), h("span", {}));
  const mute = muteButton(send);
  const follow = h("input", { id: "attend-follow", name: "attend-follow", type: "checkbox", onchange: () => say({ follow: follow.checked }) });
  const end = act("hangup", "hangup", t("attend.end"), () => say({ mode: "" }));
  const root = h("section", { className: "calls attend", "aria-label": t("attend.title"), hidden: true },
    h("article", { className: "call" }, h("header", {}, mark, state, time), name, words,
      h("div", { className: "attend-modes", role: "group", "aria-label": t("attend.mode") }, ...modes.map((m) => m.root)),
      h("div", { className: "attend-line" }, mic, mute),
      h("div", { className: "check" }, follow, h("label", { for: follow.id }, t("attend.follow"))),
      h("div", { className: "acts" }, end)));
  const card = /** @type {HTMLElement} */ (root.firstElementChild);
  return {
    root,
    show(snap) {
      now = snap.supervised;
      root.hidden = !now;
      if (!now) return;
      const who = clean(now.agent || now.account), up = !!now.since && !now.idle, heard = up && now.mode !== "listen";
      put(name, who);
      put(state, up ? t(`attend.${now.mode}`) : "");
      put(words, !now.since ? t("attend.way", { name: who }) : now.idle ? t("attend.idle", { name: who }) : t(`attend.${now.mode}.now`, { name: who }));
      attr(card, "data-mode", up ? now.mode : "wait");
      attr(card, "aria-label", `${t("attend.title")}: ${who}`);
      for (const m of modes) attr(m.root, "aria-pressed", String(m.mode === now.mode));
      put(/** @type {Element} */ (mic.lastElementChild), !heard ? t("attend.mic.off") : snap.muted ? t("attend.mic.muted") : t("attend.mic.on"));
      attr(mic, "data-on", heard && !snap.muted ? "true" : undefined);
      mute.hidden = !heard;
      attr(mute, "aria-pressed", String(snap.muted));
      follow.checked = !!now.follow;
      this.tick?.(Date.now());
    },
    tick(ms) {
      if (now) put(time, now.since && !now.idle ? span(ms - at(now.since)) : "");
    },
  };
}
