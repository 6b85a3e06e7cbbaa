// @ts-check
// The floor as a table: for screen readers, for small screens, and for whoever wants the longest first.
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { at, span, t, word } from "../text.js";
import { defOf } from "../view/status.js";
import { checkFacts, rankOf } from "./seatcheckword.js";
import { callOf, factsOf, groupsOf, lookOf, placeOf, receiptOf, seatName, whoOf } from "./seatword.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Floor} Floor */
/** @typedef {{ by: string, down: boolean }} Order */
/** @typedef {ReturnType<typeof line>} Line */

/** Columns, and what they are sorted by. Times: who is there longest has the smallest. @type {[string, (s: SeatState, f: Floor) => string | number][]} */
const COLUMNS = [
  ["seat", placeOf], ["agent", (s) => (s.account ? whoOf(s) : "\uffff")],
  ["status", (s, f) => (s.check ? rankOf(s.check) : s.account ? (f.statuses ?? []).findIndex((d) => d.id === s.status) : Infinity)],
  ["time", (s) => (s.account && s.since ? at(s.since) : Infinity)], ["call", (s) => (callOf(s) ? at(s.talks) || 0 : Infinity)],
  ["hand", (s) => (s.account && s.hand ? at(s.hand) : Infinity)], ["group", (s, f) => groupsOf(s, f) || "\uffff"], ["notes", (s) => (s.account && (s.over || s.missing?.length || s.next || s.attended) ? 0 : 1)],
];

/**
 * Roles are said although they are those of a table: the style sheet lays it out otherwise on a telephone, and some browsers forget them then.
 * @param {Order} order kept by who made it
 * @param {{ menu(s: SeatState, b: Element): void, point(s: SeatState | undefined): void, moved(): void }} on
 */
export function seatTable(order, on) {
  /** @type {Floor | undefined} */
  let floor;
  /** @type {SeatState[]} */
  let seats = [];
  let drawn = /** @type {unknown} */ (undefined), now = 0, held = false;
  /** @type {Map<string, Line>} */
  const lines = new Map();
  /** Those that can be seen; without anybody who watches for it, all. @type {Set<Line> | undefined} */
  const seen = globalThis.IntersectionObserver ? new Set() : undefined;
  const watch = globalThis.IntersectionObserver && new IntersectionObserver((all) => {
    for (const e of all) {
      const l = lines.get(e.target.getAttribute("data-seat") ?? "");
      if (!l) continue;
      if (!e.isIntersecting) seen?.delete(l);
      else seen?.add(l), l.tick(now);
    }
  });
  const body = h("tbody", { role: "rowgroup" }), heads = COLUMNS.map(([id]) => head(id));
  const table = h("table", { className: "seat-table", role: "table", "aria-label": t("seats.title") }, h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads.map((x) => x.root))), body);
  const none = h("p", { className: "empty", hidden: true }, t("seats.unfound"));
  const root = h("div", { className: "seat-table-box", role: "region", tabIndex: 0, "aria-label": t("seats.table") }, table, none);
  body.addEventListener("pointerenter", () => (held = true));
  body.addEventListener("pointerleave", () => {
    held = false;
    sort();
  });
  body.addEventListener("focusout", () => sort());
  for (const kind of ["pointerover", "focusin"]) body.addEventListener(kind, (e) => on.point(rowOf(e.target)?.seat()));
  body.addEventListener("click", (e) => open(e));
  body.addEventListener("keydown", (e) => keys(e));

  /** @param {Event} e */
  function open(e) {
    const l = lineOf(e.target);
    if (l) on.menu(l.seat(), l.button);
  }
  /** @param {EventTarget | null} el */
  const rowOf = (el) => (el instanceof Element ? lines.get(el.closest("tr")?.getAttribute("data-seat") ?? "") : undefined);
  /** @param {EventTarget | null} el */
  const lineOf = (el) => (el instanceof Element && el.closest("button") ? rowOf(el) : undefined);

  /** @param {KeyboardEvent} e */
  function keys(e) {
    const l = lineOf(e.target);
    if (!l) return;
    if (e.key === "ContextMenu" || (e.key === "F10" && e.shiftKey)) open(e);
    else if (/^(ArrowDown|ArrowUp|Home|End)$/.test(e.key)) {
      const all = [...body.children], i = all.indexOf(l.root);
      const to = { ArrowDown: all[i + 1], ArrowUp: all[i - 1], Home: all[0], End: all.at(-1) }[e.key];
      const next = to && lines.get(to.getAttribute("data-seat") ?? "");
      if (next) rove(next), next.button.focus();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  }
  /** @param {Line} [to] */
  function rove(to) {
    const all = [...lines.values()], next = to ?? all.find((l) => l.button.tabIndex === 0) ?? all.find((l) => l.seat().id === floor?.mine) ?? lines.get(body.firstElementChild?.getAttribute("data-seat") ?? "");
    for (const l of all) if (l.button.tabIndex === 0 && l !== next) l.button.tabIndex = -1;
    if (next) next.button.tabIndex = 0;
  }

  /** @param {string} id */
  function head(id) {
    const arrow = h("span", { className: "seat-sort", "aria-hidden": "true" });
    const cell = h("th", { scope: "col", role: "columnheader", "data-column": id }, h("button", { type: "button", className: "quiet", onclick: () => {
      Object.assign(order, { by: id, down: order.by === id && !order.down });
      mark();
      sort(true);
      on.moved();
    } }, t(`seats.column.${id}`), arrow));
    return { id, root: cell, arrow };
  }
  function mark() {
    for (const x of heads) {
      const by = x.id === order.by;
      attr(x.root, "aria-sort", by ? (order.down ? "descending" : "ascending") : "none");
      put(x.arrow, by ? (order.down ? "▼" : "▲") : "");
    }
  }
  /** Lines go where they belong, but never away from under a pointer or the keyboard. @param {boolean} [asked] by the person */
  function sort(asked) {
    if (!floor || (!asked && (held || body.contains(document.activeElement)))) return;
    const f = floor, of = COLUMNS.find(([id]) => id === order.by)?.[1] ?? placeOf, way = order.down ? -1 : 1;
    const keyed = seats.map((s) => ({ id: s.id, key: of(s, f), seat: placeOf(s) }));
    keyed.sort((a, b) => way * (typeof a.key === "number" && typeof b.key === "number" ? (a.key === b.key ? 0 : a.key - b.key) : name.compare(String(a.key), String(b.key))) || name.compare(a.seat, b.seat) || name.compare(a.id, b.id));
    let at = body.firstElementChild;
    for (const k of keyed) {
      const l = lines.get(k.id);
      if (!l) continue;
      if (l.root === at) at = at.nextElementSibling;
      else body.insertBefore(l.root, at);
    }
  }
  const name = new Intl.Collator(undefined, { numeric: true });

  mark();
  return {
    root, mark,
    /**
     * @param {Floor} f seats that are as they were are the same objects
     * @param {SeatState[]} all those on the floor
     * @param {{ fits: (s: SeatState) => boolean, whole: unknown, now: number }} how whole: another object when every seat may look different
     */
    show(f, all, how) {
      const every = drawn !== how.whole;
      drawn = how.whole;
      floor = f;
      now = how.now;
      seats = all.filter(how.fits);
      const here = new Set(seats.map((s) => s.id));
      let changed = every;
      for (const [id, l] of lines) {
        if (here.has(id)) continue;
        watch?.unobserve(l.root);
        seen?.delete(l);
        l.root.remove();
        lines.delete(id);
        changed = true;
      }
      for (const s of seats) {
        let l = lines.get(s.id);
        if (l && !every && l.seat() === s) continue;
        if (!l) {
          lines.set(s.id, (l = line(s)));
          body.append(l.root);
          watch?.observe(l.root);
        }
        l.show(s, f, now);
        changed = true;
      }
      none.hidden = seats.length > 0 || all.length === 0;
      attr(table, "data-groups", f.groups?.length ? "true" : undefined);
      if (changed) sort(), rove();
    },
    /** @param {number} to */
    tick(to) {
      now = to;
      for (const l of seen ?? lines.values()) l.tick(to);
    },
  };
}

