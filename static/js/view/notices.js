// @ts-check
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { clock, say, t } from "../text.js";

/** @typedef {import("../types").Notice} Notice */

/**
 * Things to know that block nothing, until they are closed. They lie over the page's lower edge: nothing moves for them.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function noticesView(send) {
  const root = h("section", { className: "notices", role: "log", "aria-label": t("notice.title") });
  /** @type {Map<string, ReturnType<typeof notice>>} */
  const shown = new Map();
  return {
    root,
    show(snap) {
      each(root, shown, (snap.notices ?? []).slice(0, 4), (n) => n.id, (n) => notice(n.id, send), (v, n) => v.show(n));
    },
  };
}

/** @param {string} id @param {import("../types").Send} send */
function notice(id, send) {
  const text = h("p", {});
  const time = h("time", { className: "time" });
  const root = h("article", { className: "notice" }, time, text,
    h("button", { type: "button", className: "round", "aria-label": t("notice.close"), title: t("notice.close"), onclick: () => send("dismiss", { notice: id }) }, icon("close")));
  return {
    root,
    /** @param {Notice} n */
    show(n) {
      attr(root, "data-level", n.level);
      put(time, clock(n.at));
      put(text, say(n.problem));
    },
  };
}
