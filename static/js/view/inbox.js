// @ts-check
import { keyOf } from "../conversation.js";
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { clean, clock, plain, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Message} Message */
/** @typedef {import("../types").Send} Send */

/**
 * The button of the mailbox in the line on top, with how many messages are new, and what is urgent: it stays over the page until it is read.
 * @param {Send} send
 * @param {(to?: { account: string, name: string }) => void} open at the mailbox, or where one writes to somebody
 * @param {Set<string>} seen messages that were looked at, whatever the center knows of it
 * @returns {import("../types").View & { urgent: HTMLElement }}
 */
export function inboxView(send, open, seen) {
  /** @type {Message | undefined} */
  let first;
  const count = h("span", { className: "tab-badge", "aria-hidden": "true" });
  const root = h("button", { type: "button", className: "round inbox", "aria-expanded": "false", "aria-label": t("msg.title"), hidden: true, onclick: () => open() }, icon("chat"), count);
  const who = h("strong", {}), time = h("time", { className: "time" }), text = h("p", {});
  const urgent = h("aside", { className: "urgent", role: "alert", "aria-label": t("msg.urgent"), hidden: true },
    h("header", {}, icon("info"), who, time), text, h("div", { className: "ask-row" },
      h("button", { type: "button", onclick: () => first && open({ account: first.from, name: clean(first.name) }) }, t("msg.reply")),
      h("button", { type: "button", className: "primary", onclick: () => first && send("message.read", { upTo: first.id, with: keyOf(first) }) }, t("msg.seen"))));
  return {
    root, urgent,
    show(snap) {
      const n = (snap.unread ?? 0) - (snap.messages?.list ?? []).filter((m) => !m.mine && !m.read && seen.has(m.id)).length, there = snap.phase === "in" && !snap.local;
      root.hidden = !there;
      put(count, n > 0 ? String(Math.min(n, 99)) : "");
      attr(root, "aria-label", n > 0 ? t("msg.title.new", { n }) : t("msg.title"));
      attr(root, "title", n > 0 ? t("msg.title.new", { n }) : t("msg.title"));
      first = there ? (snap.messages?.list ?? []).find((m) => m.urgent && !m.read && !m.mine) : undefined;
      urgent.hidden = !first;
      if (!first) return;
      put(who, t("msg.urgent.from", { name: clean(first.name || first.from) }));
      put(time, clock(first.at));
      put(text, plain(first.text));
    },
  };
}
