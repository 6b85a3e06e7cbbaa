// @ts-check
// The phonebook of the center, as large as it is: read when somebody wants it, made searchable bit by bit, so that no frame waits for it.
import { asked, fits, lookable } from "./kana.js";
import { number } from "./text.js";

/** @typedef {import("./types").Contact} Contact */
/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {{ contact: Contact, plain: string, kana: string }} Entry */

/** How long the index is worked on at a time, and how soon an unread book is asked for again, in milliseconds. */
const SLICE = 6;
const AGAIN = 5000;

/** @param {Contact} contact @returns {Entry} */
const entryOf = (contact) => ({ contact, ...lookable([contact.name, contact.reading ?? "", contact.company ?? ""]) });

/** @param {string} typed */
function question(typed) {
  const q = asked(typed), digits = /\d/.test(typed) ? number(typed) : "";
  return (/** @type {Entry} */ e) => fits(q, e) || (digits !== "" && e.contact.number.includes(digits));
}

/**
 * The contacts that fit what is typed, in their order.
 * @param {Contact[]} all
 * @param {string} typed
 */
export function among(all, typed) {
  const fit = question(typed);
  return typed.trim() ? all.filter((c) => fit(entryOf(c))) : all;
}

/**
 * @param {(path: string) => Promise<any>} [read]
 * @param {() => void} [changed] called when there is more to find
 */
export function createBook(read, changed = () => {}) {
  /** @type {Contact[]} */
  let contacts = [];
  /** @type {Entry[]} */
  let index = [];
  /** @type {Map<string, Contact>} */
  let numbers = new Map();
  let rev = 0, wanted = 0, tried = 0, run = 0;

  async function load() {
    const mine = ++run, want = wanted;
    tried = Date.now();
    try {
      const book = /** @type {import("./types").Phonebook} */ (await /** @type {(path: string) => Promise<any>} */ (read)("/phonebook"));
      if (mine !== run) return;
      rev = want;
      take(book.contacts ?? []);
      build(mine);
    } catch {
      // the old one stays; it is asked for again when the phone says something
    }
    if (mine === run) changed();
  }
  /** @param {Contact[]} all */
  function take(all) {
    contacts = all;
    numbers = new Map(all.map((c) => [c.number, c]));
    index = [];
  }
  /** @param {number} mine */
  function build(mine) {
    if (mine !== run) return;
    const end = performance.now() + SLICE;
    while (index.length < contacts.length && performance.now() < end) for (const c of contacts.slice(index.length, index.length + 50)) index.push(entryOf(c));
    if (index.length < contacts.length) setTimeout(build, 0, mine);
    else changed();
  }
  return {
    /** Somebody wants to look into it. @param {Snapshot} snap */
    want(snap) {
      const now = snap.phase === "in" && read ? (snap.book ?? 0) : 0;
      if (now === 0 && (rev || wanted)) run++, take([]), (rev = 0);
      const fresh = now !== wanted;
      wanted = now;
      if (now && now !== rev && (fresh || Date.now() - tried > AGAIN)) void load();
    },
    /** Whose number that is. @param {string} n */
    of: (n) => numbers.get(n),
    size: () => contacts.length,
    /** Still being read or made searchable. */
    busy: () => (wanted !== rev && Date.now() - tried < AGAIN) || index.length < contacts.length,
    /** How many changes it has seen. */
    state: () => `${rev} ${index.length === contacts.length}`,
    /**
     * The first that fit what is typed, in the order of the book, and how many there are.
     * @param {string} typed
     * @param {number} most
     * @param {(c: Contact) => boolean} [but] leaves some out
     */
    search(typed, most, but = () => false) {
      const fit = question(typed);
      /** @type {Contact[]} */
      const hits = [];
      let n = 0;
      if (!typed.trim()) {
        for (const c of contacts) if (!but(c) && n++ < most) hits.push(c);
        return { hits, n };
      }
      for (const e of index) if (fit(e) && !but(e.contact) && n++ < most) hits.push(e.contact);
      return { hits, n };
    },
  };
}

/** @typedef {ReturnType<typeof createBook>} Book */
