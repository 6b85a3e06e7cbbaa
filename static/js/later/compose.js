// @ts-check
import { keyOf } from "../conversation.js";
import { attr, h, put } from "../dom.js";
import { plain, t } from "../text.js";
import { goesTo } from "./threads.js";

/** @typedef {import("../types").Message} Message */
/** @typedef {{ text: string, urgent: boolean, at: number }} Said */

/** Longest message, in characters: wire.MessageMost. */
const MOST = 1000;
/** How long the center may take until somebody is told that it has not confirmed, in milliseconds. */
const LATE = 8000;
/** How far its clock may be behind ours. */
const APART = 90_000;

/** Characters as a person counts them, not as the machine stores them. @param {string} s */
const long = (s) => [...s].length;

/**
 * Where a message is written. A draft stays with its conversation over a reload; what was sent stays until the mailbox shows it.
 * @param {import("../types").Send} send
 * @param {() => string} account
 * @param {() => void} changed
 */
export function composeView(send, account, changed) {
  let key = "";
  /** @type {Message[]} */
  let mails = [];
  /** By conversation. @type {Map<string, Said>} */
  const said = new Map();
  const text = h("textarea", { id: "msg-text", name: "msg-text", rows: 3, autocomplete: "off", placeholder: t("msg.hint"), "aria-describedby": "msg-count", oninput: typed, onkeydown: keys });
  const count = h("span", { id: "msg-count", className: "quiet-text msg-count" });
  const urgent = h("input", { id: "msg-mark", name: "msg-mark", type: "checkbox" });
  const mark = h("div", { className: "check msg-mark" }, urgent, h("label", { for: urgent.id }, t("msg.mark")));
  const go = h("button", { type: "submit", className: "primary" }, t("msg.send"));
  const wait = h("span", { role: "status" }), again = h("button", { type: "button", className: "quiet", onclick: take }, t("msg.again"));
  const pending = h("div", { className: "msg-pending", hidden: true }, h("p", { className: "msg-text" }), h("div", {}, wait, again));
  const root = h("form", { className: "msg-compose", onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), give()) }, pending,
    h("label", { className: "unseen", for: text.id }, t("msg.text")), h("div", { className: "field-box" }, text), mark, h("div", { className: "msg-send" }, count, go));

  const place = (/** @type {string} */ k) => `zaseki.draft.${account()}.${k}`;
  /** @param {string} k @param {string} words */
  function keep(k, words) {
    if (words.trim()) sessionStorage.setItem(place(k), words);
    else sessionStorage.removeItem(place(k));
  }
  function typed() {
    keep(key, text.value);
    paint();
  }
  /** @param {KeyboardEvent} e */
  function keys(e) {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return; // 229: a key that an input method takes
    e.preventDefault();
    give();
  }
  function give() {
    const words = text.value.trim();
    if (!words || !key || long(words) > MOST || said.has(key)) return;
    said.set(key, { text: words, urgent: urgent.checked, at: Date.now() });
    const to = goesTo(key), of = to.to ? mails.findLast((m) => !m.mine && m.from === to.to)?.id : undefined; // whoever has written may be answered
    send("message.send", { ...to, text: words, ...(of ? { replyTo: of } : {}), ...(urgent.checked ? { urgent: true } : {}) });
    text.value = "";
    urgent.checked = false;
    changed();
  }
  /** What was not confirmed comes back to be changed or sent again. */
  function take() {
    const was = said.get(key);
    if (!was) return;
    said.delete(key);
    text.value = [was.text, text.value].filter(Boolean).join("\n");
    urgent.checked = was.urgent;
    typed();
    text.focus();
  }
  function paint() {
    const n = long(text.value.trim()), was = said.get(key), over = n > MOST;
    put(count, n ? (over ? t("msg.long", { n, most: MOST }) : t("msg.left", { n, most: MOST })) : "");
    attr(count, "data-level", over ? "bad" : undefined);
    attr(text, "aria-invalid", over ? "true" : undefined);
    go.disabled = !n || over || !!was || !key;
    pending.hidden = !was;
    if (!was) return;
    const late = Date.now() - was.at > LATE;
    put(/** @type {Element} */ (pending.firstElementChild), plain(was.text));
    put(wait, late ? t("msg.unsent") : t("msg.sending"));
    again.hidden = !late;
  }
  return {
    root,
    focus: () => text.focus(),
    /** @param {string} to the conversation, "" none yet @param {Message[]} list @param {boolean} leads */
    show(to, list, leads) {
      mails = list;
      for (const [k, s] of said) {
        if (!list.some((m) => m.mine && keyOf(m) === k && m.text.trim() === s.text && Date.parse(m.at) > s.at - APART)) continue;
        said.delete(k);
        if (k !== key || !text.value) keep(k, k === key ? text.value : "");
      }
      if (to !== key) {
        key = to;
        const kept = sessionStorage.getItem(place(key)) ?? "", sent = [said.get(key), ...list.filter((m) => m.mine && keyOf(m) === key)];
        text.value = sent.some((m) => m?.text.trim() === kept.trim()) ? "" : kept; // sent before a reload
        urgent.checked = false;
      }
      mark.hidden = !leads;
      paint();
    },
    tick: (/** @type {number} */ _) => (said.has(key) ? paint() : undefined),
  };
}
