// @ts-check
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { clean, t } from "../text.js";
import { soundState } from "./head.js";
import { isUp, peerOf } from "./parts.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Page} Page */

/** @typedef {{ words: string, level?: "bad" | "card" | "talk", do?: "move" | "unmute" | "devices" | "end" }} Note */

/**
 * The one thing most worth knowing about a call, with the one click that mends it. It stands above the buttons, so that what
 * it says about mute stands beside Mute.
 * @param {string} id
 * @param {import("../types").Send} send
 * @param {() => void} claim
 * @param {() => void} settings
 */
export function noteView(id, send, claim, settings) {
  const sign = h("span", { className: "call-note-sign" }, icon("card"));
  const warn = h("p", { className: "call-warn", role: "status" });
  const buttons = {
    move: h("button", { type: "button", onclick: claim }, t("sound.move")),
    unmute: h("button", { type: "button", className: "warn", onclick: () => send("call.mute", { on: false }) }, t("call.unmute")),
    devices: h("button", { type: "button", onclick: settings }, t("call.devices")),
    end: h("button", { type: "button", "aria-label": `${t("card.menu")}: ${t("card.end")}`, onclick: () => send("call.card", { call: id, on: false }) }, t("card.end")),
  };
  const root = h("div", { className: "call-notes" }, sign, warn, ...Object.values(buttons));
  return {
    root,
    /** @param {Call} c @param {Snapshot} snap @param {Page} page */
    show(c, snap, page) {
      const note = noteOf(c, snap, page);
      put(warn, note.words);
      attr(root, "data-level", note.level);
      sign.hidden = note.level !== "card";
      for (const [name, button] of Object.entries(buttons)) button.hidden = name !== note.do;
    },
  };
}

/** @param {Call} c @param {Snapshot} snap @param {Page} page @returns {Note} */
function noteOf(c, snap, page) {
  if (c.phase === "ending") return { words: "" };
  if (c.moving) return { words: moving(c, snap) };
  if (c.card && isUp(c)) return { words: t("card.on"), level: "card", do: "end" };
  const [level, words] = soundState(snap, page);
  if (page.taken) return { words, level: "bad", do: page.linked ? "move" : undefined };
  if (snap.mic === "silent") return { words: t("call.mic.silent"), level: "bad", do: "devices" };
  if (snap.mic === "missing") return { words: t("call.mic.missing"), level: "bad", do: "devices" };
  if (level === "bad") return { words, level };
  if (c.phase === "talking") return talkNote(c, snap);
  return { words: tones(c) };
}

/** What is wrong with the sound of a call that talks; in a conference its heading says who is muted. @param {Call} c @param {Snapshot} snap @returns {Note} */
function talkNote(c, snap) {
  if (snap.muted && snap.mutedTalk && !c.conference) return { words: t("call.mutedTalk"), level: "talk", do: "unmute" };
  if (c.silent) return { words: t("call.silent"), level: "bad" };
  if (snap.muted) return { words: t("call.muted"), level: "bad" };
  if (c.unheard) return { words: t("call.unheard"), level: "bad", do: "devices" };
  if (c.still) return { words: t("call.still") };
  return { words: tones(c) || (snap.micLabel && !c.conference ? t("call.mic", { name: clean(snap.micLabel) }) : "") };
}

/** Tones sent and received. @param {Call} c */
function tones(c) {
  const sent = c.digits && t("call.digits", { digits: clean(c.digits) }), got = c.received && t("call.received", { digits: clean(c.received) });
  return [got, sent].filter(Boolean).join(" · ");
}

/** Where a call is going: to a number, or to the call that goes to it. @param {Call} c @param {Snapshot} snap */
function moving(c, snap) {
  const other = (snap.calls ?? []).find((o) => o.id !== c.id && o.moving === c.number && c.moving === o.number);
  return other ? t("call.connecting", { one: peerOf(c), other: peerOf(other) }) : t("call.moving", { number: clean(c.moving) });
}