/** @param {SeatState} first */
function line(first) {
  let seat = first;
  const button = h("button", { type: "button", className: "seat-open", tabIndex: -1, "aria-haspopup": "menu" });
  const agent = h("bdi", {}), sign = h("span", { className: "sign", "aria-hidden": "true" }), status = h("span", {}), time = h("span", { className: "time" });
  const call = h("span", {}), callTime = h("span", { className: "time" }), up = h("span", { className: "time" }), hand = h("span", { className: "seat-hand" }, icon("hand"), h("span", {}, t("seats.hand")), up);
  const group = h("span", {}), notes = h("span", {}), receipt = h("span", { className: "seat-ring" });
  const chip = h("span", { className: "seat-chip" }, sign, status);
  const cell = (/** @type {string} */ column, /** @type {(Node | string)[]} */ ...children) => h("td", { role: "cell", "data-column": column }, ...children);
  const root = h("tr", { role: "row", "data-seat": first.id }, h("th", { scope: "row", role: "rowheader" }, button), cell("agent", agent), cell("status", chip), cell("time", time), cell("call", call, " ", callTime), cell("hand", hand), cell("group", group), cell("notes", notes, receipt));
  return {
    root, button,
    seat: () => seat,
    /** @param {SeatState} s @param {Floor} f @param {number} now */
    show(s, f, now) {
      seat = s;
      const look = lookOf(s, f), c = callOf(s), r = receiptOf(s);
      attr(root, "data-free", s.account ? undefined : "true");
      attr(root, "data-hand", s.account && s.hand ? "true" : undefined);
      attr(root, "aria-current", s.id === f.mine ? "true" : undefined);
      attr(button, "aria-label", seatName(s, f));
      attr(button, "aria-description", factsOf(s, f).join(" ") || undefined);
      put(button, placeOf(s));
      put(agent, s.account ? whoOf(s) : t("seats.free"));
      attr(chip, "data-colour", look.colour);
      put(sign, look.sign);
      put(status, look.word);
      put(call, c ? `${c.sign} ${[c.kind === "talking" && c.queue ? "" : c.word, c.queue].filter(Boolean).join(" · ")}` : "");
      hand.hidden = !s.account || !s.hand;
      put(group, groupsOf(s, f));
      put(notes, s.check ? checkFacts(s.check).join(" ") : !s.account ? "" : [s.over ? t("seats.over") : "", s.next ? "→ " + word(defOf(f.statuses, s.next).name) : "", s.attended ? t("seats.told.attended", { n: s.attended }) : ""].filter(Boolean).join(" · "));
      receipt.hidden = !r;
      attr(receipt, "data-colour", r?.colour);
      attr(receipt, "title", r?.word);
      put(receipt, r?.sign ?? "");
      this.tick(now);
    },
    /** @param {number} now */
    tick(now) {
      put(time, seat.account && seat.since ? span(now - at(seat.since)) : "");
      put(callTime, seat.account && seat.call && seat.talks ? span(now - at(seat.talks)) : "");
      if (seat.account && seat.hand) put(up, span(now - at(seat.hand)));
    },
  };
}
