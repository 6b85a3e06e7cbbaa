// @ts-check
import { attr, h, put } from "../dom.js";
import { at, clock, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */

/** For how long it is said that the center is back, in milliseconds. */
const BACK = 120_000;

/**
 * The time without a center (PRODUCT G9), in the line on top: the phone goes on, so many changes wait, and what became of them.
 * @returns {import("../types").View}
 */
export function gapView() {
  /** @type {Snapshot | undefined} */
  let last;
  const root = h("p", { className: "lost gap", role: "status" });
  return {
    root,
    show(snap) {
      last = snap;
      this.tick?.(Date.now());
    },
    tick(now) {
      const words = last ? sentence(last, now) : "";
      put(root, words);
      attr(root, "data-level", words && last?.center.online ? (last.gap?.lost ? "warn" : "good") : undefined);
    },
  };
}

/** @param {Snapshot} snap @param {number} now */
function sentence(snap, now) {
  const g = snap.gap;
  if (snap.phase !== "in" || snap.local) return "";
  if (!snap.center.online) {
    const waits = g?.waiting ? t("gap.waiting", { n: g.waiting }) : "";
    return (g ? t("gap.away", { since: clock(g.since) }) : t("problem.center.offline")) + waits;
  }
  if (!g || !at(g.until)) return "";
  if (g.waiting) return t("gap.telling", { n: g.waiting });
  return now - at(g.until) < BACK ? t("gap.back", { since: clock(g.since), until: clock(g.until ?? "") }) + (g.lost ? t("gap.lost", { n: g.lost }) : "") : "";
}
