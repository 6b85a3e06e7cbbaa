// @ts-check
// The wallboard: what a room must know at a glance, from five metres away, on a screen that nobody touches for weeks.
import { attr, each, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { at, clean, clock, span, t, word } from "../text.js";
import { signOf } from "../view/status.js";
import { placeOf, whoOf } from "./seatword.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Floor} Floor */

/** How long a floor stands before the next one comes, and how often everything moves a little so that nothing burns in, in milliseconds. */
const STANDS = 15_000, DRIFTS = 60_000;
/** As many raised hands and queues are shown; the numbers above them tell of all. */
const HANDS = 6, QUEUES = 8;

/**
 * @param {{ rotate: boolean }} wish kept by who made it
 * @param {{ close(): void, moved(): void }} on
 */
export function seatBoard(wish, on) {
  /** @type {Floor | undefined} */
  let floor;
  /** The floor whose turn it is; "" all of them. */
  let turn = "", turned = 0;
  const where = h("h2", {}), time = h("span", { className: "time board-clock" }), stale = h("p", { className: "board-stale", role: "status" });
  const kinds = h("ul", { className: "board-counts", "aria-label": t("seats.legend") }), queues = h("ul", { className: "board-queues", "aria-label": t("seats.queues") });
  const hands = h("ul", { className: "board-hands", "aria-label": t("seats.board.hands") }), raised = h("h3", {}, icon("hand"), h("span", {}, t("seats.board.hands")), h("b", {})), calm = h("p", { className: "board-calm" }, t("seats.board.calm"));
  const all = h("h3", {}, icon("people"), h("span", {}, t("seats.queues")), h("b", {}));
  const none = h("p", { className: "board-calm" }, t("seats.board.noqueues"));
  const rotate = h("input", { id: "board-rotate", type: "checkbox", checked: wish.rotate, onchange: () => {
    wish.rotate = rotate.checked;
    turned = 0;
    turn = "";
    on.moved();
    show();
  } });
  const full = h("button", { type: "button", onclick: () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.())?.catch(() => {}) }, t("seats.board.full"));
  const close = h("button", { type: "button", onclick: () => on.close() }, icon("close"), h("span", {}, t("seats.board.close")));
  const tools = h("div", { className: "board-tools" }, h("label", { className: "check", for: rotate.id }, rotate, h("span", {}, t("seats.board.rotate"))), full, close);
  const left = h("section", { className: "board-left" }, all, none, queues), right = h("section", { className: "board-right" }, raised, calm, hands);
  const face = h("div", { className: "board-face" }, h("header", {}, where, stale, time), kinds, h("div", { className: "board-below" }, left, right));
  const root = h("section", { className: "wallboard", "aria-label": t("seats.view.board"), onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Escape" || document.fullscreenElement) return;
    e.preventDefault();
    on.close();
  } }, face, tools);
  /** @type {Map<string, ReturnType<typeof tile>>} */
  const tiles = new Map();
  /** @type {Map<string, ReturnType<typeof queueTile>>} */
  const lines = new Map();
  /** @type {Map<string, ReturnType<typeof handLine>>} */
  const people = new Map();
  let now = 0;

  function show() {
    if (!floor) return;
    const f = floor, floors = f.floors ?? [], seats = f.seats ?? [];
    if (turn && !floors.some((x) => x.id === turn)) turn = "";
    const here = turn ? seats.filter((s) => s.floor === turn) : seats;
    put(where, turn ? clean(floors.find((x) => x.id === turn)?.name) : floors.length === 1 ? clean(floors[0]?.name) : t("seats.board.all"));
    const n = new Map();
    for (const s of here) if (s.account) n.set(s.status ?? "", (n.get(s.status ?? "") ?? 0) + 1);
    const always = ["available", "work", "pause", "away"];
    const shown = (f.statuses ?? []).filter((d) => n.has(d.id) || always.includes(d.class) || d.id === "talking");
    each(kinds, tiles, shown, (d) => d.id, () => tile(), (v, d) => v.show(d, n.get(d.id) ?? 0));
    const waiting = (f.queues ?? []).reduce((sum, q) => sum + q.waiting, 0);
    put(/** @type {Element} */ (all.lastElementChild), String(waiting));
    attr(all, "data-level", waiting ? "some" : undefined);
    none.hidden = !!f.queues?.length;
    const first = [...(f.queues ?? [])].sort((a, b) => (a.waiting ? at(a.since) : Infinity) - (b.waiting ? at(b.since) : Infinity) || 0).slice(0, QUEUES);
    each(queues, lines, first, (q) => q.id, () => queueTile(), (v, q) => v.show(q, now));
    const up = seats.filter((s) => s.account && s.hand).sort((a, b) => at(a.hand) - at(b.hand));
    put(/** @type {Element} */ (raised.lastElementChild), String(up.length));
    attr(raised, "data-level", up.length ? "some" : undefined);
    calm.hidden = up.length > 0;
    each(hands, people, up.slice(0, HANDS), (s) => s.id, () => handLine(), (v, s) => v.show(s, now));
  }
  function drift() {
    const step = Math.floor(now / DRIFTS) % 9;
    face.style.setProperty("--drift-x", String((step % 3) - 1));
    face.style.setProperty("--drift-y", String(Math.floor(step / 3) - 1));
  }
  return {
    root,
    /** @param {Floor} f @param {number} at_ */
    show(f, at_) {
      floor = f;
      now = at_;
      show();
    },
    /** When it was so, if it is no more known to be; "" when it is. @param {string} since */
    old(since) {
      put(stale, since ? t("seats.asof", { time: clock(since) }) : "");
      attr(root, "data-old", since ? "true" : undefined);
    },
    focus: () => close.focus({ preventScroll: true }),
    recall: () => void (rotate.checked = wish.rotate),
    /** @param {number} to */
    tick(to) {
      now = to;
      put(time, clock(new Date(to).toISOString()));
      for (const v of [...lines.values(), ...people.values()]) v.tick(to);
      drift();
      if (!wish.rotate) return;
      if (!turned) turned = to;
      if (to - turned < STANDS) return;
      turned = to;
      const ids = ["", ...(floor?.floors ?? []).map((x) => x.id)];
      turn = ids.length > 2 ? (ids[(ids.indexOf(turn) + 1) % ids.length] ?? "") : "";
      show();
    },
  };
}

