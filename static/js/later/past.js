// @ts-check
// The floor as it was (PRODUCT G8): a slider over a day. What is shown is the past, is marked as that, and nothing can be done in it.
import { attr, each, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { read as readJSON } from "../link.js";
import { at, clock, say, t } from "../text.js";
import { bounds, counted, drawing, gapAt, rows } from "./pastday.js";
import { sheet } from "./sheet.js";

/** @typedef {import("../types").Floor} Floor */
/** @typedef {import("../types").FloorDay} Day */

const MINUTE = 60_000;
/** How much faster than it was. */
const SPEEDS = [1, 60, 600];
/** How often it goes on while it plays, in milliseconds. */
const BEAT = 500;
/** Nearer moments are one, in milliseconds. */
const GRAIN = 5000;

/**
 * @param {(f: Floor | undefined) => void} show a floor of the past; undefined goes back to now
 * @param {() => void} [opened]
 * @param {(path: string) => Promise<any>} [read]
 */
export function pastView(show, opened = () => {}, read = readJSON) {
  /** @type {Day | undefined} */
  let day;
  let on = false, moment = 0, asked = 0, speed = 60, playing = 0, beat = 0;
  const button = h("button", { type: "button", "aria-expanded": "false", onclick: () => void turn(!on) }, icon("replay"), t("past.button"));
  const date = h("input", { id: "past-date", name: "past-date", type: "date", onchange: () => void (date.value && open(date.value)) });
  const time = h("strong", { className: "past-clock time" });
  const slider = h("input", { id: "past-time", name: "past-time", type: "range", min: "0", max: "0", step: "1", "aria-label": t("past.slider"), oninput: () => slide(Number(slider.value)), onkeydown: keys });
  const step = (/** @type {number} */ n, /** @type {string} */ name) => h("button", { type: "button", onclick: () => go(moment + n * MINUTE) }, name);
  const play = h("button", { type: "button", className: "primary past-play", onclick: () => run(!playing) }, t("past.play"));
  const fast = h("select", { id: "past-speed", name: "past-speed", onchange: () => (speed = Number(fast.value)) }, ...SPEEDS.map((s) => h("option", { value: String(s), selected: s === speed }, t("past.times", { n: s }))));
  const now = h("button", { type: "button", onclick: () => void turn(false) }, t("past.now"));
  const picture = h("div", { className: "past-picture" }), cursor = h("span", { className: "past-cursor", "aria-hidden": "true" });
  const state = h("p", { className: "past-state", role: "status" });
  /** @type {Map<string, ReturnType<typeof sign>>} */
  const kinds = new Map();
  const signs = h("ul", { className: "past-signs", "aria-label": t("past.signs") });
  const root = h("section", { className: "past", "aria-label": t("past.title"), hidden: true },
    h("div", { className: "past-line" }, h("strong", { className: "past-mark" }, t("past.mark")), h("label", { className: "unseen", for: date.id }, t("past.date")), h("span", { className: "field-box" }, date), time,
      step(-60, t("past.hour.back")), step(-1, t("past.minute.back")), step(1, t("past.minute.on")), step(60, t("past.hour.on")), play,
      h("label", { className: "unseen", for: fast.id }, t("past.speed")), h("span", { className: "field-box" }, fast), now),
    h("div", { className: "past-track" }, picture, cursor, slider), signs, state);
  const ask = newest((/** @type {number} */ ms) => read(`/floor/past?at=${encodeURIComponent(new Date(ms).toISOString())}`), (floor, err) => {
    if (!on) return;
    if (err) return put(state, wordsOf(err));
    show(floor);
    mark();
  });

  /** @param {boolean} to */
  async function turn(to) {
    on = to;
    asked = 0;
    attr(button, "aria-expanded", String(on));
    attr(button, "aria-pressed", String(on));
    if (!on) {
      run(false);
      root.hidden = true;
      show(undefined);
      return button.focus();
    }
    opened();
    await sheet("past");
    root.hidden = false;
    const last = Date.now() - 5 * MINUTE;
    await open(localDay(last), last);
    slider.focus();
  }
  /** Another day: at the same time of it, or as near as is known. @param {string} which @param {number} [ms] */
  async function open(which, ms) {
    run(false);
    put(state, t("past.wait"));
    date.value = which;
    date.max = localDay(Date.now());
    try {
      const got = await read(`/floor/day?day=${which}`);
      if (!on || date.value !== which) return;
      const into = day ? moment - at(day.from) : 0;
      day = /** @type {Day} */ (got);
      if (at(day.kept)) date.min = localDay(at(day.kept));
      put(state, "");
      paint();
      const [first, last] = bounds(day);
      if (last < 0) return put(state, t("past.none")), show(undefined);
      go(ms ?? at(day.from) + Math.min(last, Math.max(first, Math.floor(into / MINUTE))) * MINUTE);
    } catch (/** @type {any} */ e) {
      put(state, wordsOf(e));
    }
  }
  function paint() {
    if (!day) return;
    slider.max = String(day.minutes - 1);
    picture.replaceChildren(/** @type {any} */ (drawing(day)));
  }
  /** @param {number} minute */
  const slide = (minute) => day && go(at(day.from) + minute * MINUTE);

  /** To a moment of this day, of which something is known. @param {number} ms */
  function go(ms) {
    if (!day) return;
    const [first, last] = bounds(day), from = at(day.from);
    const to = Math.min(Math.max(ms, from + first * MINUTE), from + last * MINUTE + MINUTE - 1);
    if (to !== ms) run(false); // the end of what is known
    moment = to;
    const minute = Math.floor((moment - from) / MINUTE);
    if (slider.value !== String(minute)) slider.value = String(minute);
    cursor.style.left = `${(100 * (minute + 0.5)) / day.minutes}%`;
    put(time, clock(new Date(moment).toISOString()));
    const gaps = day.gaps?.length ? [{ sign: "gap", name: t("past.gap.sign"), n: -1 }] : [];
    each(signs, kinds, [...rows(day, minute), ...gaps], (r) => r.name, (r) => sign(r.sign), (v, r) => v.show(r.name, r.n));
    attr(slider, "aria-valuetext", t("past.said", { time: clock(new Date(moment).toISOString()), counts: counted(day, minute) }));
    const grain = Math.floor(moment / GRAIN) * GRAIN;
    if (grain !== asked) ask((asked = grain));
    mark();
  }
  /** Where the center was away, what is shown was told afterwards. */
  function mark() {
    const gap = day && gapAt(day, moment);
    put(state, gap ? t("past.gap", { from: clock(gap.from), until: clock(gap.until) }) : "");
    attr(state, "data-level", gap ? "warn" : undefined);
  }
  /** @param {KeyboardEvent} e */
  function keys(e) {
    const by = /** @type {Record<string, number>} */ ({ PageUp: 60, PageDown: -60 })[e.key];
    if (!by) return; // the arrows, Home and End are the browser's own: a minute, the ends of the day
    e.preventDefault();
    go(moment + by * MINUTE);
  }
  /** @param {boolean} to */
  function run(to) {
    clearInterval(playing);
    playing = 0;
    put(play, to ? t("past.pause") : t("past.play"));
    if (!to) return;
    beat = Date.now();
    playing = window.setInterval(() => {
      const gone = Date.now() - beat;
      beat += gone;
      go(moment + gone * speed);
    }, BEAT);
  }
  return { root, button, close: () => on && void turn(false) };
}

/** A colour of the drawing, what it stands for, and how many there were. @param {string} kind */
function sign(kind) {
  const name = h("span", {}), count = h("strong", { className: "time" });
  return {
    root: h("li", { className: `past-sign past-${kind}` }, name, " ", count),
    /** @param {string} words @param {number} n */
    show(words, n) {
      put(name, words);
      put(count, n < 0 ? "" : String(n));
    },
  };
}

/** The day of a moment as a date field has it, in the clock of this machine. @param {number} ms */
const localDay = (ms) => {
  const d = new Date(ms), two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
};

/** @param {any} e */
const wordsOf = (e) => (e?.problem ? say(e.problem) : e?.status === 404 ? t("past.none") : t("past.lost"));

/**
 * One question at a time, and of those that wait only the newest: a slider that is dragged asks as often as it is answered.
 * @template Q, A
 * @param {(q: Q) => Promise<A>} ask
 * @param {(a: A | undefined, err: any) => void} told
 * @returns {(q: Q) => void}
 */
export function newest(ask, told) {
  /** @type {{ q: Q } | undefined} */
  let next;
  let busy = false;
  async function work() {
    busy = true;
    while (next) {
      const { q } = next;
      next = undefined;
      const [a, err] = await ask(q).then((x) => /** @type {const} */ ([x, undefined]), (e) => /** @type {const} */ ([undefined, e]));
      if (!next) told(a, err);
      else if (!err) told(a, undefined); // late, but nearer than what is shown
    }
    busy = false;
  }
  return (q) => {
    next = { q };
    if (!busy) void work();
  };
}
