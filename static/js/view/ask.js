// @ts-check
import { h, put } from "../dom.js";
import { clean, t } from "../text.js";
import { peerOf } from "./parts.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Question} Question */

/**
 * The questions: sign-out or exit ends a call (PRODUCT C4), a link wants to dial, the far side sends us elsewhere. They are
 * asked by the snapshot, so that they stand in every page, and an answer in one of them closes all. The keyboard is at
 * the safe answer.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function askView(send) {
  /** @type {Question | undefined} */
  let asked;
  const title = h("h2", { id: "ask-title" });
  const text = h("p", { id: "ask-text" });
  const no = () => {
    if (asked?.kind === "transfer") send("call.follow", { call: asked.call, on: false });
    else send("dismiss");
  };
  const stay = h("button", { type: "button", onclick: no });
  const go = h("button", { type: "button", onclick: () => asked && yes(asked, send) });
  const root = h("dialog", { className: "ask", "aria-labelledby": "ask-title", "aria-describedby": "ask-text", oncancel: (/** @type {Event} */ e) => {
    e.preventDefault();
    no();
  } }, title, text, h("div", { className: "ask-row" }, stay, go));
  return {
    root,
    show(snap) {
      const fresh = snap.ask && JSON.stringify(snap.ask) !== JSON.stringify(asked);
      asked = snap.ask;
      if (!asked) return root.open ? root.close() : undefined;
      const words = wordsOf(asked, snap), ends = asked.kind === "exit" || asked.kind === "signout";
      put(title, words.title);
      put(text, words.text);
      put(stay, words.no);
      put(go, words.yes);
      stay.className = ends ? "primary" : "";
      go.className = ends ? "danger" : "primary";
      if (!root.open && root.isConnected) root.showModal();
      else if (fresh) stay.focus();
    },
  };
}

/** @param {Question} q @param {import("../types").Send} send */
function yes(q, send) {
  if (q.kind === "dial") send("call.dial", { number: q.number });
  else if (q.kind === "origin") send("origin.allow", { origin: q.origin });
  else if (q.kind === "transfer") send("call.follow", { call: q.call, on: true });
  else send(q.kind, { sure: true });
}

/** @param {Question} q @param {Snapshot} snap */
function wordsOf(q, snap) {
  const number = clean(q.number), far = (snap.calls ?? []).find((c) => c.id === q.call);
  switch (q.kind) {
    case "dial":
      return { title: t("ask.dial.title", { number: named(q.name, number) }), text: t("ask.dial.text"), no: t("ask.dial.no"), yes: t("ask.dial.yes") };
    case "origin":
      return { title: t("ask.origin.title", { origin: clean(q.origin) }), text: t("ask.origin.text"), no: t("ask.origin.no"), yes: t("ask.origin.yes") };
    case "transfer": {
      const who = far ? peerOf(far) : clean(q.name) || t("call.hidden");
      return { title: t("ask.transfer.title", { who, number: clean(q.name) === who ? number : named(q.name, number) }), text: t("ask.transfer.text"), no: t("ask.transfer.no"), yes: t("ask.transfer.yes", { number }) };
    }
    case "exit":
      return { title: t("ask.exit.title"), text: t("ask.text"), no: t("ask.stay"), yes: t("ask.exit") };
  }
  return { title: t("ask.signout.title"), text: t("ask.text"), no: t("ask.stay"), yes: t("ask.signout") };
}

/** @param {string | undefined} name @param {string} number */
const named = (name, number) => (name ? t("name.number", { name: clean(name), number }) : number);
