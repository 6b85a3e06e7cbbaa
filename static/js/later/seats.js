// @ts-check
// The seat view as a whole: floors as tabs, what is looked for, and the floor as a map, as a table, or on the wall.
import { attr, each, h, put } from "../dom.js";
import { at, clock, t } from "../text.js";
import { openMenu } from "../menu.js";
import { seatItems } from "./acts.js";
import { pastView } from "./past.js";
import { seatBoard } from "./seatboard.js";
import { checkView } from "./seatcheck.js";
import { anybody, filterBar, filterOf, queueList, statusBar, wanting } from "./seatfilter.js";
import { countOf, floorTab } from "./seatfloor.js";
import { seatMap } from "./seatmap.js";
import { seatTable } from "./seattable.js";
import { factsOf, placeOf, seatName, whoOf } from "./seatword.js";
import { sheet } from "./sheet.js";

/** @typedef {import("../types").Floor} Floor */
/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Send} Send */
/** @typedef {"map" | "table"} Face */
/** @typedef {import("./seatzoom.js").Spot} Spot */
/** @typedef {{ face: Face | "", find: import("./seatfilter.js").Wish, order: import("./seattable.js").Order, board: { rotate: boolean }, spots: Record<string, Spot> }} Kept */

/** In letters: a narrower window gets the table by itself. */
const NARROW = 42.67;
/** So many floors are remembered as they were zoomed. */
const SPOTS = 50;
/** After this, in milliseconds, what somebody has set is kept. */
const SETTLES = 400;

/** The seat view with its styles. */
export async function styledSeats() {
  await sheet("seats");
  return seatsView;
}

/**
 * @param {Send} send
 * @param {import("./acts.js").Places} [places] where acts on a seat lead to
 */
