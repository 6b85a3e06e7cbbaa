// @ts-check
// Every text a person reads comes through here: messages of both languages, times, numbers, and names from outside.

/** @typedef {import("./types").Problem} Problem */
/** @typedef {import("./types").Words} Words */

export const LANGUAGES = ["en", "ja"];

/** @type {Record<string, string>} */
let words = {};
let lang = "en";

/** The language of the address, or the one chosen last, or the configured one, or the browser's. */
export function preferred() {
  const asked = [
    new URLSearchParams(location.search).get("lang"),
    localStorage.getItem("zaseki.lang"),
    document.documentElement.dataset.lang,
    ...navigator.languages.map((l) => l.slice(0, 2)),
  ];
  return asked.find((l) => l && LANGUAGES.includes(l)) ?? "en";
}

/** The words that came with the page. @param {string} l */
function enclosed(l) {
  const text = document.querySelector(`script#words[lang="${l}"]`)?.textContent;
  return text ? JSON.parse(text) : undefined;
}

/**
 * Speaks a language from now on. The one that the phone expected came with the page.
 * @param {string} want
 */
export async function speak(want) {
  setWords(want, enclosed(want) ?? await (await fetch(`/i18n/${want}.json`)).json());
  document.documentElement.lang = want;
}

/**
 * @param {string} l
 * @param {Record<string, string>} w
 */
export function setWords(l, w) {
  lang = l;
  words = w;
}

export const language = () => lang;

/**
 * The message of that key with its holes filled; a missing key shows itself.
 * @param {string} key
 * @param {Record<string, string | number>} [holes]
 */
export function t(key, holes = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in holes ? String(holes[name]) : whole));
}

/** Whether there is a message of that key. @param {string} key */
export const known = (key) => key in words;

/** @param {Words} w */
export const word = (w) => clean(w[lang] || w.en);

/**
 * The sentence of a problem. Its values come from outside too; a time among them is shown as a clock time.
 * @param {Problem} p
 */
export function say(p) {
  /** @type {Record<string, string>} */
  const holes = {};
  for (const [k, v] of Object.entries(p.holes ?? {})) holes[k] = /^\d{4}-\d\d-\d\dT/.test(v) ? clock(v) : clean(v);
  if (p.code === "sip.form") holes.field = words["field." + holes.field] ?? holes.field;
  return words["problem." + p.code] ? t("problem." + p.code, holes) : `${t("problem.internal")} (${clean(p.code)})`;
}

/**
 * A name or number from outside without the characters that make it look like another one: controls, direction marks,
 * zero-width characters, line breaks. Long ones are cut; the style sheet shortens further.
 * @param {string | undefined} s
 */
export function clean(s) {
  return (s ?? "").replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "").trim().slice(0, 120);
}

/**
 * A length of time as 0:42, 12:05 or 1:02:03.
 * @param {number} ms
 */
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/**
 * How long ago, in the largest whole unit.
 * @param {number} ms
 */
export function ago(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [n, unit] = s < 60 ? [s, "second"] : s < 3600 ? [Math.floor(s / 60), "minute"] : [Math.floor(s / 3600), "hour"];
  const style = /** @type {const} */ ("short");
  return new Intl.RelativeTimeFormat(lang, { style }).format(-n, /** @type {Intl.RelativeTimeFormatUnit} */ (unit));
}

/** @param {string} iso */
export const clock = (iso) => new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(iso));

/** The day of a time, in words. @param {string} iso */
export const day = (iso) => new Intl.DateTimeFormat(lang, { month: "long", day: "numeric", weekday: "short" }).format(new Date(iso));

/**
 * Milliseconds of an ISO time; 0 for none.
 * @param {string | undefined} iso
 */
export const at = (iso) => (iso ? Date.parse(iso) || 0 : 0);

/**
 * A whole message from outside, line by line, without the characters that make it look like another one.
 * @param {string | undefined} s
 */
export const plain = (s) => (s ?? "").replace(/\r\n?/g, "\n").replace(/[^\P{C}\n\t]/gu, "").slice(0, 65_536);

/**
 * What a person typed or pasted as a number, ready to dial: full-width digits made narrow, separators dropped. A SIP address
 * and a link with parameters stay whole: the phone reads them.
 * @param {string} s
 */
export function number(s) {
  const narrow = clean(s.normalize("NFKC"));
  if (/^sips?:|[@;%]/i.test(narrow)) return narrow.replace(/\s/g, "");
  return narrow.replace(/^(tel|callto):\/*/i, "").replace(/[\s\-().\/‐-―−ー・]/g, "");
}

/**
 * A text as it is searched: full-width and half-width, capital and small, both kana alike.
 * @param {string} s
 */
export const fold = (s) => s.normalize("NFKC").toLowerCase().replace(/[ァ-ヶ]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0x60));
