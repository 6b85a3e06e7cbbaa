// @ts-check
// A floor's tab: its name and how many are there, of those floors too whose seats are not shown.
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { clean, t } from "../text.js";
import { defOf } from "../view/status.js";

/** @typedef {import("../types").Floor} Floor */
/** @typedef {import("../types").FloorCount} FloorCount */

/**
 * How many are on a floor: as its seats say where they are known, else as the center counts them, which is up to a second late.
 * @param {Floor} f
 * @param {string} id
 * @returns {FloorCount | undefined} undefined: not known
 */
export function countOf(f, id) {
  if (f.only && f.only !== id) return f.counts?.find((n) => n.floor === id);
  const n = { floor: id, seats: 0, in: 0, free: 0, hands: 0 };
  for (const s of f.seats ?? []) {
    if (s.floor !== id) continue;
    n.seats++;
    if (!s.account) continue;
    n.in++;
    if (defOf(f.statuses, s.status).class === "available" && !s.missing?.length) n.free++;
    if (s.hand) n.hands++;
  }
  return n;
}

/** @param {string} id @param {() => void} onclick */
export function floorTab(id, onclick) {
  const name = h("span", {}), seated = h("span", { className: "count" }), free = h("span", { className: "count floor-free" }), n = h("span", {}), hands = h("span", { className: "count floor-hands" }, icon("hand"), n);
  const many = h("span", { className: "floor-counts", "aria-hidden": "true" }, seated, free, hands);
  const root = h("button", { type: "button", role: "tab", "aria-controls": "seats", "data-floor": id, onclick }, name, many);
  return {
    root,
    /** @param {{ name: string }} floor @param {FloorCount | undefined} count @param {boolean} on */
    show(floor, count, on) {
      const c = count?.seats ? count : undefined;
      put(name, clean(floor.name));
      attr(root, "aria-label", clean(floor.name));
      put(seated, c ? `${c.in}/${c.seats}` : "");
      free.hidden = !c?.in;
      put(free, c ? `● ${c.free}` : "");
      hands.hidden = !c?.hands;
      put(n, String(c?.hands ?? ""));
      const told = c && [t("seats.seated", { n: c.in, all: c.seats }), t("seats.floor.free", { n: c.free }), c.hands ? t("seats.floor.hands", { n: c.hands }) : ""].filter(Boolean).join(t("seats.missing.and"));
      attr(root, "aria-description", told);
      attr(root, "title", told);
      attr(root, "aria-selected", String(on));
      root.tabIndex = on ? 0 : -1;
    },
  };
}
