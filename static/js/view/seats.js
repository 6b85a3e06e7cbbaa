// @ts-check
import { each, h, put, attr } from "../dom.js";
import { at, clean, span, t, word } from "../text.js";
import { openMenu } from "../menu.js";
import { defOf, signOf, statusItems } from "./status.js";

/** @typedef {import("../types").Floor} Floor */
/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Send} Send */

/**
 * The seat view: floors as tabs, seats as buttons where the map has them, each told by colour, sign and word.
 * @param {Send} send
 * @returns {import("../types").View & { showFloor(f: Floor): void }}
 */
export function seatsView(send) {
  /** @type {Floor | undefined} */
  let floor;
  /** @type {Snapshot | undefined} */
  let snap;
  let chosen = "";
  const tabs = h("div", { className: "floors", role: "tablist", "aria-label": t("seats.floors") });
  const grid = h("div", { className: "seats", id: "seats", role: "grid", "aria-label": t("seats.title") });
  const none = h("p", { className: "empty" }, t("seats.wait"));
  const legend = h("ul", { className: "legend", "aria-label": t("seats.legend") });
  const root = h("section", { className: "pane seat-pane", "aria-label": t("seats.title") }, tabs, none, h("div", { className: "seat-scroll" }, grid), legend);
  /** @type {Map<string, { root: HTMLButtonElement }>} */
  const tabViews = new Map();
  /** @type {Map<string, ReturnType<typeof row>>} */
  const rows = new Map();
  /** @type {Map<string, ReturnType<typeof legendEntry>>} */
  const kinds = new Map();
  grid.addEventListener("keydown", (e) => walk(e, grid));

  function paint() {
    if (!floor) return;
    const floors = floor.floors ?? [], seats = floor.seats ?? [];
    if (!floors.some((f) => f.id === chosen)) chosen = seats.find((s) => s.id === floor?.mine)?.floor ?? floors[0]?.id ?? "";
    none.hidden = true;
    each(tabs, tabViews, floors, (f) => f.id, (f) => ({ root: h("button", { type: "button", role: "tab", "aria-controls": "seats", onclick: () => ((chosen = f.id), paint()) }) }), (v, f) => {
      put(v.root, clean(f.name));
      attr(v.root, "aria-selected", String(f.id === chosen));
    });
    tabs.hidden = floors.length < 2;
    const here = seats.filter((s) => s.floor === chosen || (!s.floor && floors.length < 2));
    const lines = matrix(here);
    grid.style.setProperty("--columns", String(lines[0]?.cells.length ?? 1));
    each(grid, rows, lines, (l) => l.key, () => row(menu), (v, l) => v.show(l.cells, /** @type {Floor} */ (floor)));
    rove(grid);
    const used = (floor.statuses ?? []).filter((d) => d.id !== "off");
    each(legend, kinds, used, (d) => d.id, legendEntry, (v, d) => v.show(d));
  }

  /** @param {SeatState} seat @param {Element} button */
  function menu(seat, button) {
    const mine = seat.id === floor?.mine;
    /** @type {import("../menu.js").Item[]} */
    const items = mine && snap ? statusItems(snap, send) : [];
    if (!mine && seat.account) {
      const peer = { name: clean(seat.agent || seat.account), extension: clean(seat.extension) };
      items.push({ label: t("seats.call", peer), disabled: !seat.extension, act: () => send("call.dial", { number: seat.extension }) });
    }
    if (items.length === 0) items.push({ label: t("seats.nobody"), disabled: true });
    openMenu(seatName(seat, floor), items, button);
  }

  return {
    root,
    show(s) {
      snap = s;
    },
    showFloor(f) {
      floor = f;
      paint();
    },
    tick(now) {
      for (const r of rows.values()) r.tick(now);
    },
  };
}

/** "seat, agent, status", or "seat, empty". @param {SeatState} s @param {Floor | undefined} f */
export function seatName(s, f) {
  const seat = clean(s.name) || clean(s.id);
  return s.account ? [seat, clean(s.agent || s.account), word(defOf(f?.statuses, s.status).name)].join(", ") : t("seats.empty", { seat });
}

/**
 * Lays the seats out in rows and columns as the map has them, gaps too. Cells that hold nothing keep their column.
 * @param {SeatState[]} seats
 * @returns {{ key: string, cells: (SeatState | undefined)[] }[]}
 */
