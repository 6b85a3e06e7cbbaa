// @ts-check
// Charts in SVG, drawn for the width there is. A table with the same figures always stands beside them.
import { h } from "../../js/dom.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number | undefined>} [attrs]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function s(tag, attrs = {}, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(attrs)) if (v !== undefined) el.setAttribute(k, String(v));
  el.append(...children);
  return el;
}

let ids = 0;

/**
 * An SVG that a screen reader announces as a picture with these words.
 * @param {number} width @param {number} height
 * @param {string} title @param {string} desc
 * @param {Record<string, string>} [more]
 */
function picture(width, height, title, desc, more = {}) {
  const id = "chart" + ++ids;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": id + "t", "aria-describedby": id + "d", class: "chart", ...more },
    s("title", { id: id + "t" }, title), s("desc", { id: id + "d" }, desc));
}

/**
 * A part of a stacked bar: colour is a status colour, pattern tells apart what has the same one.
 * @typedef {{ key: string, name: string, colour: string, hollow?: boolean }} Part
 */

/** What the colours mean. @param {Part[]} parts */
export function legend(parts) {
  return h("ul", { className: "legend" }, ...parts.map((p) =>
    h("li", { "data-colour": p.colour }, h("span", { className: p.hollow ? "swatch hollow" : "swatch", "aria-hidden": "true" }), p.name)));
}

/**
 * Rows of stacked bars with a name before and a figure behind each.
 * @param {{ name: string, total: string, values: Record<string, number> }[]} rows
 * @param {Part[]} parts
 * @param {(part: Part, value: number) => string} say
 */
export function bars(rows, parts, say) {
  const most = Math.max(...rows.map((r) => parts.reduce((sum, p) => sum + (r.values[p.key] ?? 0), 0)), 1e-9);
  return h("div", { className: "bars" }, ...rows.flatMap((r) => {
    const told = parts.filter((p) => r.values[p.key] > 0).map((p) => say(p, r.values[p.key]));
    const svg = picture(1000, 20, r.name, told.join(", "), { preserveAspectRatio: "none" });
    let x = 0;
    for (const p of parts) {
      const wide = ((r.values[p.key] ?? 0) / most) * 1000;
      if (wide <= 0) continue;
      const rect = s("rect", { x: x.toFixed(2), y: 1, width: wide.toFixed(2), height: 18, "data-colour": p.colour, class: p.hollow ? "hollow" : undefined },
        s("title", {}, say(p, r.values[p.key])));
      svg.append(rect);
      x += wide;
    }
    return [h("span", { className: "bar-name" }, r.name), svg, h("span", { className: "bar-total" }, r.total)];
  }));
}

/** A round number that is not smaller, for the top of a scale. @param {number} n */
export function roundUp(n) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 4, 5, 8, 10].map((f) => f * ten).find((v) => v >= n) ?? 10 * ten;
}

const LEFT = 44, RIGHT = 8, TOP = 10, BOTTOM = 26;

/**
 * The frame of a chart over time: lines with figures at the left, some labels below.
 * @param {SVGElement} svg @param {number} width @param {number} height @param {number} top
 * @param {string[]} labels one a column
 * @param {(v: number) => string} figure
 */
function scale(svg, width, height, top, labels, figure) {
  const y = (/** @type {number} */ v) => TOP + (height - TOP - BOTTOM) * (1 - v / top);
  for (const v of [0, top / 2, top]) {
    svg.append(s("line", { x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v), class: "rule" }),
      s("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end", class: "figure" }, figure(v)));
  }
  const step = (width - LEFT - RIGHT) / labels.length;
  const every = Math.ceil(46 / step);
  labels.forEach((label, i) => {
    if (i % every === 0) svg.append(s("text", { x: LEFT + step * (i + 0.5), y: height - 8, "text-anchor": "middle", class: "figure" }, label));
  });
  return { y, x: (/** @type {number} */ i) => LEFT + step * i, step };
}

/**
 * Stacked columns, one a label.
 * @param {{ width: number, title: string, desc: string, labels: string[], values: Record<string, number>[], parts: Part[],
 *   say: (label: string, part: Part, value: number) => string }} o
 */
export function columns({ width, title, desc, labels, values, parts, say }) {
  const height = 190;
  const svg = picture(width, height, title, desc, { width: String(width), height: String(height) });
  const most = Math.max(...values.map((v) => parts.reduce((sum, p) => sum + (v[p.key] ?? 0), 0)));
  const top = Math.max(roundUp(most), 2);
  const { x, y, step } = scale(svg, width, height, top, labels, (v) => String(v));
  values.forEach((v, i) => {
    let base = 0;
    for (const p of parts) {
      const n = v[p.key] ?? 0;
      if (!n) continue;
      const gap = Math.min(step * 0.15, 6);
      svg.append(s("rect", { x: (x(i) + gap).toFixed(1), width: Math.max(step - 2 * gap, 1).toFixed(1), y: y(base + n).toFixed(1), height: (y(base) - y(base + n)).toFixed(1),
        "data-colour": p.colour, class: p.hollow ? "hollow" : undefined }, s("title", {}, say(labels[i], p, n))));
      base += n;
    }
  });
  return svg;
}

/**
 * Lines over the same labels; a value that is null is a gap. Each line has its own mark and dashes.
 * @param {{ width: number, title: string, desc: string, labels: string[], lines: { name: string, colour: string, values: (number | null)[] }[],
 *   figure: (v: number) => string, top: (v: number) => number }} o
 */
export function lines({ width, title, desc, labels, lines: all, figure, top }) {
  const height = 160;
  const svg = picture(width, height, title, desc, { width: String(width), height: String(height) });
  const { x, y, step } = scale(svg, width, height, top(Math.max(1, ...all.flatMap((l) => l.values.map((v) => v ?? 0)))), labels, figure);
  all.forEach((l, n) => {
    const at = (/** @type {number} */ i) => x(i) + step / 2;
    let path = "", up = true;
    l.values.forEach((v, i) => {
      if (v !== null) path += `${up ? "M" : "L"}${at(i).toFixed(1)} ${y(v).toFixed(1)}`;
      up = v === null;
    });
    svg.append(s("path", { d: path, class: "line", "data-colour": l.colour, "stroke-dasharray": n ? "5 4" : undefined }));
    l.values.forEach((v, i) => {
      if (v === null) return;
      const words = s("title", {}, `${labels[i]} ${l.name}: ${figure(v)}`);
      svg.append(n ? s("rect", { x: at(i) - 3.5, y: y(v) - 3.5, width: 7, height: 7, "data-colour": l.colour }, words) : s("circle", { cx: at(i), cy: y(v), r: 3.5, "data-colour": l.colour }, words));
    });
  });
  return svg;
}

/**
 * A place for a chart that is drawn anew when its width changes.
 * @param {(width: number) => SVGElement} draw
 * @param {(f: () => void) => void} end
 */
export function fitted(draw, end) {
  const box = h("div", { className: "chart-box" });
  let last = 0;
  const watch = new ResizeObserver(() => {
    const width = Math.floor(box.clientWidth);
    if (!width || width === last) return;
    last = width;
    box.replaceChildren(draw(width));
  });
  watch.observe(box);
  end(() => watch.disconnect());
  return box;
}
