// @ts-check
// Messages as conversations, and what of them was seen: without a page.

/** @typedef {import("../types").Message} Message */
/** @typedef {{ key: string, list: Message[], last: Message, fresh: number }} Thread */

/** With whom a message is: u:ACCOUNT, g:GROUP, or "all". @param {Message} m */
export const keyOf = (m) => (m.group ? `g:${m.group}` : !m.to ? "all" : `u:${m.mine ? m.to : m.from}`);

/** Where a message to this conversation goes. @param {string} key @returns {{ to?: string, group?: string }} */
export const goesTo = (key) => (key.startsWith("u:") ? { to: key.slice(2) } : key.startsWith("g:") ? { group: key.slice(2) } : {});

/**
 * The conversations, the one with the newest message first.
 * @param {Message[]} list newest last
 * @param {(m: Message) => boolean} isNew
 * @returns {Thread[]}
 */
export function threads(list, isNew) {
  /** @type {Map<string, Thread>} */
  const by = new Map();
  for (const m of list) {
    const key = keyOf(m), one = by.get(key) ?? { key, list: [], last: m, fresh: 0 };
    by.delete(key); // to the end: the order is that of the newest
    by.set(key, one);
    one.list.push(m);
    one.last = m;
    if (isNew(m)) one.fresh++;
  }
  return [...by.values()].reverse();
}

/**
 * Up to which message everything was seen; "" when that says nothing new. The center keeps one mark for all conversations: it must not pass
 * a message of one that nobody has opened.
 * @param {Message[]} list newest last
 * @param {Set<string>} seen ids
 */
export function readUpTo(list, seen) {
  let mark = "", news = false;
  for (const m of list) {
    if (m.mine || m.read) continue;
    if (!seen.has(m.id)) break;
    mark = m.id;
    news = true;
  }
  return news ? mark : "";
}
