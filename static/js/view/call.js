// @ts-check
import { each, h, put, attr } from "../dom.js";
import { t } from "../text.js";
import { card } from "./card.js";
import { act, muteButton } from "./parts.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Page} Page */
/** @typedef {import("../types").Send} Send */

/**
 * The calls of this phone, ringing ones first, each a card; those in one conversation stand together under one heading.
 * Nothing takes the keyboard by itself: Enter or Space meant for something else never answers.
 * @param {Send} send
 * @param {() => void} claim
 * @param {import("../types").Why} why
 * @param {() => void} [settings] opens them
 * @param {import("../book.js").Book} [book] the center's phonebook
 * @returns {import("../types").View}
 */
export function callsView(send, claim, why, settings = () => {}, book) {
  const root = h("section", { className: "calls", "aria-label": t("calls.now"), hidden: true });
  /** @type {Map<string, ReturnType<typeof card> | ReturnType<typeof conference>>} */
  const cards = new Map();
  return {
    root,
    show(snap, page) {
      const calls = [...(snap.calls ?? [])].sort((a, b) => rank(a) - rank(b));
      const first = calls.findIndex((c) => c.conference);
      /** @type {(Call | undefined)[]} */
      const rows = first < 0 ? calls : calls.toSpliced(first, 0, /** @type {any} */ (undefined)); // the heading, before its first member
      root.hidden = calls.length === 0;
      each(root, cards, rows, (c) => c?.id ?? "", (c) => (c ? card(c.id, send, claim, why, settings, book) : conference(send)), (v, c) => v.show(/** @type {Call} */ (c), snap, page));
      this.tick?.(Date.now());
    },
    tick(now) {
      for (const c of cards.values()) c.tick(now);
    },
  };
}

/** @param {Call} c */
const rank = (c) => (c.conference ? 1.5 : ["offered", "joining", "talking", "alerted", "dialing", "held", "ending"].indexOf(c.phase));

/** What is common to the calls of one conversation. @param {Send} send */
function conference(send) {
  const title = h("h2", {});
  const mute = muteButton(send);
  const part = act("", "split", t("conference.end"), () => send("call.conference", { on: false }));
  const talk = h("p", { className: "call-warn", role: "status" });
  const unmute = h("button", { type: "button", className: "warn", onclick: () => send("call.mute", { on: false }) }, t("call.unmute"));
  const notes = h("div", { className: "call-notes", "data-level": "talk", hidden: true }, talk, unmute);
  const root = h("header", { className: "conference" }, title, h("div", { className: "acts" }, mute, part), notes);
  return {
    root,
    /** @param {Call} _ @param {Snapshot} snap */
    show(_, snap) {
      put(title, t("conference.title", { n: 1 + (snap.calls ?? []).filter((c) => c.conference).length }));
      attr(mute, "aria-pressed", String(snap.muted));
      attr(root, "data-muted", snap.muted ? "true" : undefined);
      notes.hidden = !snap.muted || !snap.mutedTalk;
      put(talk, notes.hidden ? "" : t("call.mutedTalk"));
    },
    tick() {},
  };
}