export function seatsView(send, places = {}) {
  /** What the center says now, and what is shown: a floor of the past is only looked at. @type {Floor | undefined} */
  let live;
  /** @type {Floor | undefined} */
  let past;
  /** @type {Snapshot | undefined} */
  let snap;
  let keeping = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  let chosen = "", person = "", linked = true, fresh = Date.now(), boarded = false;
  /** @type {Kept} */
  const kept = { face: "", find: anybody(), order: { by: "seat", down: false }, board: { rotate: false }, spots: {} };
  /** Another object whenever every seat may look different. @type {object} */
  let whole = {};
  let filter = filterOf(kept.find), told = "", looks = "";
  /** @type {SeatState | undefined} */
  let pointed;

  const map = seatMap({ menu, point, moved: keepSpot });
  const table = seatTable(kept.order, { menu, point, moved: keep });
  const board = seatBoard(kept.board, { close: () => wall(false), moved: keep });
  const bar = filterBar(kept.find, refilter), legend = statusBar(kept.find, refilter), queues = queueList();
  const tabs = h("div", { className: "floors", role: "tablist", "aria-label": t("seats.floors"), onkeydown: turnTo });
  const none = h("p", { className: "empty" }, t("seats.wait"));
  const face = (/** @type {Face} */ to, /** @type {string} */ name) => h("button", { type: "button", onclick: () => turnFace(to) }, name);
  const faces = { map: face("map", t("seats.view.map")), table: face("table", t("seats.view.table")) };
  const wallButton = h("button", { type: "button", onclick: () => wall(true) }, t("seats.view.board"));
  const before = pastView((f) => showFloor(f, { past: true }), () => checks.close());
  const checks = checkView(send, { changed: () => void repaint(), opened: () => before.close(), floor: () => (tabs.hidden ? undefined : (live?.floors ?? []).find((x) => x.id === chosen)) });
  const fits = (/** @type {SeatState} */ s) => filter(s) && checks.fits(s);
  const views = h("div", { className: "seat-faces", role: "group", "aria-label": t("seats.view") }, faces.map, faces.table, wallButton);
  const stale = h("p", { className: "seat-stale", role: "status" }), live_ = h("p", { className: "unseen", role: "status" });
  const detail = h("p", { className: "seat-detail", "aria-hidden": "true" });
  const root = h("section", { className: "pane seat-pane", "aria-label": t("seats.title") },
    h("div", { className: "seat-bar" }, tabs, h("div", { className: "seat-extra" }, views, checks.button, before.button)), before.root, checks.root, queues.root, bar.root, legend.root, stale, none, map.root, table.root, detail, board.root, live_);
  /** @type {Map<string, ReturnType<typeof floorTab>>} */
  const tabViews = new Map();

  const shown = () => past ?? live;
  const clockNow = () => (past ? at(past.at) : Date.now());
  const isTable = () => (kept.face || (narrow() ? "table" : "map")) === "table";
  /** @param {Floor} f */
  const here = (f) => {
    const seats = (f.seats ?? []).filter((s) => s.floor === chosen || (!s.floor && (f.floors ?? []).length < 2));
    return past ? seats : seats.map(checks.dress);
  };

  function paint() {
    const f = shown();
    if (!f) return;
    const floors = f.floors ?? [];
    settle(f);
    const seats = here(f), now = clockNow();
    each(tabs, tabViews, floors, (x) => x.id, (x) => floorTab(x.id, () => turn(x.id)), (v, x) => v.show(x, countOf(f, x.id), x.id === chosen));
    tabs.hidden = floors.length < 2;
    const away = !!f.only && f.only !== chosen; // the other floor is still on its way
    none.hidden = !away && seats.length > 0;
    put(none, away ? t("seats.wait") : t("seats.bare"));
    paintFace(f, seats, now);
    bar.show(f, seats, fits);
    legend.show(f, seats);
    queues.show(f.queues ?? [], now);
    if (boarded) board.show(f, now);
    tell(seats);
    point(pointed && seats.find((s) => s.id === pointed?.id));
  }
  /** @param {Floor} f @param {SeatState[]} seats @param {number} now */
  function paintFace(f, seats, now) {
    const isTab = isTable(), how = { fits, whole, now };
    map.root.hidden = isTab;
    table.root.hidden = !isTab;
    attr(faces.map, "aria-pressed", String(!isTab));
    attr(faces.table, "aria-pressed", String(isTab));
    if (isTab) table.show(f, seats, how);
    else map.show(f, seats, (f.floors ?? []).find((x) => x.id === chosen), how);
    attr(root, "data-past", past ? "true" : undefined);
    legend.root.hidden = checks.on() && !past; // that of the check is shown
  }

  /** Shows a floor that there is: the one that was shown may have been removed. @param {Floor} f */
  function settle(f) {
    const floors = f.floors ?? [], there = (/** @type {string | undefined} */ id) => !!id && floors.some((x) => x.id === id);
    if (there(chosen) || floors.length === 0) return;
    const mine = (f.seats ?? []).find((s) => s.id === f.mine)?.floor, had = chosen;
    chosen = [f.only, mine].find(there) ?? floors[0]?.id ?? "";
    map.zoom.bring(kept.spots[chosen]);
    if (had && f.only !== chosen && !past) send("floor.watch", { on: true, floor: chosen });
  }

  /** Only what is shown is asked for. @param {string} to */
  function turn(to) {
    chosen = to;
    if (!boarded) send("floor.watch", { on: true, floor: to });
    whole = {};
    map.zoom.bring(kept.spots[to]);
    paint();
  }
  /** @param {KeyboardEvent} e */
  function turnTo(e) {
    const all = [...tabs.children].filter((x) => x instanceof HTMLElement), i = all.findIndex((x) => x === document.activeElement);
    const to = all[{ ArrowRight: (i + 1) % all.length, ArrowLeft: (i - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[e.key] ?? -1];
    if (!to) return;
    e.preventDefault();
    to.focus();
    turn(to.getAttribute("data-floor") ?? "");
  }
  /** @param {Face} to */
  function turnFace(to) {
    kept.face = to;
    keep();
    whole = {};
    paint();
  }

  /** Somebody is looked for: on the map the others fade, in the table they are left out. */
  function refilter() {
    filter = filterOf(kept.find);
    keep();
    const seats = repaint();
    if (seats && wanting(kept.find)) put(live_, t("seats.matches", { n: seats.filter(fits).length, all: seats.length }));
  }
  /** The same floor, others of its seats, or with other looks. */
  function repaint() {
    const f = shown();
    if (!f) return undefined;
    const seats = here(f);
    paintFace(f, seats, clockNow());
    map.filter(fits);
    bar.show(f, seats, fits);
    legend.show(f, seats);
    point(pointed && seats.find((s) => s.id === pointed?.id));
    return seats;
  }

  /** A hand that is new is said once; nothing else that changes is. @param {SeatState[]} seats */
  function tell(seats) {
    const up = seats.filter((s) => s.account && s.hand).map((s) => `${placeOf(s)} ${whoOf(s)}`), key = up.join("\n"), before = told;
    told = key;
    const fresh = up.filter((w) => !before.split("\n").includes(w));
    if (fresh.length && !past) put(live_, t("seats.told.hands", { n: up.length, who: fresh.join(t("seats.missing.and")) }));
    else if (!key && before) put(live_, "");
  }

  /** What is known of the seat under the pointer or the keyboard, in words that a finger gets at too. @param {SeatState | undefined} s */
  function point(s) {
    pointed = s;
    const f = shown();
    put(detail, s && f ? [seatName(s, f), ...factsOf(s, f)].join(" · ") : t("seats.hint"));
  }

  /** @param {SeatState} seat @param {Element} button */
  function menu(seat, button) {
    const f = shown();
    const items = past ? [] : seatItems(seat, f, snap, send, places);
    if (items.length === 0) items.push({ label: past ? t("seats.past") : t("seats.nobody"), disabled: true });
    openMenu(seatName(seat, f), items, button);
  }

  /** The board over everything, all floors on it; its address brings it back. @param {boolean} on */
  function wall(on) {
    boarded = on;
    board.root.hidden = !on;
    const address = new URL(location.href);
    if (on) address.searchParams.set("wallboard", "");
    else address.searchParams.delete("wallboard");
    history.replaceState(null, "", address);
    if (live) send("floor.watch", { on: true, ...wants() });
    if (!on) return wallButton.focus();
    const f = shown();
    if (f) board.show(f, clockNow());
    board.tick(Date.now());
    board.focus();
  }
  /** What to watch: all floors on the board, else the floor that is shown, or one's own while none is known. */
  const wants = () => (boarded ? {} : chosen ? { floor: chosen } : { mine: true });

  /** Each person finds the view as it was left. */
  function recall() {
    /** @type {Partial<Kept>} */
    let was = {};
    try {
      was = JSON.parse(localStorage.getItem(keyOf(person)) ?? "{}") ?? {};
    } catch {
      localStorage.removeItem(keyOf(person));
    }
    kept.face = was.face === "map" || was.face === "table" ? was.face : "";
    Object.assign(kept.find, anybody(), was.find);
    if (!Array.isArray(kept.find.statuses)) kept.find.statuses = [];
    Object.assign(kept.order, was.order);
    Object.assign(kept.board, was.board);
    kept.spots = was.spots ?? {};
    filter = filterOf(kept.find);
    table.mark();
    board.recall();
  }
  /** What is wanted is written down when hands are still: it costs time. */
  function keep() {
    clearTimeout(keeping);
    keeping = setTimeout(write, SETTLES);
  }
  function write() {
    if (person) localStorage.setItem(keyOf(person), JSON.stringify({ ...kept, spots: Object.fromEntries(Object.entries(kept.spots).slice(-SPOTS)) }));
  }
  function keepSpot() {
    const spot = map.zoom.spot();
    if (!chosen || past) return;
    delete kept.spots[chosen];
    if (spot) kept.spots[chosen] = spot;
    keep();
  }
  /** What is no more known to be so says since when. */
  function age() {
    const old = linked || past ? "" : new Date(fresh).toISOString();
    put(stale, past ? t("seats.as_was", { time: clock(past.at) }) : old ? t("seats.asof", { time: clock(old) }) : "");
    board.old(old);
  }

  /**
   * The newest floor; with past one that was, to look at only, until none is given there.
   * @param {Floor | undefined} f
   * @param {{ past?: boolean }} [how]
   */
  function showFloor(f, how = {}) {
    const before = shown();
    if (how.past) past = f && sameAs(before, f);
    else if (f) live = past ? f : sameAs(before, f);
    if (!how.past && f) linked = true;
    if (!how.past && past) return;
    const next = shown(), key = JSON.stringify([next?.statuses, next?.groups, next?.mine, !!past]);
    if (key !== looks) whole = {};
    looks = key;
    paint();
    age();
  }

  board.root.hidden = true;
  point(undefined);
  if (new URLSearchParams(location.search).has("wallboard")) boarded = true, (board.root.hidden = false), board.tick(Date.now());
  return {
    root, wants,
    /** @param {Snapshot} s @param {import("../types").Page} p */
    show(s, p) {
      snap = s;
      before.button.hidden = checks.button.hidden = !s.me?.all && !s.me?.leads?.length && s.me?.role !== "administrator";
      if (s.me && s.me.account !== person) {
        person = s.me.account;
        recall();
        if (chosen) map.zoom.bring(kept.spots[chosen]);
        paint();
      }
      const now = p.linked && s.center.online;
      if (linked && !now) fresh = Date.now();
      linked = now && (linked || !live); // until the floor comes anew it is what it was
      age();
    },
    showFloor,
    /** @param {number} now */
    tick(now) {
      if (boarded) board.tick(now);
      if (past || !root.isConnected) return;
      queues.tick(now);
      if (!map.root.hidden) map.tick(now);
      if (!table.root.hidden) table.tick(now);
    },
  };
}

/** Where a person's view is kept on this machine. @param {string} account */
const keyOf = (account) => `zaseki.seats.${account}`;

const narrow = () => innerWidth / (parseFloat(getComputedStyle(document.documentElement).fontSize) || 15) < NARROW;

/**
 * The newer floor, with the objects of before for seats that are as they were: who shows them sees at once what is new.
 * @param {Floor | undefined} before
 * @param {Floor} next
 * @returns {Floor}
 */
export function sameAs(before, next) {
  const were = new Map((before?.seats ?? []).map((s) => [s.id, s]));
  return { ...next, seats: (next.seats ?? []).map((s) => {
    const was = were.get(s.id);
    return was && alike(was, s) ? was : s;
  }) };
}

/** @param {any} a @param {any} b */
function alike(a, b) {
  for (const k in b) if (a[k] !== b[k] && (typeof b[k] !== "object" || JSON.stringify(a[k]) !== JSON.stringify(b[k]))) return false;
  for (const k in a) if (!(k in b)) return false;
  return true;
}
