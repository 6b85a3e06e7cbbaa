// @ts-check
import { attr, h, put } from "../dom.js";
import { t } from "../text.js";
import { act, isUp } from "./parts.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").Policy} Policy */

/** Whether the center allows anything of this row: its place is kept then, also while nobody talks. @param {Policy | undefined} p */
export const hasTools = (p) => !!(p?.record || p?.replay);

/**
 * What the center allows beside talking: record, card-number mode, hear the last 20 seconds again.
 * @param {string} id of the call
 * @param {import("../types").Send} send
 */
export function toolsView(id, send) {
  /** @type {Call} */
  let call;
  const record = act("tool", "record", t("record.button"), () => send("call.record", { call: id, on: !call.recording }));
  const card = act("tool tool-card", "card", t("card.button"), () => send("call.card", { call: id, on: !call.card }));
  const replay = act("tool", "replay", t("replay.button"), () => send("call.replay", { call: id, on: !call.replaying }));
  record.title = t("record.what");
  card.title = t("card.what");
  replay.title = t("replay.what");
  const root = h("div", { className: "tools" }, record, card, replay);

  /** @param {Policy | undefined} p */
  const offered = (p) => ({ record: p?.record === "asked", card: hasTools(p), replay: !!p?.replay });
  return {
    root,
    /** The same as rows of the card's menu, where the card is too small for buttons. @param {Policy | undefined} p @returns {import("../menu.js").Item[]} */
    items(p) {
      if (!call || !isUp(call) || call.moving) return [];
      const can = offered(p), rows = /** @type {[boolean, string, HTMLButtonElement][]} */ ([
        [can.record, call.recording ? t("record.stop") : t("record.button"), record], [can.card, call.card ? t("card.stop") : t("card.menu"), card],
        [can.replay, call.replaying ? t("replay.stop") : t("replay.button"), replay]]);
      return rows.filter(([on]) => on).map(([, label, button]) => ({ label, disabled: button.disabled, act: () => button.click() }));
    },
    /** @param {Call} c @param {Policy | undefined} p */
    show(c, p) {
      call = c;
      const can = offered(p);
      root.hidden = !isUp(c) || !hasTools(p);
      for (const [button, on, pressed] of /** @type {[HTMLButtonElement, boolean, unknown][]} */ ([[record, can.record, c.recording], [card, can.card, c.card], [replay, can.replay, c.replaying]])) {
        button.hidden = !on;
        attr(button, "aria-pressed", String(!!pressed));
        button.disabled = !!c.moving || (!!c.card && button !== card);
      }
    },
  };
}

/** Whether this call is recorded, as a sign and a word. */
export function recordMark() {
  const words = h("span", {});
  const root = h("span", { className: "recording", role: "status" }, h("span", { className: "recording-dot", "aria-hidden": "true" }), words);
  return {
    root,
    /** @param {Call} c */
    show(c) {
      const state = isUp(c) ? c.recording : "";
      attr(root, "data-state", state || undefined);
      put(words, state === "on" ? t("record.on") : state === "paused" ? t("record.paused") : "");
    },
  };
}
