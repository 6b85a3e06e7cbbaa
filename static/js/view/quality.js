// @ts-check
import { attr, h, put } from "../dom.js";
import { clean, t } from "../text.js";
import { chart } from "./chart.js";
import { gradeMark, gradeName, gradeOf, millis, mosText, percent } from "./grade.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").QualityFlow} Flow */

/**
 * How the call sounds now: sign, word, MOS and the last three minutes; what it is made of shows while the pointer or the
 * keyboard is on it, and stays after a click. The details open upwards, so that they never lie over a button of the call.
 * A grade that is not good is read out once, not every five seconds.
 * @param {string} id of the call
 */
export function qualityView(id) {
  let pinned = false, calls = 0;
  const mark = gradeMark(), trend = chart();
  const wait = h("span", { className: "quiet-text" }, t("quality.wait"));
  const details = detailsView(`quality-${id}`);
  const button = h("button", { type: "button", className: "quality", "aria-expanded": "false", "aria-controls": details.root.id,
    onclick: () => ((pinned = !pinned), open(pinned)) }, mark.root, wait, trend.root);
  const heard = h("span", { className: "unseen", role: "status" });
  const root = h("div", { className: "quality-box", onmouseleave: () => pinned || button === document.activeElement || open(false) }, button, details.root, heard);
  button.addEventListener("mouseenter", () => root.closest("[data-small]") || open(true)); // they would lie over the other card's buttons
  button.addEventListener("focus", () => open(true));
  button.addEventListener("blur", () => close());
  button.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || details.root.hidden) return;
    e.stopPropagation();
    close();
  });

  /** @param {boolean} on */
  function open(on) {
    details.root.hidden = !on;
    attr(button, "aria-expanded", String(on));
  }
  function close() {
    pinned = false;
    open(false);
  }
  return {
    root,
    /** @param {Call} c @param {import("../types").Snapshot} snap */
    show(c, snap) {
      const now = snap.calls?.length ?? 0;
      if (now > calls && calls) close(); // another call may stand above by now
      calls = now;
      const mos = c.quality?.mos, words = mark.show(mos);
      wait.hidden = !!mos;
      attr(button, "aria-label", words || t("quality.wait"));
      attr(root, "data-grade", mos ? gradeOf(mos) : undefined);
      put(heard, mos && gradeOf(mos) !== "good" ? t("quality.is", { grade: gradeName(gradeOf(mos)) }) : "");
      trend.show(c.quality?.trend ?? []);
      details.show(c, snap.way);
    },
  };
}

/** Both directions side by side. @param {string} id */
function detailsView(id) {
  const cell = () => h("td", {});
  const rows = [t("quality.mos"), t("quality.loss"), t("quality.jitter"), t("quality.concealed")].map((name) => ({ name, cells: [cell(), cell()] }));
  const table = h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, t("quality.in")), h("th", { scope: "col" }, t("quality.out")))),
    h("tbody", {}, ...rows.map((r) => h("tr", {}, h("th", { scope: "row" }, r.name), ...r.cells))));
  const notes = h("p", { className: "quiet-text" }), way = h("p", { className: "quiet-text" });
  const root = h("div", { id, className: "quality-details", role: "group", "aria-label": t("quality.details"), hidden: true }, table, notes, way);
  return {
    root,
    /** @param {Call} c @param {string | undefined} by */
    show(c, by) {
      const q = c.quality;
      [q?.in, q?.out].forEach((flow, i) => flowTexts(flow).forEach((text, row) => put(/** @type {Element} */ (rows[row]?.cells[i]), text)));
      put(notes, [
        q?.delay ? `${t("quality.delay")} ${millis(q.delay)}` : "", q?.rtt ? `${t("quality.rtt")} ${millis(q.rtt)}` : "",
        c.codec ? `${t("quality.codec")} ${clean(c.codec)}` : "",
      ].filter(Boolean).join(" · "));
      put(way, by === "websocket" ? t("sound.websocket.why") : "");
      way.hidden = by !== "websocket";
    },
  };
}

/** @param {Flow | undefined} f @returns {string[]} MOS, loss, jitter, concealed */
const flowTexts = (f) => (f?.known ? [mosText(f.mos), percent(f.loss), millis(f.jitter), percent(f.concealed)] : Array(4).fill(t("quality.unknown")));
