// @ts-check
import { h, put } from "../dom.js";
import { t } from "../text.js";

/**
 * The question before sign-out or exit ends a call (PRODUCT C4). It is asked by the snapshot, so that it stands in every
 * page, and an answer in one of them closes all.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function askView(send) {
  let kind = "";
  const title = h("h2", { id: "ask-title" });
  const text = h("p", { id: "ask-text" }, t("ask.text"));
  const stay = h("button", { type: "button", className: "primary", onclick: () => send("dismiss") }, t("ask.stay"));
  const go = h("button", { type: "button", className: "danger", onclick: () => send(kind, { sure: true }) });
  const root = h("dialog", { className: "ask", "aria-labelledby": "ask-title", "aria-describedby": "ask-text", oncancel: (/** @type {Event} */ e) => {
    e.preventDefault();
    send("dismiss");
  } }, title, text, h("div", { className: "ask-row" }, stay, go));
  return {
    root,
    show(snap) {
      kind = snap.ask?.kind ?? "";
      if (!kind) return root.open ? root.close() : undefined;
      put(title, kind === "exit" ? t("ask.exit.title") : t("ask.signout.title"));
      put(go, kind === "exit" ? t("ask.exit") : t("ask.signout"));
      if (!root.open && root.isConnected) root.showModal();
    },
  };
}
