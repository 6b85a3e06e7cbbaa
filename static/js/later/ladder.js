// @ts-check
// The SIP messages of a call as a ladder: who said what to whom. Repetitions are one arrow.
import { h, put } from "../dom.js";
import { clean, plain, t } from "../text.js";
import { exact } from "./whyfacts.js";
import { svg } from "./whystrip.js";

/** @typedef {import("../types").TimelineLine} Line */
/** @typedef {{ line: Line, times: number, peer: string }} Rung */

/** Sizes in pixels: a row, the place for the time, a column. */
const [ROW, LEFT, COLUMN, TOP] = [28, 96, 250, 34];
/** So many places are shown at most; whoever else took part stands in the last. */
const PLACES = 4;

/** One arrow for each message: what was sent again is counted. @param {Line[]} lines @returns {Rung[]} */
export function rungs(lines) {
  /** @type {Rung[]} */
  const all = [];
  for (const line of lines) {
    if (line.kind !== "sip") continue;
    const peer = [clean(line.network), clean(line.peer)].filter(Boolean).join(" ");
    const again = all.find((r) => r.peer === peer && !r.line.sent === !line.sent && r.line.title === line.title && !!line.text && r.line.text === line.text);
    if (again) again.times++;
    else all.push({ line, times: 1, peer });
  }
  return all;
}

/** @param {Line[]} lines */
export function ladder(lines) {
  const all = rungs(lines), peers = [...new Set(all.map((r) => r.peer))];
  const shown = peers.length > PLACES ? [...peers.slice(0, PLACES - 1), t("why.l.others")] : peers;
  const place = (/** @type {string} */ peer) => LEFT + COLUMN * (1 + Math.min(peers.indexOf(peer), PLACES - 1)) + 30, us = LEFT + 30;
  const height = TOP + ROW * all.length + 8, width = place(peers[Math.min(peers.length, PLACES) - 1] ?? "") + 90;
  const title = h("h4", {}), text = h("pre", { tabIndex: 0 }), message = h("div", { className: "ladder-text", role: "region", "aria-label": t("why.l.message"), "aria-live": "polite", hidden: true }, title, text);
  const words = (/** @type {string} */ s, /** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ cls, anchor = "middle") => svg("text", { x, y, class: cls, "text-anchor": anchor }, document.createTextNode(s));
  const column = (/** @type {string} */ name, /** @type {number} */ x) => [words(name, x, 16, "ladder-place"), svg("path", { class: "ladder-line", d: `M${x} ${TOP - 10}V${height}` })];
  /** @param {Rung} r @param {number} i */
  function arrow(r, i) {
    const y = TOP + ROW * i + 16, far = place(r.peer), [from, to] = r.line.sent ? [us, far] : [far, us], tip = from < to ? -8 : 8;
    const name = clean(r.line.title) + (r.times > 1 ? ` ×${r.times}` : ""), label = t(r.line.sent ? "why.l.sent" : "why.l.received", { time: exact(r.line.at, 3), what: name, peer: r.peer });
    const g = svg("g", { class: "ladder-rung", role: "button", tabindex: 0, "aria-label": label, "aria-pressed": "false", "data-kind": /^[1-6]\d\d\b/.test(name) ? `${name[0]}xx` : "request" },
      svg("rect", { x: 0, y: y - 19, width, height: ROW, class: "ladder-hit" }), words(exact(r.line.at, 3), 4, y + 3, "ladder-time", "start"),
      svg("path", { class: "ladder-arrow", d: `M${from} ${y}H${to}m${tip} -4L${to} ${y}l${tip} 4` }), words(name, (from + to) / 2, y - 4, "ladder-name"));
    const open = () => {
      for (const other of drawing.querySelectorAll("[aria-pressed=true]")) other.setAttribute("aria-pressed", "false");
      g.setAttribute("aria-pressed", "true");
      put(title, label);
      put(text, plain(r.line.text) || clean(r.line.title));
      message.hidden = false;
    };
    g.addEventListener("click", open);
    g.addEventListener("keydown", (/** @type {any} */ e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), open()));
    return g;
  }
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "ladder", role: "group", "aria-label": t("why.ladder") },
    ...column(t("why.l.us"), us), ...shown.flatMap((p, i) => column(p, LEFT + COLUMN * (1 + i) + 30)), ...all.map(arrow));
  return h("div", { className: "ladder-box" }, h("div", { className: "ladder-scroll", tabIndex: 0, role: "region", "aria-label": t("why.ladder") }, /** @type {any} */ (drawing)), message);
}
