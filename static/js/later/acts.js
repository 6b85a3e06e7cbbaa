// @ts-check
// What can be done to a seat (PRODUCT E3–E5): what one may do is decided by the center; what it would refuse anyway is not offered.
import { at, clean, span, t, word } from "../text.js";
import { defOf, signOf, statusItems } from "../view/status.js";
import { playClip } from "./clip.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Floor} Floor */
/** @typedef {import("../types").Send} Send */
/** @typedef {import("../menu.js").Item} Item */
/** @typedef {{ write?: (to: { account: string, name: string }) => void, play?: (clip: string, name: string) => void }} Places where to write a message, and to hear a recording */

/** Where it is remembered that one stays for the agent's next calls. */
const FOLLOW = "zaseki.follow";

/** The phases in which there is somebody to listen to. */
const UP = ["talking", "held"];

/** Whether this person may act on who sits there. @param {Snapshot | undefined} snap @param {SeatState} seat */
export const leads = (snap, seat) => !!snap?.me && snap.me.account !== seat.account && (!!snap.me.all || (seat.groups ?? []).some((g) => snap.me?.leads?.includes(g)));

/**
 * The menu of a seat.
 * @param {SeatState} seat
 * @param {Floor | undefined} floor
 * @param {Snapshot | undefined} snap
 * @param {Send} send
 * @param {Places} [places]
 * @returns {Item[]}
 */
export function seatItems(seat, floor, snap, send, places = {}) {
  if (!snap || !seat.account) return [{ label: t("seats.nobody"), disabled: true }];
  if (seat.account === snap.me?.account || seat.id === floor?.mine) return statusItems(snap, send);
  const name = clean(seat.agent || seat.account), mine = leads(snap, seat);
  /** @type {Item[]} */
  const items = [...handItems(seat, snap, name, mine, send, places)];
  if (items.length) items.push("line");
  items.push({ label: t("seats.call", { name, extension: clean(seat.extension) }), disabled: !seat.extension, act: () => send("call.dial", { number: seat.extension }) });
  if (places.write && mayWrite(seat, floor, snap, mine)) items.push({ label: t("act.message", { name }), act: () => places.write?.({ account: seat.account ?? "", name }) });
  return mine ? [...items, "line", ...attendItems(seat, snap, name, send), "line", statusOf(seat, floor, snap, send)] : items;
}

/** People of one group, and those who lead it, may write to each other. One's own groups are known by the own seat. @param {SeatState} seat @param {Floor | undefined} floor @param {Snapshot} snap @param {boolean} mine */
function mayWrite(seat, floor, snap, mine) {
  if (mine || !floor?.seats) return true;
  const own = floor.seats.find((s) => s.account === snap.me?.account)?.groups;
  return !own || !seat.groups || seat.groups.some((g) => own.includes(g));
}

/** A raised hand: what it is about, the last words of it, and the answer. @param {SeatState} seat @param {Snapshot} snap @param {string} name @param {boolean} mine @param {Send} send @param {Places} places @returns {Item[]} */
function handItems(seat, snap, name, mine, send, places) {
  if (!seat.hand) return [];
  const told = snap.notices?.find((n) => n.account === seat.account && n.hand)?.hand; // who leads learns the number there
  const c = { ...seat.handCall, ...told }, clip = c.clip ?? "", now = Date.now();
  const about = [clean(c.queue), [clean(c.name), clean(c.number)].filter(Boolean).join(" "), c.since ? t("act.hand.talks", { time: span(now - at(c.since)) }) : ""].filter(Boolean).join(" · ");
  /** @type {Item[]} */
  const items = [{ label: t("act.hand", { time: span(now - at(seat.hand)) }), note: about, disabled: true }];
  if (mine && clip) items.push({ label: t("act.clip"), act: () => (places.play ?? playClip)(clip, name) });
  if (mine) items.push({ label: t("act.lower"), act: () => send("hand.lower", { account: seat.account }) });
  return items;
}

/** Listen, whisper, join; in no call they begin with the next one. @param {SeatState} seat @param {Snapshot} snap @param {string} name @param {Send} send @returns {Item[]} */
function attendItems(seat, snap, name, send) {
  const with_ = snap.supervised, here = with_?.account === seat.account, calls = UP.includes(seat.call ?? "");
  const no = here ? "" : unfit(snap), follows = () => localStorage.getItem(FOLLOW) === "true";
  /** @type {Item[]} */
  const items = ["listen", "whisper", "join"].map((mode) => ({
    label: t(`attend.${mode}`), role: "menuitemradio", checked: here && with_?.mode === mode, disabled: !!no,
    note: no || (calls || here ? t(`attend.${mode}.who`, { name }) : t("attend.next")),
    act: () => send("supervise", { account: seat.account, mode, follow: here ? !!with_?.follow : !calls || follows() }),
  }));
  items.push({
    label: t("attend.follow"), role: "menuitemcheckbox", checked: here ? !!with_?.follow : !calls || follows(), disabled: !!no || (!here && !calls),
    act: () => {
      if (here) send("supervise", { account: seat.account, mode: with_?.mode, follow: !with_?.follow });
      else localStorage.setItem(FOLLOW, String(!follows()));
    },
  });
  if (here) items.push({ label: t("attend.end"), act: () => send("supervise", { account: seat.account, mode: "" }) });
  return items;
}

/** Why this phone cannot take part in anybody's call just now; "" when it can. @param {Snapshot} snap */
function unfit(snap) {
  if (snap.supervised) return t("attend.no.other", { name: clean(snap.supervised.agent || snap.supervised.account) });
  if (!/^softphone/.test(snap.me?.terminal.type ?? "")) return t("attend.no.terminal");
  if (snap.calls?.length) return t("attend.no.call");
  return snap.line.state === "registered" ? "" : t("attend.no.line");
}

/** Another's status: in a call it is the next one, where the center wants it so (PRODUCT E5). @param {SeatState} seat @param {Floor | undefined} floor @param {Snapshot} snap @param {Send} send @returns {Item} */
function statusOf(seat, floor, snap, send) {
  const defs = floor?.statuses?.length ? floor.statuses : (snap.statuses ?? []), next = !!seat.call && snap.profile.refuseInCall;
  return {
    label: next ? t("act.next") : t("act.status"), note: next ? t("act.next.why") : "",
    items: defs.filter((d) => d.pickable).map((d) => ({
      label: word(d.name), role: "menuitemradio", checked: d.id === (next ? seat.next : seat.status), sign: signOf(d), colour: defOf(defs, d.id).colour,
      act: () => send("status.of", { account: seat.account, to: d.id, ...(next ? { next } : {}) }),
    })),
  };
}
