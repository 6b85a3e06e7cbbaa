// @ts-check
// What a seat says of itself: its name, its look at a glance, and all that is known of it in words.
import { clean, t, word } from "../text.js";
import { defOf, signOf } from "../view/status.js";
import { LACKS, checkFacts, clock, stateLook } from "./seatcheckword.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Floor} Floor */

/** "seat, agent, status", or "seat, empty". @param {SeatState} s @param {Floor | undefined} f */
export function seatName(s, f) {
  const seat = placeOf(s);
  const check = s.check ? t("seats.check.named", { state: stateLook(s.check.state).word }) : "";
  if (!s.account) return [t("seats.empty", { seat }), check].filter(Boolean).join(", ");
  return [seat, whoOf(s), word(defOf(f?.statuses, s.status).name), s.over ? t("seats.over") : "", lacks(s), s.hand ? t("seats.hand") : "", check].filter(Boolean).join(", ");
}

/** @param {SeatState} s */
export const placeOf = (s) => clean(s.name) || clean(s.id);

/** @param {SeatState} s */
export const whoOf = (s) => clean(s.agent || s.account);

/** What a seat is not ready for a call for (PRODUCT G1); "" when it is. @param {SeatState} s */
export function lacks(s) {
  const what = (s.missing ?? []).map((m) => (LACKS.includes(m) ? t(`seats.missing.${m}`) : clean(m)));
  return what.length ? t("seats.preparing", { what: what.join(t("seats.missing.and")) }) : "";
}

/**
 * Colour, sign and word of a seat: what a check found there, or as its status and its readiness have it. No colour: nobody sits there.
 * @param {SeatState} s
 * @param {Floor} f
 * @returns {{ colour?: string, sign: string, word: string }}
 */
export function lookOf(s, f) {
  if (s.check) return stateLook(s.check.state);
  if (!s.account) return { sign: "", word: "" };
  const def = defOf(f.statuses, s.status), short = lacks(s);
  return { colour: short ? "grey" : def.colour, sign: short ? "…" : signOf(def), word: short || word(def.name) };
}

/** Signs of what a call is at, by wire's phases. @type {Record<string, [string, string]>} */
const PHASES = { offered: ["♪", "ringing"], dialing: ["↗", "calling"], alerted: ["↗", "calling"], joining: ["☎", "talking"], talking: ["☎", "talking"], held: ["‖", "held"] };

/** What the agent's call is at; undefined for none. @param {SeatState} s */
export function callOf(s) {
  const [sign, kind] = PHASES[(s.account && s.call) || ""] ?? [];
  return sign && kind ? { sign: sign + "\ufe0e", kind, word: t(`seats.phase.${kind}`), queue: clean(s.queue) } : undefined;
}

/** Signs and colours of receipts (PRODUCT G3). @type {Record<string, [string, string]>} */
const RECEIPTS = { rings: ["✓", "green"], silent: ["!", "amber"], unreached: ["×", "red"] };

/** The receipt of the last call that was offered; undefined for none. @param {SeatState} s */
export function receiptOf(s) {
  const [sign, colour] = RECEIPTS[(s.account && s.ring) || ""] ?? [];
  return sign && colour ? { sign, colour, word: t(`seats.ring.${s.ring}`) } : undefined;
}

/**
 * All that is known of a seat beyond its name, a sentence each; no time in it runs.
 * @param {SeatState} s
 * @param {Floor} f
 */
export function factsOf(s, f) {
  const facts = s.check ? checkFacts(s.check) : [];
  if (!s.account) return facts;
  const call = callOf(s), receipt = receiptOf(s);
  if (s.since) facts.push(t("seats.told.since", { status: word(defOf(f.statuses, s.status).name), time: clock(s.since) }));
  if (s.over) facts.push(t("seats.told.over"));
  if (call) facts.push(t(call.queue ? "seats.told.queue" : "seats.told.call", { phase: call.word, queue: call.queue, time: clock(s.talks || s.since || f.at) }));
  if (s.next) facts.push(t("seats.told.next", { status: word(defOf(f.statuses, s.next).name) }));
  if (s.attended) facts.push(t("seats.told.attended", { n: s.attended }));
  if (s.hand) facts.push(t("seats.told.hand", { time: clock(s.hand) }));
  for (const m of s.missing ?? []) if (LACKS.includes(m)) facts.push(t(`seats.todo.${m}`));
  if (s.status === "lost") facts.push(t("seats.todo.lost"));
  if (receipt) facts.push(receipt.word);
  return [...new Set(facts)];
}

/** The groups of a seat's agent by name. @param {SeatState} s @param {Floor} f */
export const groupsOf = (s, f) => (s.groups ?? []).map((id) => clean(f.groups?.find((g) => g.id === id)?.name ?? id)).join(", ");
