// @ts-check
// What the check of a seat says of it (PRODUCT G10): colour, sign and word, the figures, and what to do.
import { clean, language, say, t } from "../text.js";

/** @typedef {import("../types").SeatCheck} SeatCheck */

/** Signs and colours of the states, the worst first: the order in which one wants to see them. @type {Record<string, [string, string | undefined]>} */
const STATES = { failed: ["×", "red"], weak: ["!", "amber"], absent: ["–", undefined], busy: ["☎\ufe0e", "violet"], calling: ["…", "blue"], waiting: ["□\ufe0e", "grey"], ok: ["✓", "green"] };

/** Reasons whose sentence does not say what to do. */
const TODO = ["unheard", "unanswered", "refused", "delay", "absent", "away", "busy", "desk"];

/** What a phone can lack; see wire.LineReport. */
export const LACKS = ["heartbeat", "line", "page", "mic", "ring"];

export const states = Object.keys(STATES);

/** @param {string} state @returns {{ colour?: string, sign: string, word: string }} */
export function stateLook(state) {
  const [sign, colour] = STATES[state] ?? ["", undefined];
  return { colour, sign, word: t(STATES[state] ? `seats.check.is.${state}` : "seats.check.is.none") };
}

/** Where it stands when the worst come first. @param {SeatCheck} c */
export const rankOf = (c) => (states.indexOf(c.state) + states.length + 1) % (states.length + 1); // what was not checked comes last

/** Whether there are figures: nothing was measured where nobody answered. @param {SeatCheck} c */
const measured = (c) => (c.state === "ok" || c.state === "weak" || c.state === "failed") && !!(c.ring || c.heard);

/** Formats are dear to make, and a floor has a thousand times and figures on it. @type {Map<string, any>} */
const formats = new Map();

/** @template F @param {string} key @param {() => F} make @returns {F} */
function format(key, make) {
  const of = `${language()} ${key}`;
  if (!formats.has(of)) formats.set(of, make());
  return formats.get(of);
}

/** @param {string} iso */
export const clock = (iso) => format("clock", () => new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })).format(new Date(iso));

/** @param {number | undefined} n @param {number} [digits] */
const figure = (n, digits = 0) => format(`${digits}`, () => new Intl.NumberFormat(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits })).format(n ?? 0);

/** As short as it fits onto a seat: the worse loss, and the delay. "" without figures. @param {SeatCheck} c */
export const briefOf = (c) => (measured(c) && c.heard ? t("seats.check.brief", { loss: figure(Math.max(c.lossThere ?? 0, c.lossBack ?? 0), 1), delay: figure(c.delay) }) : "");

/** All figures, in one line. @param {SeatCheck} c */
function figuresOf(c) {
  if (!measured(c)) return "";
  const way = c.heard ? t("seats.check.figures", { there: figure(c.lossThere, 1), back: figure(c.lossBack, 1), delay: figure(c.delay), jitter: figure(c.jitter, 1) }) : t("seats.check.unheard");
  return [c.ring ? t("seats.check.ring", { ring: figure(c.ring) }) : "", way, c.heard && c.secure ? t("seats.check.secure") : ""].filter(Boolean).join(t("seats.missing.and"));
}

/**
 * What the check found, sentence by sentence: why, what to do about it, and the figures.
 * @param {SeatCheck} c
 * @returns {string[]}
 */
export function checkFacts(c) {
  if (!c.state) return [];
  const facts = [], reason = c.why?.replace(/^check\./, "");
  if (c.why) facts.push(say({ code: c.why }));
  if (reason && TODO.includes(reason)) facts.push(t(`seats.check.todo.${reason}`));
  for (const m of c.missing ?? []) facts.push(LACKS.includes(m) ? t(`seats.todo.${m}`) : clean(m));
  const figures = figuresOf(c);
  if (figures) facts.push(figures);
  if (c.at) facts.push(t("seats.check.at", { time: clock(c.at) }));
  return facts;
}
