// @ts-check
// The floor as a map: seats over what an administrator has drawn, near or far. How much a seat says depends on how large it is.
import { attr, each, h } from "../dom.js";
import { t } from "../text.js";
import { seatCell } from "./seatcell.js";
import { ground } from "./seatground.js";
import { placed, towards } from "./seatplan.js";
import { zoomable } from "./seatzoom.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Floor} Floor */
/** @typedef {ReturnType<typeof seatCell>} Cell */

/** A cell's height by its width. */
export const RATIO = 0.75;
/** Widths of a cell, in pixels at the usual letter size of 15, from which on it says more; the last is where everything is said. */
const LEVELS = /** @type {const} */ ([["dot", 0], ["small", 22], ["mid", 62], ["full", 116]]);
/** As large as a seat gets by itself. */
const USUAL = 128;
/** So many seats get their words before one picture at least, and as many more as fit into these milliseconds. */
const WORDED = 8, WORDING = 5;

/**
 * @param {{ menu(s: SeatState, b: Element): void, point(s: SeatState | undefined): void, moved(): void }} on what is done at the map
 */
export function seatMap(on) {
  /** @type {Floor | undefined} */
  let floor;
  let shownPlan = "", drawn = /** @type {unknown} */ (undefined), now = 0;
  let size = { width: 1, height: 1 };
  /** @type {Map<string, Cell>} */
  const cells = new Map();
  /** @type {Map<string, { root: HTMLElement, cells: Map<string, Cell> }>} */
  const rows = new Map();
  /** Those that can be seen now; read: their words too. @type {Set<Cell>} */
  let seen = new Set();
  let read = false;
  const below = ground();
  const grid = h("div", { className: "seats", id: "seats", role: "grid", "aria-label": t("seats.title") });
  const plane = h("div", { className: "seat-plane" }, below.root, grid);
  const zoom = zoomable(plane, { box: () => size, ratio: RATIO, usual: USUAL, changed: sized, moved: on.moved });
  const root = h("div", { className: "seat-map" }, zoom.root, zoom.tools);

  grid.addEventListener("click", (e) => {
    const c = cellOf(e.target);
    if (c) on.menu(c.seat(), c.button);
  });
  grid.addEventListener("keydown", (e) => key(e));
  for (const kind of ["pointerover", "focusin"]) grid.addEventListener(kind, (e) => {
    const c = cellOf(e.target);
    c?.tell();
    on.point(c?.seat());
  });
  grid.addEventListener("pointerleave", () => on.point(cellOf(document.activeElement)?.seat()));

  /** @param {EventTarget | null} el */
  function cellOf(el) {
    const id = el instanceof Element ? el.closest(".seat-cell")?.getAttribute("data-seat") : undefined;
    return id === null || id === undefined ? undefined : cells.get(id);
  }

  /** Zoomed: what a cell says by its size, and what is drawn below it. @param {number} cell pixels */
  function sized(cell) {
    const rem = (parseFloat(getComputedStyle(document.documentElement).fontSize) || 15) / 15;
    const level = cell === 0 ? "full" : LEVELS.findLast(([, from]) => cell / rem >= from)?.[0] ?? "dot";
    attr(plane, "data-level", level);
    below.size(cell, RATIO);
    look();
  }

  /** Makes and freshens those that can be seen; the others are left as they are. */
  function look() {
    const view = zoom.view(), before = read ? seen : new Set(), level = plane.getAttribute("data-level");
    const until = view ? performance.now() + WORDING : Infinity;
    let made = 0, left = 0;
    seen = new Set();
    read = level === "full" || level === "mid";
    for (const c of cells.values()) {
      if (view && (c.x < view.left - 1 || c.x > view.right || c.y < view.top - 1 || c.y > view.bottom)) continue;
      if (read && !before.has(c)) {
        if (!c.made() && made++ >= WORDED && performance.now() > until) {
          left++;
          continue;
        }
        c.near(now);
      }
      seen.add(c);
    }
    if (left) again();
  }
  const again = zoom.soon(look);
  zoom.root.addEventListener("scroll", again, { passive: true });

  /** @param {SeatState[]} seats @param {import("./seatplan.js").Plan | undefined} plan */
  function lay(seats, plan) {
    const map = placed(seats, plan), lines = new Map();
    for (const p of map.places) lines.set(p.y, [...(lines.get(p.y) ?? []), p]);
    size = { width: map.width, height: map.height };
    plane.style.setProperty("--w", String(map.width));
    plane.style.setProperty("--h", String(map.height));
    below.show(plan?.shapes ?? [], map.left, map.top);
    cells.clear();
    const order = [...lines.keys()].sort((a, b) => a - b);
    each(grid, rows, order, String, () => ({ root: h("div", { className: "seat-row", role: "row" }), cells: new Map() }), (r, y) => {
      r.root.style.setProperty("--y", String(y));
      const line = lines.get(y).sort((/** @type {any} */ a, /** @type {any} */ b) => a.x - b.x);
      each(r.root, r.cells, line, (/** @type {any} */ p) => p.seat.id, (p) => made(p.seat), (c, p) => {
        c.place(p.x, p.y);
        cells.set(p.seat.id, c);
      });
    });
    seen = new Set();
  }
  /** @param {SeatState} s */
  function made(s) {
    const c = seatCell(s, /** @type {Floor} */ (floor));
    c.root.setAttribute("data-seat", s.id);
    c.show(s, /** @type {Floor} */ (floor), now);
    return c;
  }

  /** One seat takes the Tab key, the arrows go to the others (ARIA grid). @param {Cell} [to] */
  function rove(to) {
    const all = [...cells.values()], next = to ?? all.find((c) => c.button.tabIndex === 0) ?? all.find((c) => c.seat().id === floor?.mine) ?? all[0];
    for (const c of all) if (c.button.tabIndex === 0 && c !== next) c.button.tabIndex = -1;
    if (next) next.button.tabIndex = 0;
  }

  /** @param {KeyboardEvent} e */
  function key(e) {
    const from = cellOf(e.target);
    if (!from) return;
    if (e.key === "ContextMenu" || (e.key === "F10" && e.shiftKey)) on.menu(from.seat(), from.button);
    else if (/^(Arrow|Home|End)/.test(e.key)) {
      const all = [...cells.values()], line = all.filter((c) => c.y === from.y).sort((a, b) => a.x - b.x);
      const to = e.key === "Home" ? line[0] : e.key === "End" ? line.at(-1) : towards(all, from, e.key);
      if (to) {
        rove(to);
        to.button.focus();
      } else zoom.pan(e.key);
    } else return;
    e.preventDefault();
    e.stopPropagation();
  }

  return {
    root,
    zoom,
    /**
     * @param {Floor} f seats that are as they were are the same objects
     * @param {SeatState[]} seats those on the floor that is shown
     * @param {import("./seatplan.js").Plan | undefined} plan
     * @param {{ fits: (s: SeatState) => boolean, whole: unknown, now: number }} how whole: another object when every seat may look different
     */
    show(f, seats, plan, how) {
      floor = f;
      now = how.now;
      const all = drawn !== how.whole, key = JSON.stringify(plan);
      drawn = how.whole;
      const moved = key !== shownPlan || seats.length !== cells.size || seats.some((s) => {
        const was = cells.get(s.id)?.seat();
        return !was || was.x !== s.x || was.y !== s.y;
      });
      if (moved) lay(seats, plan);
      shownPlan = key;
      for (const s of seats) {
        const c = cells.get(s.id);
        if (!c || (!all && c.seat() === s)) continue;
        c.show(s, f, now);
        c.dim(how.fits(s));
      }
      if (moved) {
        rove();
        zoom.settle();
        look();
      }
    },
    /** @param {number} to */
    tick(to) {
      now = to;
      if (read) for (const c of seen) c.tick(to);
    },
    /** Those that a filter picks. @param {(s: SeatState) => boolean} fits */
    filter(fits) {
      for (const c of cells.values()) c.dim(fits(c.seat()));
    },
  };
}
