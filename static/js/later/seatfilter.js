// @ts-check
// Who of a floor is looked for, how many are in which status, and who waits for them.
import { attr, each, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { asked, fits, lookable } from "../kana.js";
import { at, clean, span, t, word } from "../text.js";
import { signOf } from "../view/status.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Floor} Floor */
/** @typedef {{ name: string, group: string, statuses: string[], hands: boolean }} Wish statuses: "" is an empty seat */

/** @returns {Wish} */
export const anybody = () => ({ name: "", group: "", statuses: [], hands: false });

/** @param {Wish} w */
export const wanting = (w) => !!(w.name.trim() || w.group || w.statuses.length || w.hands);

/** What can be looked for in a seat. Seats that are as they were are the same objects. @type {WeakMap<SeatState, ReturnType<typeof lookable>>} */
const texts = new WeakMap();

/**
 * Whether a seat is one of those that are wanted; without regard to statuses, for their counts.
 * @param {Wish} w
 * @returns {(s: SeatState) => boolean}
 */
function amongst(w) {
  const typed = w.name.trim(), q = asked(typed);
  return (s) => {
    if (w.group && !s.groups?.includes(w.group)) return false;
    if (w.hands && !(s.account && s.hand)) return false;
    if (!typed) return true;
    let text = texts.get(s);
    if (!text) texts.set(s, (text = lookable([s.account ? clean(s.agent) : "", s.account ?? "", clean(s.name), s.id, s.extension ?? ""])));
    return fits(q, text);
  };
}

/** @param {Wish} w @returns {(s: SeatState) => boolean} */
export function filterOf(w) {
  const rest = amongst(w);
  return (s) => (w.statuses.length === 0 || w.statuses.includes(s.account ? (s.status ?? "") : "")) && rest(s);
}

/** How many are in each status, of those that are wanted otherwise; by the status's id, "" the empty seats. @param {SeatState[]} seats @param {Wish} w */
export function countsOf(seats, w) {
  const rest = amongst(w);
  /** @type {Map<string, number>} */
  const n = new Map();
  for (const s of seats) if (rest(s)) n.set(s.account ? (s.status ?? "") : "", (n.get(s.account ? (s.status ?? "") : "") ?? 0) + 1);
  return n;
}

/**
 * The bar above the seats. What is wanted is kept by who made it; changed is called when the person wants something else.
 * @param {Wish} wish
 * @param {() => void} changed
 */
export function filterBar(wish, changed) {
  const name = h("input", { id: "seat-search", name: "seat-search", type: "search", autocomplete: "off", spellcheck: false, placeholder: t("seats.filter.name"), "aria-label": t("seats.filter.name"), value: wish.name, oninput: () => {
    wish.name = name.value;
    changed();
  } });
  const group = h("select", { id: "seat-group", name: "seat-group", "aria-label": t("seats.filter.group"), onchange: () => {
    wish.group = group.value;
    changed();
  } });
  const hands = h("span", { className: "count" });
  const raised = h("button", { type: "button", className: "seat-hands", onclick: () => {
    wish.hands = !wish.hands;
    changed();
  } }, icon("hand"), h("span", {}, t("seats.filter.hands")), hands);
  const matches = h("span", { className: "seat-matches" });
  const clear = h("button", { type: "button", className: "quiet", onclick: () => {
    Object.assign(wish, anybody());
    name.value = group.value = "";
    changed();
    name.focus();
  } }, t("seats.filter.clear"));
  const groups = h("div", { className: "field-box" }, group);
  const left = h("div", { className: "seat-left" }, matches, clear);
  const root = h("div", { className: "seat-filter", role: "search", "aria-label": t("seats.filter") }, h("div", { className: "field-box" }, name), groups, raised, left);
  let listed = "";
  return {
    root,
    /** @param {Floor} f @param {SeatState[]} seats @param {(s: SeatState) => boolean} filter */
    show(f, seats, filter) {
      const all = f.groups ?? [], key = JSON.stringify(all);
      if (key !== listed) {
        group.replaceChildren(h("option", { value: "" }, t("seats.filter.all")), ...all.map((g) => h("option", { value: g.id }, clean(g.name) || clean(g.id))));
        listed = key;
      }
      if (wish.group && !all.some((g) => g.id === wish.group)) wish.group = ""; // it is no more, and nobody could choose another
      group.value = wish.group;
      groups.hidden = all.length === 0;
      if (document.activeElement !== name && name.value !== wish.name) name.value = wish.name;
      const up = seats.filter((s) => s.account && s.hand).length;
      attr(raised, "aria-pressed", String(wish.hands));
      attr(raised, "data-some", up ? "true" : undefined);
      put(hands, String(up));
      clear.hidden = !wanting(wish);
      put(matches, wanting(wish) ? t("seats.matches", { n: seats.filter(filter).length, all: seats.length }) : "");
    },
  };
}

/**
 * How many are in each status; a click shows them only.
 * @param {Wish} wish
 * @param {() => void} changed
 */
export function statusBar(wish, changed) {
  const root = h("ul", { className: "legend", "aria-label": t("seats.legend") });
  /** @type {Map<string, ReturnType<typeof chip>>} */
  const chips = new Map();
  /** @param {string} id */
  const press = (id) => {
    wish.statuses = wish.statuses.includes(id) ? wish.statuses.filter((s) => s !== id) : [...wish.statuses, id];
    changed();
  };
  return {
    root,
    /** @param {Floor} f @param {SeatState[]} seats */
    show(f, seats) {
      const n = countsOf(seats, wish);
      const kinds = (f.statuses ?? []).filter((d) => d.id !== "off" || n.has("off")).map((d) => ({ id: d.id, sign: signOf(d), word: word(d.name), colour: /** @type {string | undefined} */ (d.colour) }));
      each(root, chips, [...kinds, { id: "", sign: "□\ufe0e", word: t("seats.free"), colour: undefined }], (k) => `s${k.id}`, (k) => chip(() => press(k.id)),
        (v, k) => v.show(k, n.get(k.id) ?? 0, wish.statuses.includes(k.id)));
    },
  };
}

/** One of a legend that can be pressed. @param {() => void} press */
export function chip(press) {
  const sign = h("span", { className: "sign", "aria-hidden": "true" }), name = h("span", {}), n = h("span", { className: "count" });
  const button = h("button", { type: "button", onclick: press }, sign, name, " ", n);
  const root = h("li", {}, button);
  return {
    root,
    /** @param {{ sign: string, word: string, colour?: string }} k @param {number} many @param {boolean} on */
    show(k, many, on) {
      attr(button, "data-colour", k.colour);
      attr(button, "aria-pressed", String(on));
      attr(button, "data-none", many ? undefined : "true");
      put(sign, k.sign);
      put(name, k.word);
      put(n, String(many));
    },
  };
}

/** Who waits in each queue, for how long the first of them does, and how many are free for them. */
export function queueList() {
  const root = h("ul", { className: "seat-queues", "aria-label": t("seats.queues") });
  /** @type {Map<string, ReturnType<typeof queueLine>>} */
  const lines = new Map();
  return {
    root,
    /** @param {import("../types").QueueLoad[]} queues @param {number} now */
    show(queues, now) {
      root.hidden = queues.length === 0;
      each(root, lines, queues, (q) => q.id, () => queueLine(), (v, q) => v.show(q, now));
    },
    /** @param {number} now */
    tick(now) {
      for (const l of lines.values()) l.tick(now);
    },
  };
}

function queueLine() {
  /** @type {import("../types").QueueLoad | undefined} */
  let queue;
  const name = h("bdi", { className: "queue-name" }), waiting = h("span", { className: "queue-waiting" }), free = h("span", { className: "queue-free" });
  const time = h("span", { className: "time" }), longest = h("span", { className: "queue-longest" }, h("span", {}, t("seats.queue.longest")), " ", time);
  const root = h("li", {}, name, " ", waiting, " ", longest, " ", free);
  const self = {
    root,
    /** @param {import("../types").QueueLoad} q @param {number} now */
    show(q, now) {
      queue = q;
      put(name, clean(q.name) || clean(q.id));
      put(waiting, t("seats.queue.waiting", { n: q.waiting }));
      put(free, t("seats.queue.free", { n: q.free }));
      attr(root, "data-level", q.waiting === 0 ? undefined : q.free ? "some" : "bad");
      self.tick(now);
    },
    /** @param {number} now */
    tick(now) {
      const waits = !!queue?.waiting && !!queue.since;
      attr(longest, "data-off", waits ? undefined : "true");
      put(time, waits ? span(now - at(queue?.since)) : "");
    },
  };
  return self;
}
