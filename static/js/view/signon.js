// @ts-check
import { attr, h, put } from "../dom.js";
import { clean, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */

/**
 * Single sign-on on the first step: the button, and where passwords are not taken the way to them for whoever has one all the same.
 * @param {import("../types").Send} send
 * @param {HTMLElement} password the form that it stands above
 */
export function signOnButton(send, password) {
  const go = h("button", { type: "button", className: "wide", onclick: () => send("signin.sso") }, t("signin.go"));
  const only = h("p", { className: "quiet-text" });
  const other = h("button", { type: "button", className: "quiet", "aria-expanded": "false", onclick: () => {
    wanted = true;
    shown();
    password.querySelector("input")?.focus();
  } }, t("sso.password"));
  const root = h("div", { className: "sso", hidden: true }, only, go, other);
  let wanted = false, alone = false, here = false;
  const shown = () => {
    password.hidden = !here || (alone && !wanted);
    other.hidden = !alone || wanted;
  };
  return {
    root,
    focus: () => (password.hidden ? go.focus() : undefined),
    /** @param {Snapshot} snap @param {boolean} on the center's way in is chosen */
    show(snap, on) {
      here = on;
      const offer = snap.signOn;
      root.hidden = !on || !offer;
      alone = !!offer?.only;
      put(go, t("sso.go", { name: clean(offer?.name) }));
      go.className = alone ? "primary wide" : "wide";
      put(only, alone ? t("sso.only", { name: clean(offer?.name) }) : "");
      only.hidden = !alone;
      shown();
    },
  };
}

/** The browser is waited for. @param {import("../types").Send} send */
export function waitingView(send) {
  const cancel = h("button", { type: "button", className: "wide", onclick: () => send("signin.back") }, t("sso.cancel"));
  const hand = h("a", { className: "button", target: "_blank", rel: "noreferrer", hidden: true }, t("sso.hand"));
  const root = h("section", { className: "enrol", hidden: true, "aria-label": t("sso.wait") }, h("h1", {}, t("sso.wait")), h("p", { role: "status" }, t("sso.wait.note")), hand, cancel);
  return {
    root,
    focus: () => cancel.focus(),
    /** @param {Snapshot} snap */
    show(snap) {
      const to = /^https?:\/\//.test(snap.away ?? "") ? snap.away : undefined;
      hand.hidden = !to;
      attr(hand, "href", to);
    },
  };
}
