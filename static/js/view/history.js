// @ts-check
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { clean, clock, say, span, t } from "../text.js";
import { peerOf } from "./card.js";

/** @typedef {import("../types").PastCall} PastCall */

/**
 * The calls of this sign-in, newest first, each with a way to call back and to see what happened.
 * @param {import("../types").Send} send
 * @param {import("../types").Why} why
 * @returns {import("../types").View}
 */
export function historyView(send, why) {
  const list = h("ul", { className: "history" });
  const none = h("p", { className: "empty" }, t("calls.none"));
  const root = h("section", { className: "pane", "aria-label": t("calls.title") }, none, list);
  /** @type {Map<string, ReturnType<typeof line>>} */
  const lines = new Map();
  return {
    root,
    show(snap) {
      const past = snap.history ?? [];
      none.hidden = past.length > 0;
      each(list, lines, past, (c) => c.id, () => line(send, why), (v, c) => v.show(c));
    },
  };
}

/** @param {import("../types").Send} send @param {import("../types").Why} why */
function line(send, why) {
  /** @type {PastCall} */
  let call;
  const way = h("span", { className: "way" });
  const peer = h("bdi", { className: "history-peer" });
  const number = h("bdi", { className: "quiet-text" });
  const result = h("span", { className: "result" });
  const when = h("time", { className: "time" });
  const long = h("span", { className: "time" });
  const back = h("button", { type: "button", className: "round", onclick: () => send("call.dial", { number: call.number }) }, icon("phone"));
  const ask = h("button", { type: "button", className: "round", onclick: () => why(call) }, icon("why"));
  const root = h("li", {}, way, h("span", { className: "history-who" }, peer, number), result, h("span", { className: "history-when" }, when, long), ask, back);
  return {
    root,
    /** @param {PastCall} c */
    show(c) {
      if (call?.id !== c.id) way.replaceChildren(icon(c.inbound ? "in" : "out"));
      call = c;
      attr(root, "data-result", c.result);
      attr(way, "title", c.inbound ? t("calls.in") : t("calls.out"));
      put(peer, peerOf(c));
      put(number, c.name ? clean(c.number) : "");
      put(result, c.problem ? say(c.problem) : resultName(c.result));
      put(when, clock(c.began));
      put(long, c.talked ? span(c.talked / 1e6) : "");
      for (const [button, name] of /** @type {[Element, string][]} */ ([[back, t("calls.back", { name: peerOf(c) })], [ask, t("why.of", { name: peerOf(c) })]])) {
        attr(button, "aria-label", name);
        attr(button, "title", name);
      }
      back.disabled = !c.number;
    },
  };
}

/** @param {string} result */
function resultName(result) {
  const names = /** @type {Record<string, string>} */ ({
    answered: t("calls.answered"), missed: t("calls.missed"), declined: t("calls.declined"), failed: t("calls.failed"),
    cancelled: t("calls.cancelled"), elsewhere: t("calls.elsewhere"), transferred: t("calls.transferred"),
  });
  return names[result] ?? "";
}