function tile() {
  const sign = h("span", { className: "sign", "aria-hidden": "true" }), n = h("b", {}), name = h("span", {});
  const root = h("li", {}, h("span", { className: "board-n" }, sign, n), name);
  return {
    root,
    /** @param {import("../types").StatusDef} d @param {number} many */
    show(d, many) {
      attr(root, "data-colour", many ? d.colour : undefined);
      put(sign, signOf(d));
      put(n, String(many));
      put(name, word(d.name));
    },
  };
}

function queueTile() {
  /** @type {import("../types").QueueLoad | undefined} */
  let queue;
  const name = h("bdi", {}), n = h("b", {}), time = h("span", { className: "time" }), free = h("span", { className: "board-free" });
  const root = h("li", {}, name, n, time, free);
  const self = {
    root,
    /** @param {import("../types").QueueLoad} q @param {number} now */
    show(q, now) {
      queue = q;
      put(name, clean(q.name) || clean(q.id));
      put(n, t("seats.queue.waiting", { n: q.waiting }));
      put(free, t("seats.queue.free", { n: q.free }));
      attr(root, "data-level", q.waiting === 0 ? undefined : q.free ? "some" : "bad");
      self.tick(now);
    },
    /** @param {number} now */
    tick(now) {
      put(time, queue?.waiting && queue.since ? span(now - at(queue.since)) : "");
    },
  };
  return self;
}

function handLine() {
  /** @type {SeatState | undefined} */
  let seat;
  const name = h("bdi", {}), place = h("span", { className: "board-place" }), time = h("span", { className: "time" });
  const root = h("li", {}, place, name, time);
  const self = {
    root,
    /** @param {SeatState} s @param {number} now */
    show(s, now) {
      seat = s;
      put(name, whoOf(s));
      put(place, placeOf(s));
      self.tick(now);
    },
    /** @param {number} now */
    tick: (now) => put(time, seat?.hand ? span(now - at(seat.hand)) : ""),
  };
  return self;
}
