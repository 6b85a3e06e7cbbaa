// @ts-check
import { attr, h } from "../dom.js";
import { icon } from "../icons.js";
import { number, t } from "../text.js";
import { offersFor } from "./offers.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").Snapshot} Snapshot */

/**
 * Where a call goes: at once, or after asking there first. It stands where the call's notes and buttons stood,
 * in their height, and closes when the call is on its way; a number that was refused stays.
 * @param {string} id
 * @param {import("../types").Send} send
 * @param {() => void} turned the form opened or closed
 * @param {import("../book.js").Book} [book] the center's phonebook
 */
export function transferForm(id, send, turned, book) {
  const field = h("input", { id: `transfer-${id}`, name: `transfer-${id}`, type: "text", inputMode: "tel", autocomplete: "off", spellcheck: false, maxLength: 128 });
  const list = offersFor(field, book);
  const close = h("button", { type: "button", className: "round", "aria-label": t("transfer.cancel"), title: t("transfer.cancel"), onclick: () => turn(false) }, icon("close"));
  const now = h("button", { type: "submit", className: "primary" }, t("transfer.now"));
  const ask = h("button", { type: "button", onclick: () => go((to) => send("call.dial", { number: to })) }, t("transfer.ask"));
  const root = h("form", { className: "transfer", hidden: true, "aria-label": t("call.transfer"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    go((to) => send("call.transfer", { call: id, number: to }));
  }, onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    turn(false);
  } }, h("label", { for: field.id }, t("transfer.to")), h("div", { className: "field-box" }, field, close, list.root), h("div", { className: "transfer-row" }, ask, now));
  let tried = "";
  root.addEventListener("focusout", (e) => e.relatedTarget instanceof Node && !root.contains(e.relatedTarget) && list.hide());
  field.addEventListener("input", () => (tried = ""));

  /** @param {boolean} on */
  function turn(on) {
    if (root.hidden !== on) return;
    root.hidden = !on;
    if (!on) field.value = tried = "";
    list.hide();
    turned();
    if (on) field.focus();
  }
  /** @param {(to: string) => void} act */
  function go(act) {
    const to = number(field.value);
    if (to) act((tried = to));
    else field.focus();
  }
  return {
    root,
    open: () => turn(true),
    /** @param {Call} call @param {Snapshot} snap */
    show(call, snap) {
      const answered = call.phase === "talking" || call.phase === "held";
      const asked = (snap.calls ?? []).some((c) => c.consult === id);
      if (!answered || call.moving || call.conference || asked) turn(false);
      const refused = (snap.notices ?? []).some((n) => tried && n.problem.code === "number.invalid" && tried.startsWith(n.problem.holes?.number ?? "")); // its notice has the words
      attr(field, "aria-invalid", refused ? "true" : undefined);
      list.know(snap, call.number);
    },
  };
}
