// @ts-check
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { clean, fold, number, t } from "../text.js";

/** @typedef {import("../types").Contact} Contact */
/** @typedef {import("../types").Snapshot} Snapshot */

/** What a lamp looks like; its word is with the texts. @type {Record<string, [string, string]>} */
const LAMPS = { idle: ["●", "green"], ringing: ["♪", "amber"], busy: ["☎", "red"], unknown: ["·", "grey"] };

/** @param {Snapshot} snap @param {string} of */
const lampOf = (snap, of) => (snap.lamps ?? []).find((l) => l.number === of)?.state;

/** @param {string | undefined} state */
function wordOf(state) {
  const words = /** @type {Record<string, string>} */ ({ idle: t("lamp.idle"), ringing: t("lamp.ringing"), busy: t("lamp.busy"), unknown: t("lamp.unknown") });
  return state ? (words[state] ?? "") : "";
}

/** Sign, colour and word of a lamp; empty for a number that is not watched. @param {string | undefined} state @returns {[string, string, string]} */
export function lampLook(state) {
  const [sign, colour] = LAMPS[state ?? ""] ?? ["", ""];
  return [sign && sign + "\ufe0e", colour, wordOf(state)];
}

/**
 * The phonebook: who, what they do just now, and a call with one click.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function contactsView(send) {
  /** @type {Snapshot | undefined} */
  let last;
  const editor = contactForm(send);
  const search = h("input", { id: "contact-search", name: "contact-search", type: "search", autocomplete: "off", spellcheck: false, oninput: () => paint() });
  const add = h("button", { type: "button", onclick: () => editor.open() }, icon("add"), t("contacts.add"));
  const none = h("p", { className: "empty", role: "status" });
  const list = h("ul", { className: "contacts" });
  const root = h("section", { className: "pane contact-pane", "aria-label": t("contacts.title") },
    h("div", { className: "contact-top" }, h("label", { for: search.id }, t("contacts.search")), h("div", { className: "field-box" }, search), add), none, list, editor.root);
  /** @type {Map<string, ReturnType<typeof line>>} */
  const lines = new Map();

  function paint() {
    if (!last) return;
    const all = last.contacts ?? [], wanted = fold(search.value.trim()), digits = number(search.value);
    const hits = all.filter((c) => !wanted || fold(c.name).includes(wanted) || (digits && c.number.includes(digits)));
    none.hidden = hits.length > 0;
    put(none, hits.length ? "" : all.length ? t("contacts.unfound") : t("contacts.none"));
    each(list, lines, hits, (c) => c.number, () => line(send, editor.open), (v, c) => v.show(c, /** @type {Snapshot} */ (last)));
  }
  return {
    root,
    show(snap) {
      last = snap;
      paint();
    },
  };
}

/** @param {import("../types").Send} send @param {(c: Contact) => void} edit */
function line(send, edit) {
  /** @type {Contact} */
  let contact;
  const sign = h("span", { className: "sign", "aria-hidden": "true" });
  const word = h("span", {});
  const lamp = h("span", { className: "lamp" }, sign, word);
  const name = h("bdi", { className: "history-peer" });
  const digits = h("bdi", { className: "quiet-text" });
  const call = h("button", { type: "button", className: "round", onclick: () => send("call.dial", { number: contact.number }) }, icon("phone"));
  const change = h("button", { type: "button", className: "round", onclick: () => edit(contact) }, icon("edit"));
  const root = h("li", {}, h("span", { className: "history-who" }, name, digits), lamp, call, change);
  return {
    root,
    /** @param {Contact} c @param {Snapshot} snap */
    show(c, snap) {
      contact = c;
      const [drawn, colour, doing] = lampLook(c.watch ? (lampOf(snap, c.number) ?? "unknown") : undefined);
      attr(lamp, "data-colour", colour || undefined);
      put(sign, drawn);
      put(word, doing);
      put(name, clean(c.name) || clean(c.number));
      put(digits, c.name ? clean(c.number) : "");
      for (const [button, label] of /** @type {[Element, string][]} */ ([[call, t("contacts.call", { name: name.textContent ?? "" })], [change, t("contacts.edit", { name: name.textContent ?? "" })]])) {
        attr(button, "aria-label", label);
        attr(button, "title", label);
      }
    },
  };
}

/** Adds, changes or removes one contact. @param {import("../types").Send} send */
function contactForm(send) {
  /** The number it had, when it is there already. */
  let old = "";
  const title = h("h2", { id: "contact-title" });
  const name = h("input", { id: "contact-name", name: "contact-name", autocomplete: "off", maxLength: 120 });
  const to = h("input", { id: "contact-number", name: "contact-number", inputMode: "tel", autocomplete: "off", spellcheck: false, maxLength: 128 });
  const watch = h("input", { id: "contact-watch", name: "contact-watch", type: "checkbox" });
  const remove = h("button", { type: "button", className: "danger", onclick: () => {
    send("contact.remove", { number: old });
    root.close();
  } }, t("contacts.remove"));
  const form = h("form", { noValidate: true, onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    const wanted = number(to.value), named = name.value.trim();
    if (!named || !wanted) return (named ? to : name).focus();
    send("contact.save", { name: named, number: wanted, watch: watch.checked });
    if (old && old !== wanted) send("contact.remove", { number: old });
    root.close();
  } }, title,
  h("div", { className: "field" }, h("label", { for: name.id }, t("contacts.name")), h("div", { className: "field-box" }, name)),
  h("div", { className: "field" }, h("label", { for: to.id }, t("contacts.number")), h("div", { className: "field-box" }, to)),
  h("div", { className: "check" }, watch, h("label", { for: watch.id }, t("contacts.watch"))),
  h("div", { className: "ask-row" }, remove, h("button", { type: "button", onclick: () => root.close() }, t("contacts.cancel")), h("button", { type: "submit", className: "primary" }, t("contacts.save"))));
  const root = h("dialog", { className: "contact-form", "aria-labelledby": "contact-title" }, form);
  return {
    root,
    /** @param {Contact} [c] */
    open(c) {
      old = c?.number ?? "";
      put(title, c ? t("contacts.change") : t("contacts.add"));
      name.value = c?.name ?? "";
      to.value = old;
      watch.checked = c?.watch ?? false;
      remove.hidden = !c;
      root.showModal();
      name.focus();
    },
  };
}
