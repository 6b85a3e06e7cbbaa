// @ts-check
import { createBook } from "../book.js";
import { attr, h, put } from "../dom.js";
import { found } from "../kana.js";
import { clean, number, t } from "../text.js";
import { lampLook } from "./contacts.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {{ number: string, name: string, names: string[], lamp: string | undefined }} Offer names: by which it is found */

/** Longest list, so that it stays a glance. */
const MOST = 6;

/**
 * Numbers under a text box: whoever fits what is typed, with what they do just now. The text box stays one; the arrow goes
 * into the list, Escape or the arrow back out of it, Enter on half a name takes the first. It lies over what is below, so
 * nothing moves.
 * @param {HTMLInputElement} field
 * @param {import("../book.js").Book} [book] the center's phonebook
 */
export function offersFor(field, book = createBook()) {
  /** @type {[Snapshot, string] | undefined} */
  let known;
  const root = h("ul", { className: "offers", hidden: true, "aria-label": t("transfer.offers"), onkeydown: keys });
  field.addEventListener("input", () => show(field.value.trim() !== ""));
  field.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !root.hidden) leave(e);
    const name = e.key === "Enter" && !root.hidden && !/\d/.test(field.value); // a name becomes its number first
    if (e.key !== "ArrowDown" && !name) return;
    e.preventDefault();
    show(true);
    if (name) rows()[0]?.click();
    else rows()[0]?.focus();
  });

  const rows = () => [...root.querySelectorAll("button")];
  /** @param {boolean} on */
  function show(on) {
    if (known && on) book.want(known[0]);
    const hits = on ? fitting(known ? offers(...known, book, field.value) : [], field.value).slice(0, MOST) : [];
    root.replaceChildren(...hits.map((o) => h("li", {}, row(o))));
    root.hidden = hits.length === 0;
  }
  /** @param {Offer} o */
  function row(o) {
    const [sign, colour, word] = lampLook(o.lamp);
    const lamp = h("span", { className: "lamp" }, h("span", { className: "sign", "aria-hidden": "true" }, sign), h("span", {}, word));
    attr(lamp, "data-colour", colour || undefined);
    const digits = h("bdi", { className: "quiet-text" });
    put(digits, o.name ? clean(o.number) : "");
    return h("button", { type: "button", "aria-label": [o.name || clean(o.number), o.name && clean(o.number), word].filter(Boolean).join(", "), onclick: () => {
      field.value = o.number;
      field.dispatchEvent(new Event("input"));
      show(false);
      field.focus();
    } }, h("bdi", {}, o.name || clean(o.number)), digits, lamp);
  }
  /** Closes the list and nothing else. @param {Event} e */
  function leave(e) {
    e.preventDefault();
    e.stopImmediatePropagation();
    show(false);
    field.focus();
  }
  /** @param {KeyboardEvent} e */
  function keys(e) {
    const at = rows().findIndex((b) => b === document.activeElement);
    if (e.key === "Escape" || (e.key === "ArrowUp" && at === 0)) return leave(e);
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    e.preventDefault();
    rows()[at + (e.key === "ArrowDown" ? 1 : -1)]?.focus();
  }
  return {
    root,
    hide: () => show(false),
    /** @param {Snapshot} snap @param {string} but */
    know: (snap, but) => void (known = [snap, but]),
  };
}

/** Who fits what is typed; a number that is there already needs no offer. @param {Offer[]} all @param {string} typed */
function fitting(all, typed) {
  const digits = number(typed);
  if (all.some((o) => o.number === digits)) return [];
  return all.filter((o) => found(typed, ...o.names) || (digits && o.number.includes(digits)));
}

/**
 * Numbers worth offering: the own phonebook, then whom one spoke to, then the center's phonebook when something is typed; never twice and
 * never the call itself.
 * @param {Snapshot} snap
 * @param {string} but
 * @param {import("../book.js").Book} book
 * @param {string} typed
 */
function offers(snap, but, book, typed) {
  /** @type {Map<string, Offer>} */
  const kept = new Map();
  /** @type {{ number: string, name?: string, reading?: string, company?: string }[]} */
  const all = [...(snap.contacts ?? []), ...(snap.history ?? []).slice(0, 20), ...(typed.trim() ? book.search(typed, 2 * MOST).hits : [])];
  for (const c of all) {
    if (!c.number || c.number === but || kept.has(c.number)) continue;
    kept.set(c.number, { number: c.number, name: clean(c.name), names: [c.name, c.reading, c.company].map(clean).filter(Boolean), lamp: (snap.lamps ?? []).find((l) => l.number === c.number)?.state });
  }
  return [...kept.values()];
}
