// @ts-check
import { attr, h, put } from "../dom.js";
import { t } from "../text.js";

/** @typedef {import("../place.js").Tab} Tab */

/**
 * The places one can go to, in the line on top, with how many calls were missed.
 * @param {(to: Tab) => void} go
 */
export function tabsView(go) {
  const missed = h("span", { className: "tab-badge", "aria-hidden": "true" });
  const link = (/** @type {Tab} */ to, /** @type {string} */ name, /** @type {string} */ href) =>
    h("a", { href, className: `tab tab-${to}`, onclick: (/** @type {MouseEvent} */ e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      go(to);
    } }, name);
  const tabs = { phone: link("phone", t("tab.phone"), "/"), calls: link("calls", t("tab.calls"), "/"), contacts: link("contacts", t("tab.contacts"), "/"), seats: link("seats", t("tab.seats"), "/seats") };
  tabs.calls.append(missed);
  return {
    tabs,
    nav: h("nav", { "aria-label": t("tab.title"), hidden: true }, ...Object.values(tabs)),
    /** @param {number} n missed calls that nobody has looked at */
    badge(n) {
      put(missed, n ? String(Math.min(n, 99)) : "");
      attr(tabs.calls, "aria-label", n ? t("tab.calls.missed", { n }) : undefined);
    },
  };
}
