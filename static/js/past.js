// @ts-check
// The calls of this sign-in, as the phone knows them, and the earlier ones of the center, as one list.

/** @typedef {import("./types").PastCall} PastCall */
/** @typedef {import("./types").HistoryCall} HistoryCall */
/** @typedef {PastCall & { far?: HistoryCall, here: boolean }} Row far: what the center says of it; here: this phone had it */

/** How far apart the clocks of phone and center may be for the same call, in milliseconds. */
const APART = 90_000;

/**
 * One list, the newest first. A call that both know is one row: what the phone has of it (sound, recording, messages), and why it was missed
 * and whether somebody has called back, which only the center knows.
 * @param {PastCall[]} own
 * @param {HistoryCall[]} center
 * @param {import("./types").Remark[]} [remarks] what was written here about the center's
 * @returns {Row[]}
 */
export function merge(own, center, remarks = []) {
  const left = [...center];
  /** @type {Row[]} */
  const rows = own.map((c) => {
    const i = left.findIndex((f) => f.inbound === c.inbound && Math.abs(Date.parse(f.at) - Date.parse(c.began)) < APART && alike(c.number, f));
    return { ...c, far: i < 0 ? undefined : left.splice(i, 1)[0], here: true };
  });
  /** @type {Row[]} */
  const all = [], far = left.map((f) => ofCenter(f, remarks));
  while (rows[0] || far[0]) { // each list keeps its own order
    const next = !far[0] || (rows[0] && Date.parse(rows[0].began) >= Date.parse(far[0].began)) ? rows.shift() : far.shift();
    all.push(/** @type {Row} */ (next));
  }
  return all;
}

/** The end of a number is what both sides agree on: a PBX puts digits before it. @param {string} number @param {HistoryCall} f */
function alike(number, f) {
  const end = (/** @type {string | undefined} */ s) => (s ?? "").replace(/\D/g, "").slice(-8);
  return [f.peer, f.dial].some((n) => n === number || (end(n) !== "" && end(n) === end(number)));
}

/** @param {HistoryCall} f @param {import("./types").Remark[]} remarks @returns {Row} */
function ofCenter(f, remarks) {
  const id = `center ${f.id}`, written = remarks.find((r) => r.call === id) ?? { outcome: f.outcome, text: f.note, unsent: false };
  return { id, outcome: written.outcome, note: written.text, unsent: written.unsent, queue: f.queue, inbound: f.inbound, outside: f.outside, number: f.dial || f.peer, name: f.name, began: f.at, talked: f.talk * 1e9, result: f.result, far: f, here: false };
}

/** Missed, and nobody has spoken with them since. @param {Row} r */
export const waits = (r) => r.inbound && r.result === "missed" && !r.far?.back;
