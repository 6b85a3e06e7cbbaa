// @ts-check
import { among, createBook } from "../book.js";
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { clean, number, t } from "../text.js";

/** @typedef {import("../types").Contact} Contact */
/** @typedef {Contact & { shared?: boolean }} Entry shared: the center has it, and only its lamp and its star are the person's own */
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

/** How many lines are shown at once, and how many more each time. */
const LINES = 100;

/**
 * The phonebook, the person's own and the center's in one list: who, what they do just now, and a call with one click. Favourites stand first.
 * @param {import("../types").Send} send
 * @param {import("../book.js").Book} [book] the center's
 * @returns {import("../types").View & { look(on: boolean): void }} look says whether it is looked at: it is painted only then
 */
export function contactsView(send, book = createBook()) {
  /** @type {Snapshot | undefined} */
  let last;
  let looked = true, most = LINES, before = "";
  /** @type {{ rows: Entry[], n: number }} */
  let found = { rows: [], n: 0 };
  const editor = contactForm(send);
  const search = h("input", { id: "contact-search", name: "contact-search", type: "search", autocomplete: "off", spellcheck: false, oninput: () => {
    most = LINES;
    paint();
  } });
  const add = h("button", { type: "button", onclick: () => editor.open() }, icon("add"), t("contacts.add"));
  const file = h("button", { type: "button", onclick: () => void fromFile() }, t("contacts.import"));
  const none = h("p", { className: "empty", role: "status" });
  const list = h("ul", { className: "contacts" });
  const more = h("button", { type: "button", onclick: () => {
    most += LINES;
    paint();
  } });
  const root = h("section", { className: "pane contact-pane", "aria-label": t("contacts.title") },
    h("div", { className: "contact-top" }, h("label", { for: search.id }, t("contacts.search")), h("div", { className: "field-box" }, search), add, file), none, list, h("div", { className: "history-more" }, more), editor.root);
  /** @type {Map<string, ReturnType<typeof line>>} */
  const lines = new Map();

  /** Own ones first, those starred before all; a number that both have is one line. @param {Snapshot} snap */
  function seek(snap) {
    const own = snap.contacts ?? [], key = JSON.stringify([own, search.value, most, book.state()]);
    if (key === before) return;
    before = key;
    const mine = new Set(own.map((c) => c.number));
    const fitting = among(own.map((c) => withShared(c, book.of(c.number))), search.value).sort((a, b) => Number(!!b.favourite) - Number(!!a.favourite));
    const shared = book.search(search.value, Math.max(0, most - fitting.length), (c) => mine.has(c.number));
    found = { rows: [...fitting, ...shared.hits.map((c) => ({ ...c, shared: true }))].slice(0, most), n: fitting.length + shared.n };
  }
  function paint() {
    if (!last || !looked) return;
    book.want(last);
    seek(last);
    none.hidden = found.rows.length > 0;
    put(none, found.rows.length ? "" : book.busy() ? t("contacts.loading") : last.contacts?.length || book.size() ? t("contacts.unfound") : t("contacts.none"));
    each(list, lines, found.rows, (c) => c.number, () => line(send, editor.open), (v, c) => v.show(c, /** @type {Snapshot} */ (last)));
    more.hidden = found.n <= found.rows.length;
    put(more, t("contacts.more", { n: found.n - found.rows.length }));
  }
  /** What reads files is loaded when somebody has one. */
  async function fromFile() {
    const { importView } = await import("../later/bookview.js");
    const view = importView(send, () => new Set((last?.contacts ?? []).map((c) => c.number)));
    root.append(view.root);
    view.open();
  }
  root.addEventListener("keydown", (e) => walk(e, search, list));
  return {
    root,
    show(snap) {
      last = snap;
      paint();
    },
    look(on) {
      if (on === looked) return;
      looked = on;
      paint();
    },
  };
}

/** An own contact whose number the center has too: the center says who it is. @param {Contact} own @param {Contact | undefined} shared @returns {Entry} */
const withShared = (own, shared) => (shared ? { ...shared, favourite: own.favourite, watch: own.watch, shared: true } : own);

/**
 * Keeps what the person wants of a contact. What is the center's is only kept while it is starred or watched.
 * @param {import("../types").Send} send
 * @param {Entry} c
 */
function keep(send, { shared, ...c }) {
  if (shared && !c.favourite && !c.watch) send("contact.remove", { number: c.number });
  else send("contact.save", c);
}

/** Arrows go from the text box into the list and along it; Enter calls the first. @param {KeyboardEvent} e @param {HTMLInputElement} search @param {HTMLElement} list */
function walk(e, search, list) {
  const calls = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".contact-call")]), at = calls.findIndex((b) => b === document.activeElement);
  if (e.key === "Enter" && e.target === search) return void calls[0]?.focus(); // seen first, called with the next Enter
  if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
  if (at < 0 && e.target !== search) return;
  e.preventDefault();
  const to = e.key === "ArrowDown" ? calls[at + 1] : at <= 0 ? search : calls[at - 1];
  to?.focus();
}

