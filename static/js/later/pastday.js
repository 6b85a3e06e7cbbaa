// @ts-check
// A day of the floor in minutes: what stands beneath the slider of the past.
import { at, clean, known, t } from "../text.js";
import { svg } from "./whystrip.js";

/** @typedef {import("../types").FloorDay} Day */

/** Classes of status from the bottom up; whatever else a center has comes last. */
const CLASSES = ["available", "work", "pause", "system"];
const HEIGHT = 100;

/** The classes that are counted, without who is signed out. @param {Day} day */
const classes = (day) => Object.keys(day.counts).filter((c) => c !== "off").sort((a, b) => (CLASSES.indexOf(a) + 9) % 9 - (CLASSES.indexOf(b) + 9) % 9);

/** @param {string} c */
export const className = (c) => (known(`past.class.${c}`) ? t(`past.class.${c}`) : clean(c));

/** Whether anything is known of that minute. @param {Day} day @param {number} m */
export const isKnown = (day, m) => classes(day).some((c) => (day.counts[c]?.[m] ?? -1) >= 0);

/** The first and the last minute of which anything is known; [0, -1] none. @param {Day} day */
export function bounds(day) {
  let first = 0, last = day.minutes - 1;
  while (first < day.minutes && !isKnown(day, first)) first++;
  while (last >= first && !isKnown(day, last)) last--;
  return first < day.minutes ? [first, last] : [0, -1];
}

/** The gap that a moment is in. @param {Day} day @param {number} ms */
export const gapAt = (day, ms) => (day.gaps ?? []).find((g) => at(g.from) <= ms && ms < at(g.until));

/** What there was in that minute: by class, and who talked and waited. @param {Day} day @param {number} m @returns {{ sign: string, name: string, n: number }[]} */
export const rows = (day, m) => [...classes(day).map((c) => ({ sign: CLASSES.includes(c) ? c : "other", name: className(c), n: day.counts[c]?.[m] ?? -1 })),
  { sign: "talking", name: t("past.talking"), n: day.talking?.[m] ?? -1 }, { sign: "waiting", name: t("past.waiting"), n: day.waiting?.[m] ?? -1 }];

/** The same in words. @param {Day} day @param {number} m */
export function counted(day, m) {
  if (!isKnown(day, m)) return t("past.unknown");
  return rows(day, m).filter(({ n }) => n > 0).map(({ name, n }) => t("past.count", { name, n })).join(t("past.sep")) || t("past.nobody");
}

/**
 * The day as a drawing: agents by class on top of each other, those who talked as a line, callers who waited as bars from above, and where the
 * center was away. One unit is a minute.
 * @param {Day} day
 */
export function drawing(day) {
  const all = classes(day), n = day.minutes;
  let most = 1, crowd = 1;
  for (let m = 0; m < n; m++) {
    most = Math.max(most, all.reduce((sum, c) => sum + Math.max(0, day.counts[c]?.[m] ?? 0), 0));
    crowd = Math.max(crowd, day.waiting?.[m] ?? 0);
  }
  const base = new Array(n).fill(0), y = (/** @type {number} */ v) => (HEIGHT - (v / most) * 78).toFixed(1);
  const areas = all.map((c) => {
    const low = [...base];
    for (let m = 0; m < n; m++) base[m] += Math.max(0, day.counts[c]?.[m] ?? 0);
    return svg("path", { class: `past-${CLASSES.includes(c) ? c : "other"}`, d: area(base, low, y) });
  });
  const talk = stepped((day.talking ?? []).map((v) => (v < 0 ? NaN : v)), y);
  const waits = (day.waiting ?? []).map((v, m) => (v > 0 ? `M${m + 0.5} 0V${((v / crowd) * 20).toFixed(1)}` : "")).join("");
  const gaps = (day.gaps ?? []).map((g) => {
    const from = (at(g.from) - at(day.from)) / 60_000, to = (at(g.until) - at(day.from)) / 60_000;
    return svg("rect", { class: "past-gap", x: Math.max(0, from), y: 0, width: Math.max(1, Math.min(n, to) - Math.max(0, from)), height: HEIGHT });
  });
  return svg("svg", { viewBox: `0 0 ${n} ${HEIGHT}`, preserveAspectRatio: "none", class: "past-day", "aria-hidden": "true" }, ...areas, svg("path", { class: "past-talking", d: talk }), svg("path", { class: "past-waiting", d: waits }), ...gaps);
}

/** @param {number[]} top @param {number[]} low @param {(v: number) => string} y */
function area(top, low, y) {
  let there = `M0 ${y(top[0] ?? 0)}`;
  for (let m = 1; m < top.length; m++) if (top[m] !== top[m - 1]) there += `H${m}V${y(top[m] ?? 0)}`;
  return `${there}H${top.length}V${y(low.at(-1) ?? 0)}${downwards(low, y)}Z`;
}

/** Along the lower edge, from the end to the beginning. @param {number[]} low @param {(v: number) => string} y */
function downwards(low, y) {
  let d = "";
  for (let m = low.length - 1; m > 0; m--) if (low[m] !== low[m - 1]) d += `H${m}V${y(low[m - 1] ?? 0)}`;
  return d + "H0";
}

/** A line in steps, broken where nothing is known. @param {number[]} values @param {(v: number) => string} y */
function stepped(values, y) {
  let d = "", on = false;
  values.forEach((v, m) => {
    const is = !Number.isNaN(v);
    if (is && !on) d += `M${m} ${y(v)}`;
    else if (is && v !== values[m - 1]) d += `H${m}V${y(v)}`;
    else if (!is && on) d += `H${m}`;
    on = is;
  });
  return on ? `${d}H${values.length}` : d;
}
