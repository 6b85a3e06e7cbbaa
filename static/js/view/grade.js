// @ts-check
import { attr, h, put } from "../dom.js";
import { language, t } from "../text.js";

/** @typedef {"good" | "fair" | "poor"} Grade */

/** The tray's icon turns at the same values. @param {number} mos @returns {Grade} */
export const gradeOf = (mos) => (mos > 3 ? "good" : mos > 2 ? "fair" : "poor");

/** What a grade looks like; its word is with the texts. @type {Record<Grade, [string, string]>} */
const LOOKS = { good: ["●", "green"], fair: ["▲", "amber"], poor: ["✖", "red"] };

/** @param {Grade} grade */
export const gradeName = (grade) => ({ good: t("quality.good"), fair: t("quality.fair"), poor: t("quality.poor") })[grade];

/** @param {number} n */
export const mosText = (n) => new Intl.NumberFormat(language(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(n);
/** @param {number} n */
export const percent = (n) => new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n / 100);
/** @param {number} n milliseconds */
export const millis = (n) => new Intl.NumberFormat(language(), { style: "unit", unit: "millisecond", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);

/** How good a call sounds: sign, word and MOS; the sign's form differs too, not only its colour. */
export function gradeMark() {
  const sign = h("span", { className: "sign", "aria-hidden": "true" });
  const word = h("span", {});
  const mos = h("span", { className: "time" });
  const root = h("span", { className: "grade" }, sign, word, mos);
  return {
    root,
    /** @param {number | undefined} value MOS; undefined hides it @returns {string} the sentence of it */
    show(value) {
      root.hidden = !value;
      if (!value) return "";
      const grade = gradeOf(value), [drawn, colour] = LOOKS[grade];
      attr(root, "data-colour", colour);
      put(sign, drawn + "\ufe0e");
      put(word, gradeName(grade));
      put(mos, mosText(value));
      return t("quality.now", { grade: gradeName(grade), mos: mosText(value) });
    },
  };
}