/** @param {import("../types").Send} send @param {(c: Entry) => void} edit */
function line(send, edit) {
  /** @type {Entry} */
  let contact;
  const sign = h("span", { className: "sign", "aria-hidden": "true" });
  const word = h("span", {});
  const lamp = h("span", { className: "lamp" }, sign, word);
  const name = h("bdi", { className: "history-peer" });
  const digits = h("bdi", { className: "quiet-text" });
  const star = h("button", { type: "button", className: "round contact-star", onclick: () => keep(send, { ...contact, favourite: !contact.favourite }) }, icon("star"));
  const call = h("button", { type: "button", className: "round contact-call", onclick: () => send("call.dial", { number: contact.number }) }, icon("phone"));
  const change = h("button", { type: "button", className: "round", onclick: () => edit(contact) });
  const root = h("li", {}, h("span", { className: "history-who" }, name, digits), lamp, star, call, change);
  return {
    root,
    /** @param {Entry} c @param {Snapshot} snap */
    show(c, snap) {
      contact = c;
      const [drawn, colour, doing] = lampLook(c.watch ? (lampOf(snap, c.number) ?? "unknown") : undefined);
      attr(lamp, "data-colour", colour || undefined);
      put(sign, drawn);
      put(word, doing);
      put(name, clean(c.name) || clean(c.number));
      put(digits, [c.name ? clean(c.number) : "", clean(c.company), clean(c.reading), clean(c.note)].filter(Boolean).join(" · "));
      if (!change.firstChild || change.dataset.shared !== String(!!c.shared)) change.replaceChildren(icon(c.shared ? "center" : "edit"));
      change.dataset.shared = String(!!c.shared);
      attr(star, "aria-pressed", String(!!c.favourite));
      for (const [button, label] of /** @type {[Element, string][]} */ ([[call, t("contacts.call", { name: name.textContent ?? "" })], [change, t(c.shared ? "contacts.watching" : "contacts.edit", { name: name.textContent ?? "" })],
        [star, t("contacts.favourite", { name: name.textContent ?? "" })]])) {
        attr(button, "aria-label", label);
        attr(button, "title", label);
      }
    },
  };
}

/** Adds, changes or removes one contact; of one of the center's only what is the person's own. @param {import("../types").Send} send */
function contactForm(send) {
  /** The number it had, when it is there already. */
  let old = "", favourite = false;
  /** @type {Entry | undefined} */
  let shared;
  const title = h("h2", { id: "contact-title" });
  const whose = h("p", { className: "quiet-text" }, t("contacts.shared"));
  const name = h("input", { id: "contact-name", name: "contact-name", autocomplete: "off", maxLength: 120 });
  const reading = h("input", { id: "contact-reading", name: "contact-reading", autocomplete: "off", maxLength: 64 });
  const to = h("input", { id: "contact-number", name: "contact-number", inputMode: "tel", autocomplete: "off", spellcheck: false, maxLength: 128 });
  const watch = h("input", { id: "contact-watch", name: "contact-watch", type: "checkbox" });
  const remove = h("button", { type: "button", className: "danger", onclick: () => {
    send("contact.remove", { number: old });
    root.close();
  } }, t("contacts.remove"));
  const form = h("form", { noValidate: true, onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    if (shared) {
      keep(send, { ...shared, watch: watch.checked });
      return root.close();
    }
    const wanted = number(to.value), named = name.value.trim();
    if (!named || !wanted) return (named ? to : name).focus();
    send("contact.save", { name: named, number: wanted, watch: watch.checked, ...(reading.value.trim() ? { reading: reading.value.trim() } : {}), ...(favourite ? { favourite } : {}) });
    if (old && old !== wanted) send("contact.remove", { number: old });
    root.close();
  } }, title, whose,
  h("div", { className: "field" }, h("label", { for: name.id }, t("contacts.name")), h("div", { className: "field-box" }, name)),
  h("div", { className: "field" }, h("label", { for: reading.id }, t("contacts.reading")), h("div", { className: "field-box" }, reading)),
  h("div", { className: "field" }, h("label", { for: to.id }, t("contacts.number")), h("div", { className: "field-box" }, to)),
  h("div", { className: "check" }, watch, h("label", { for: watch.id }, t("contacts.watch"))),
  h("div", { className: "ask-row" }, remove, h("button", { type: "button", onclick: () => root.close() }, t("contacts.cancel")), h("button", { type: "submit", className: "primary" }, t("contacts.save"))));
  const root = h("dialog", { className: "contact-form", "aria-labelledby": "contact-title" }, form);
  return {
    root,
    /** @param {Entry} [c] */
    open(c) {
      old = c?.number ?? "";
      shared = c?.shared ? c : undefined;
      whose.hidden = !shared;
      for (const field of [name, reading, to]) field.readOnly = !!shared;
      favourite = c?.favourite ?? false;
      reading.value = c?.reading ?? "";
      put(title, c ? t("contacts.change") : t("contacts.add"));
      name.value = c?.name ?? "";
      to.value = old;
      watch.checked = c?.watch ?? false;
      remove.hidden = !c || !!shared;
      root.showModal();
      (shared ? watch : name).focus();
    },
  };
}
