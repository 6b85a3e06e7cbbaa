// @ts-check
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { chordOf } from "../settings.js";
import { clean, t } from "../text.js";

/** @typedef {import("../types").Call} Call */

/** Who is on the other side, as text. @param {{ name?: string, number: string }} c */
export const peerOf = (c) => clean(c.name) || clean(c.number) || t("call.hidden");

/** Answered, by whichever side. @param {Call} c */
export const isUp = (c) => c.phase === "talking" || c.phase === "held";

/**
 * A button of a card: a drawing over its name.
 * @param {string} cls
 * @param {string} draw
 * @param {string} name
 * @param {(e: MouseEvent) => void} onclick
 */
export const act = (cls, draw, name, onclick) => h("button", { type: "button", className: `act ${cls}`, onclick, title: name }, icon(draw), h("span", {}, name));

/**
 * The global keys that do the same, on the button (aria-keyshortcuts names them as a screen reader wants).
 * @param {HTMLElement} button
 * @param {import("../types").Snapshot} snap
 * @param {string} what
 */
export function showKeys(button, snap, what) {
  const keys = chordOf(snap, what);
  attr(button, "aria-keyshortcuts", keys ? keys.replace("Ctrl", "Control").replace("Super", "Meta") : undefined);
  let mark = button.querySelector("kbd");
  if (!keys) return mark?.remove();
  if (!mark) button.append((mark = h("kbd", { "aria-hidden": "true" })));
  put(mark, keys);
}

/** @param {import("../types").Send} send */
export function muteButton(send) {
  const mute = act("toggle", "mic", t("call.mute"), () => send("call.mute", { on: mute.getAttribute("aria-pressed") !== "true" }));
  return mute;
}
