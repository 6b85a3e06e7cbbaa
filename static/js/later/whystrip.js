// @ts-check
// A call as a strip of time, and its quality over it.
import { h } from "../dom.js";
import { at, span, t } from "../text.js";
import { millis, mosText, percent } from "../view/grade.js";

/** @typedef {import("../types").CallFacts} Facts */
/** @typedef {import("../types").TimelineLine} Line */
/** @typedef {{ kind: "wait" | "ring" | "talk" | "hold", from: number, to: number }} Part times in milliseconds */

const SVG = "http://www.w3.org/2000/svg";
const KINDS = /** @type {const} */ (["wait", "ring", "talk", "hold"]);

/** @param {string} name @param {Record<string, string | number>} attrs @param {...Node} children */
export function svg(name, attrs, ...children) {
  const el = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attrs)) el.setAttribute(k, String(v));
  el.append(...children);
  return el;
}

/**
 * From the first moment to the last without a gap: what is no ringing, talking or holding is waiting.
 * @param {Facts} f
 * @param {Line[]} lines
 * @param {number} now a call that has not ended lasts until then
 * @returns {Part[]}
 */
export function parts(f, lines, now) {
  const began = at(f.began), ended = at(f.ended) || now, answered = at(f.answered);
  if (!began || ended <= began) return [];
  /** @type {Part[]} */
  const all = [];
  let until = began;
  const add = (/** @type {Part["kind"]} */ kind, /** @type {number} */ from, /** @type {number} */ to) => {
    const start = Math.max(from, until), end = Math.min(to, ended);
    if (start > until) all.push({ kind: answered && until >= answered ? "talk" : "wait", from: until, to: start });
    if (end > start) all.push({ kind, from: start, to: end });
    until = Math.max(until, start, end);
  };
  for (const o of f.offers ?? []) add("ring", at(o.rang) || at(o.at), answered && o.result === "answered" ? answered : at(o.at) + o.took);
  if (answered) {
    add("wait", until, answered);
    for (const [from, to] of holds(lines, ended)) add("hold", Math.max(from, answered), to);
    add("talk", until, ended);
  } else add("wait", until, ended);
  return all;
}

/** @param {Line[]} lines @param {number} ended @returns {[number, number][]} */
function holds(lines, ended) {
  const begins = /^(call )?holds?\b/, ends = /^(call )?resumes?\b/, kind = lines.some((l) => l.kind === "center" && begins.test(l.title)) ? "center" : "phone";
  /** @type {[number, number][]} */
  const all = [];
  let since = 0;
  for (const l of lines) {
    if (l.kind !== kind) continue;
    if (begins.test(l.title)) since ||= at(l.at);
    else if (ends.test(l.title) && since) all.push([since, at(l.at)]), (since = 0);
  }
  return since ? [...all, [since, ended]] : all;
}

/** The strip with the lengths of its parts in words. @param {Part[]} all */
export function strip(all) {
  const from = all[0]?.from ?? 0, long = Math.max(1, (all.at(-1)?.to ?? 0) - from);
  const x = (/** @type {number} */ ms) => Math.round((1000 * (ms - from)) / long);
  const rects = all.map((p) => svg("rect", { class: `strip-${p.kind}`, x: x(p.from), width: Math.max(2, x(p.to) - x(p.from)), y: p.kind === "hold" ? 5 : 0, height: p.kind === "hold" ? 10 : 20 }));
  const sums = KINDS.map((kind) => ({ kind, ms: all.filter((p) => p.kind === kind).reduce((n, p) => n + p.to - p.from, 0) })).filter((s) => s.ms > 0);
  return h("div", { className: "why-strip" }, /** @type {any} */ (svg("svg", { viewBox: "0 0 1000 20", preserveAspectRatio: "none", "aria-hidden": "true" }, ...rects)),
    h("ul", {}, ...sums.map((s) => h("li", { className: `strip-${s.kind}` }, t(`why.part.${s.kind}`, { time: span(s.ms) })))));
}

/** The quality of the whole call: MOS over its time, and what it was made of. @param {import("../types").Quality} q */
export function qualityStrip(q) {
  const trend = q.trend ?? [], y = (/** @type {number} */ mos) => Math.round(60 - ((Math.min(4.5, Math.max(1, mos)) - 1) / 3.5) * 56);
  let path = "", on = false;
  trend.forEach((mos, i) => {
    if (mos >= 1) path += `${on ? "L" : "M"}${Math.round((1000 * i) / Math.max(1, trend.length - 1))} ${y(mos)}`;
    on = mos >= 1;
  });
  const chart = svg("svg", { viewBox: "0 0 1000 62", preserveAspectRatio: "none", class: "why-chart", "aria-hidden": "true" },
    svg("path", { class: "chart-limit", d: `M0 ${y(3.6)}H1000` }), svg("path", { class: "chart-line", d: path }));
  const flow = (/** @type {import("../types").QualityFlow} */ f) => (f.known ? [mosText(f.mos), percent(f.loss), millis(f.jitter)] : [t("quality.unknown"), "", ""]);
  const row = (/** @type {string} */ name, /** @type {string[]} */ cells) => h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((c) => h("td", {}, c)));
  return h("div", { className: "why-quality" }, trend.length > 1 ? /** @type {any} */ (chart) : null, h("table", {},
    h("thead", {}, h("tr", {}, h("td", {}), ...[t("quality.mos"), t("quality.loss"), t("quality.jitter")].map((n) => h("th", { scope: "col" }, n)))),
    h("tbody", {}, row(t("quality.in"), flow(q.in)), row(t("quality.out"), flow(q.out)))));
}
