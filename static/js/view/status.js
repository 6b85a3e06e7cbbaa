// @ts-check
import { h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { at, clean, span, t, word } from "../text.js";
import { openMenu } from "../menu.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").StatusDef} StatusDef */
/** @typedef {import("../types").Send} Send */

/**
 * @param {StatusDef[] | null | undefined} defs
 * @param {string | undefined} id
 * @returns {StatusDef}
 */
export function defOf(defs, id) {
  const known = (defs ?? []).find((d) => d.id === id);
  return known ?? { id: id ?? "", name: { en: clean(id), ja: clean(id) }, class: "", colour: "grey", sign: "·", pickable: false };
}

/** The sign of a status, as text and never as a picture. @param {StatusDef} d */
export const signOf = (d) => d.sign + "\ufe0e";

/** Whether somebody is signed in who has a status (PRODUCT D1). @param {Snapshot | undefined} snap */
export const isAgent = (snap) => !!snap?.status?.now;

/**
 * The statuses a person may pick, as rows of a menu with the present one ticked.
 * @param {Snapshot} snap
 * @param {Send} send
 * @returns {import("../menu.js").Item[]}
 */
export function statusItems(snap, send) {
  return !isAgent(snap) ? [] : (snap.statuses ?? []).filter((d) => d.pickable).map((d) => ({
    label: word(d.name), role: "menuitemradio", checked: d.id === snap.status.now, sign: signOf(d), colour: d.colour,
    act: () => send("status.set", { to: d.id }),
  }));
}

/**
 * The status: sign, colour, word and time in it; a click opens the list (PRODUCT D7). Under it one line for what is
 * changing, next, offered, or what the status means for calls; its height is reserved.
 * @param {Send} send
 * @returns {import("../types").View}
 */
export function statusView(send) {
  /** @type {Snapshot} */
  let last;
  const sign = h("span", { className: "sign", "aria-hidden": "true" });
  const name = h("span", { className: "status-word" });
  const time = h("span", { className: "time" });
  const button = h("button", { type: "button", className: "status", "aria-haspopup": "menu", "aria-expanded": "false", "aria-describedby": "status-note",
    onclick: () => openMenu(t("status.list"), statusItems(last, send), button) }, sign, name, time, icon("down"));
  const note = h("span", { id: "status-note", className: "status-note", role: "status" });
  const until = h("span", { className: "time" });
  const extend = h("button", { type: "button", onclick: () => send("work.extend") }, t("status.extend"));
  const ready = h("button", { type: "button", className: "primary", onclick: () => send("status.set", { to: available(last) }) }, t("status.ready"));
  const offer = h("button", { type: "button", className: "primary", onclick: () => send("status.next", { to: last.status.offer }) });
  const cancel = h("button", { type: "button", className: "round", "aria-label": t("status.next.cancel"), title: t("status.next.cancel"),
    onclick: () => send("status.next", { to: "" }) }, icon("close"));
  const hand = handButton(send);
  const root = h("section", { className: "status-box", "aria-label": t("status.title") }, h("div", { className: "status-top" }, button, hand.root),
    h("div", { className: "status-line" }, note, until, cancel, extend, ready, offer));

  return {
    root,
    show(snap) {
      last = snap;
      root.hidden = !isAgent(snap);
      const s = snap.status, shown = defOf(snap.statuses, s.shown || s.now);
      attr(button, "aria-label", word(shown.name));
      attr(button, "data-colour", shown.colour);
      attr(button, "aria-busy", s.wish ? "true" : undefined);
      button.disabled = !snap.profile.statusShown; // D7
      put(sign, signOf(shown));
      put(name, word(shown.name));
      const work = !s.wish && !s.next && !s.offer && !!s.until;
      put(note, sentence(snap));
      note.classList.toggle("chip", !!s.next && !s.wish);
      until.hidden = extend.hidden = !work;
      ready.hidden = !work || !available(snap);
      cancel.hidden = !s.next || !!s.wish;
      hand.show(snap);
      offer.hidden = !s.offer || !!s.wish || !!s.next;
      put(offer, s.offer ? t("status.offer", { status: word(defOf(snap.statuses, s.offer).name) }) : "");
      this.tick?.(Date.now());
    },
    tick(now) {
      if (!last) return;
      hand.tick(now);
      put(time, last.status.since ? span(now - at(last.status.since)) : "");
      put(until, last.status.until ? span(at(last.status.until) - now + 999) : "");
    },
  };
}

/**
 * What one can do with the own hand: with the last words of the call, where the center lets those who lead hear them.
 * @param {Snapshot} snap
 * @param {Send} send
 * @returns {Exclude<import("../menu.js").Item, "line">[]}
 */
export function handItems(snap, send) {
  if (snap.local) return [];
  if (snap.hand) return [{ label: t("hand.lower"), act: () => send("hand.raise", { on: false }) }];
  const clip = snap.policy?.clip && (snap.calls ?? []).some((c) => c.phase === "talking" && !c.card);
  return [{ label: t("hand.raise"), act: () => send("hand.raise", { on: true }) }, ...(clip ? [{ label: t("hand.raise.clip"), act: () => send("hand.raise", { on: true, clip: true }) }] : [])];
}

/** Asks a supervisor to come (手上げ), or no more; while it is up it says for how long. @param {Send} send */
function handButton(send) {
  /** @type {string | undefined} */
  let since;
  /** @type {Exclude<import("../menu.js").Item, "line">[]} */
  let ways = [];
  const time = h("span", { className: "time", "aria-hidden": "true" });
  const root = h("button", { type: "button", className: "hand", onclick: () => (ways.length > 1 ? openMenu(t("hand.button"), ways, root) : ways[0]?.act?.()) }, icon("hand"), time);
  return {
    root,
    /** @param {Snapshot} snap */
    show(snap) {
      since = snap.hand;
      ways = handItems(snap, send);
      attr(root, "aria-haspopup", ways.length > 1 ? "menu" : undefined);
      root.hidden = !!snap.local;
      attr(root, "aria-pressed", String(!!since));
      attr(root, "aria-label", t("hand.button"));
      attr(root, "title", since ? t("hand.lower") : t("hand.raise"));
    },
    /** @param {number} now */
    tick: (now) => put(time, since ? span(now - at(since)) : ""),
  };
}

/** The status that takes outside calls. @param {Snapshot} snap */
const available = (snap) => (snap.statuses ?? []).find((d) => d.class === "available" && d.pickable)?.id ?? "";

/** @param {Snapshot} snap */
function sentence(snap) {
  const s = snap.status;
  const named = (/** @type {string} */ id) => word(defOf(snap.statuses, id).name);
  if (s.wish) return t("status.changing", { status: named(s.wish) });
  if (s.next) return t("status.next", { status: named(s.next) });
  if (s.offer) return t("status.refused");
  if (s.until) return t("status.until");
  if (snap.hand) return t("hand.up");
  const def = defOf(snap.statuses, s.now);
  if (snap.line.state === "elsewhere") return t("status.elsewhere");
  if (snap.calls?.length) return ""; // the call below says more
  return def.class === "available" ? t("status.open") : t("status.closed");
}