export function matrix(seats) {
  const left = Math.min(...seats.map((s) => s.x)), top = Math.min(...seats.map((s) => s.y));
  const width = Math.min(64, Math.max(...seats.map((s) => s.x)) - left + 1), height = Math.min(64, Math.max(...seats.map((s) => s.y)) - top + 1);
  /** @type {Map<string, SeatState>} */
  const taken = new Map();
  /** @type {SeatState[]} */
  const rest = []; // two on one place, or far off: shown below the map rather than lost
  for (const s of seats) {
    const key = `${s.x - left},${s.y - top}`;
    if (taken.has(key) || s.x - left >= width || s.y - top >= height) rest.push(s);
    else taken.set(key, s);
  }
  if (seats.length === 0) return [];
  const lines = Array.from({ length: height }, (_, y) => ({ key: String(y), cells: Array.from({ length: width }, (_, x) => taken.get(`${x},${y}`)) }));
  for (let i = 0; i < rest.length; i += width) {
    lines.push({ key: `more${i}`, cells: Array.from({ length: width }, (_, x) => rest[i + x]) });
  }
  return lines.filter((l) => l.cells.some(Boolean));
}

/** @param {(s: SeatState, b: Element) => void} menu */
function row(menu) {
  const root = h("div", { className: "seat-row", role: "row" });
  /** @type {Map<string, ReturnType<typeof cell>>} */
  const cells = new Map();
  return {
    root,
    /** @param {(SeatState | undefined)[]} seats @param {Floor} floor */
    show(seats, floor) {
      const items = seats.map((seat, x) => ({ seat, key: seat ? seat.id : `gap${x}` }));
      each(root, cells, items, (i) => i.key, (i) => cell(Boolean(i.seat), menu), (v, i) => i.seat && v.show(i.seat, floor));
    },
    /** @param {number} now */
    tick(now) {
      for (const c of cells.values()) c.tick(now);
    },
  };
}

/** @param {boolean} full @param {(s: SeatState, b: Element) => void} menu */
function cell(full, menu) {
  const root = h("div", { role: "gridcell", className: full ? "seat-cell" : "seat-cell gap" });
  /** @type {SeatState} */
  let seat;
  const name = h("span", { className: "seat-name" });
  const sign = h("span", { className: "sign" });
  const agent = h("bdi", { className: "seat-agent" });
  const status = h("span", { className: "seat-status" });
  const time = h("span", { className: "time" });
  const button = h("button", { type: "button", className: "seat", tabIndex: -1, "aria-haspopup": "menu", onclick: () => menu(seat, button) },
    h("span", { className: "seat-top" }, name, time), agent, h("span", { className: "seat-low" }, sign, status));
  if (full) root.append(button);
  return {
    root,
    /** @param {SeatState} s @param {Floor} floor */
    show(s, floor) {
      seat = s;
      const def = defOf(floor.statuses, s.status);
      attr(button, "aria-label", seatName(s, floor));
      attr(button, "title", seatName(s, floor));
      attr(button, "data-colour", s.account ? def.colour : undefined);
      attr(button, "aria-current", s.id === floor.mine ? "true" : undefined);
      put(name, clean(s.name) || clean(s.id));
      put(sign, s.account ? signOf(def) : "");
      put(agent, s.account ? clean(s.agent || s.account) : t("seats.free"));
      put(status, s.account ? word(def.name) : "");
      this.tick(Date.now());
    },
    /** @param {number} now */
    tick(now) {
      if (seat) put(time, seat.account && seat.since ? span(now - at(seat.since)) : "");
    },
  };
}

/** @param {import("../types").StatusDef} d */
function legendEntry(d) {
  const text = h("span", {});
  const sign = h("span", { className: "sign", "aria-hidden": "true" });
  const root = h("li", { "data-colour": d.colour }, sign, text);
  return {
    root,
    /** @param {import("../types").StatusDef} def */
    show(def) {
      put(sign, signOf(def));
      put(text, word(def.name));
    },
  };
}

/** One seat takes the Tab key, the arrows go to the others (ARIA grid). @param {Element} grid */
function rove(grid) {
  const seats = [...grid.querySelectorAll("button")];
  const now = seats.find((b) => b.tabIndex === 0) ?? seats.find((b) => b.getAttribute("aria-current")) ?? seats[0];
  if (now) now.tabIndex = 0;
}

/** @param {KeyboardEvent} e @param {HTMLElement} grid */
function walk(e, grid) {
  const from = /** @type {Element} */ (e.target).closest("button");
  if (!from) return;
  const lines = [...grid.children].map((r) => [...r.children].map((c) => c.querySelector("button")));
  const y = lines.findIndex((l) => l.includes(from)), x = lines[y]?.indexOf(from) ?? -1;
  const along = (/** @type {(HTMLButtonElement | null | undefined)[]} */ way) => way.find(Boolean);
  const line = lines[y] ?? [], column = lines.map((l) => l[x]);
  const next = {
    ArrowRight: () => along(line.slice(x + 1)), ArrowLeft: () => along(line.slice(0, x).reverse()),
    ArrowDown: () => along(column.slice(y + 1)), ArrowUp: () => along(column.slice(0, y).reverse()),
    Home: () => along(line), End: () => along([...line].reverse()),
  }[e.key];
  const to = next?.();
  if (!next) return;
  e.preventDefault();
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
