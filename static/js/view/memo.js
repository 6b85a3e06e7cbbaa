// @ts-check
import { attr, each, h, put } from "../dom.js";
import { clean, t, word } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Outcome} Outcome */
/** @typedef {{ id: string, queue?: string, outcome?: string, note?: string, unsent?: boolean }} Noted a call that can be noted: one of now, or of the past */

/** Longest note, in characters: wire.NoteMax. */
const MOST = 2000;
/** A pause in typing after which a note is said, and how long its echo may take before it is said again, in milliseconds. */
const PAUSE = 600;
const ECHO = 4000;
/** How often it is said before the person is told that it is not kept. */
const TRIES = 4;

/** How this call can have ended, by its queue; all of them where the queue is not known. @param {Snapshot} snap @param {string | undefined} queue */
export const outcomesOf = (snap, queue) => (snap.desk?.outcomes ?? []).filter((o) => !queue || !o.queues?.length || o.queues.includes(queue));

/** The name of an outcome; its id where the center has it no more. @param {Snapshot} snap @param {string | undefined} id */
export const outcomeName = (snap, id) => {
  const of = (snap.desk?.outcomes ?? []).find((o) => o.id === id);
  return of ? word(of.name) : clean(id);
};

/** A note as it is compared: the phone may tidy blanks. @param {string | undefined} s */
const bare = (s) => (s ?? "").replace(/[\s\p{Cc}\p{Cf}]+/gu, "");

/**
 * What the agent writes about one call: how it ended, and a few words. It is kept by itself, a moment after the last key, when the keyboard
 * goes elsewhere and before the page goes; what the phone has not confirmed is said again, and never written over.
 * @param {import("../types").Send} send
 * @param {string} name tells the card's fields from those of another card
 */
export function memoCard(send, name) {
  /** @type {Noted | undefined} */
  let call;
  /** What was said and is not yet in the snapshot. @type {{ outcome: string, text: string, at: number, tries: number } | undefined} */
  let said;
  let dirty = false, timer = 0;
  const legend = h("legend", { className: "unseen" }, t("memo.outcome"));
  const chips = h("div", { className: "memo-chips" });
  const choice = h("fieldset", { className: "memo-outcomes", onkeydown: byDigit }, legend, chips);
  const text = h("textarea", { id: `memo-${name}`, name: `memo-${name}`, rows: 2, maxLength: MOST, autocomplete: "off", placeholder: t("memo.hint"), "aria-describedby": `memo-${name}-state`, oninput: () => {
    dirty = true;
    clearTimeout(timer);
    timer = window.setTimeout(flush, PAUSE);
    paint();
  }, onblur: () => flush() });
  const state = h("span", { id: `memo-${name}-state`, className: "memo-state" });
  const root = h("div", { className: "memo" }, choice, h("div", { className: "memo-text field-box" }, h("label", { className: "unseen", for: text.id }, t("memo.text")), text), state);
  /** @type {Map<string, ReturnType<typeof chip>>} */
  const kept = new Map();

  const radios = () => /** @type {HTMLInputElement[]} */ ([...chips.querySelectorAll("input")]);
  const chosen = () => radios().find((r) => r.checked)?.value ?? "";

  /** @param {Outcome} o */
  function chip(o) {
    const box = h("input", { id: `memo-${name}-${o.id}`, name: `memo-outcome-${name}`, type: "radio", value: o.id, onchange: changed });
    const key = h("small", { "aria-hidden": "true" }), words = h("span", {});
    let before = false;
    const root = h("div", { className: "memo-chip" }, box, h("label", { for: box.id, onmousedown: () => void (before = box.checked), onclick: (/** @type {Event} */ e) => {
      if (!before) return;
      e.preventDefault(); // a second click takes it back
      before = box.checked = false;
      changed();
    } }, key, words));
    return { root, box, key, words };
  }
  function changed() {
    dirty = true;
    flush();
  }
  /** 1 to 9 choose while the keyboard is in the list, 0 and Delete take it back. @param {KeyboardEvent} e */
  function byDigit(e) {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const all = radios(), to = /^[1-9]$/.test(e.key) ? all[Number(e.key) - 1] : undefined;
    const none = e.key === "0" || e.key === "Delete" || e.key === "Backspace";
    if (!to && !none) return;
    e.preventDefault();
    for (const r of all) r.checked = r === to;
    to?.focus();
    changed();
  }
  /** Says what is not said yet. */
  function flush() {
    clearTimeout(timer);
    if (!call || !dirty) return;
    dirty = false;
    const now = { outcome: chosen(), text: text.value.trim() };
    if (!said && now.outcome === (call.outcome ?? "") && now.text === (call.note ?? "").trim()) return paint(); // typed and taken back
    said = { ...now, at: 0, tries: 0 };
    tell();
  }
  function tell() {
    if (!call || !said) return;
    said.at = Date.now();
    said.tries++;
    send("call.note", { call: call.id, ...(said.outcome ? { outcome: said.outcome } : {}), ...(said.text ? { text: said.text } : {}), at: new Date().toISOString() });
    paint();
  }
  function paint() {
    const lost = !!said && said.tries >= TRIES, words = lost ? t("memo.lost") : dirty || said ? t("memo.saving") : call?.unsent ? t("memo.unsent") : call?.note || call?.outcome ? t("memo.saved") : "";
    attr(state, "aria-live", lost || call?.unsent ? "polite" : undefined);
    attr(state, "data-level", lost ? "bad" : call?.unsent ? "wait" : undefined);
    put(state, words);
  }

  return {
    root, flush,
    /** Somebody writes just now, or what was written is not kept yet. */
    busy: () => dirty || !!said || root.contains(document.activeElement),
    focus: () => (radios()[0] ?? text).focus(),
    /** @param {Noted} c @param {Snapshot} snap */
    show(c, snap) {
      if (call?.id !== c.id) {
        flush();
        [said, dirty] = [undefined, false];
        text.value = "";
        for (const r of radios()) r.checked = false;
      }
      call = c;
      if (said && (said.outcome === (c.outcome ?? "") && bare(said.text) === bare(c.note))) said = undefined;
      const all = outcomesOf(snap, c.queue);
      choice.hidden = all.length === 0;
      each(chips, kept, all, (o) => o.id, chip, (v, o) => {
        const i = all.indexOf(o);
        put(v.key, i < 9 ? String(i + 1) : "");
        put(v.words, word(o.name));
        attr(v.box, "aria-keyshortcuts", i < 9 ? String(i + 1) : undefined);
      });
      if (!dirty && !said) {
        for (const r of radios()) r.checked = r.value === c.outcome;
        if (bare(text.value) !== bare(c.note)) text.value = c.note ?? "";
      }
      paint();
    },
    /** Says again what nobody has confirmed. @param {number} now */
    tick(now) {
      if (!said || now - said.at < ECHO) return;
      if (said.tries < TRIES) tell();
      else paint();
    },
  };
}
