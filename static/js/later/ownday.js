// @ts-check
// The agent's own day in figures, as the center counts it and as supervisors see it.
import { h, put } from "../dom.js";
import { clean, clock, known, say, span, t } from "../text.js";

/** @typedef {import("../types").OwnDay} Day */

/** @param {(path: string) => Promise<any>} read fetches the center's pages */
export function ownDayView(read) {
  const date = h("input", { id: "own-day", name: "own-day", type: "date", onchange: () => void load((chosen = date.value)) });
  const figures = h("dl", { className: "own-day-figures" }), state = h("p", { className: "quiet-text", role: "status" });
  const root = h("section", { className: "own-day", "aria-label": t("day.title") },
    h("div", { className: "own-day-top" }, h("label", { for: date.id }, t("day.date")), h("span", { className: "field-box" }, date)), figures, state);
  let chosen = "", run = 0; // "" today, whatever day it gets

  async function load(day = chosen) {
    const mine = ++run;
    try {
      /** @type {Day} */
      const d = await read(`/history/day${day ? `?day=${encodeURIComponent(day)}` : ""}`);
      if (mine !== run) return;
      date.value = d.day;
      date.max = d.today;
      figures.replaceChildren(...(d.signedIn || d.taken || d.made || d.missed ? rows(d) : []));
      put(state, figures.children.length ? t("day.asof", { time: clock(d.asOf) }) : t("day.none"));
    } catch (/** @type {any} */ e) {
      if (mine !== run) return;
      figures.replaceChildren(); // better none than those of another day
      put(state, e?.problem && e.status !== 404 ? say(e.problem) : t("day.lost"));
    }
  }
  return { root, load };
}

/** @param {Day} d */
function rows(d) {
  const long = (/** @type {number} */ seconds) => span(seconds * 1000);
  const missed = Object.entries(d.missed ?? {}).sort((a, b) => b[1] - a[1]);
  const sum = missed.reduce((n, [, of]) => n + of, 0);
  return [
    row(t("day.taken"), String(d.taken)), row(t("day.made"), String(d.made)), row(t("day.talk"), long(d.talk)), row(t("day.average"), d.average ? long(d.average) : "–"),
    row(t("day.work"), long(d.work)), row(t("day.pause"), long(d.pause)), row(t("day.signed_in"), long(d.signedIn)),
    row(t("day.missed"), String(sum), missed.map(([reason, n]) => t("day.reason", { reason: known(`calls.reason.${reason}`) ? t(`calls.reason.${reason}`) : clean(reason), n })).join(t("day.sep"))),
  ];
}

/** @param {string} name @param {string} figure @param {string} [more] */
const row = (name, figure, more = "") => h("div", {}, h("dt", {}, name), h("dd", { className: "time" }, figure), more && h("dd", { className: "quiet-text" }, more));
