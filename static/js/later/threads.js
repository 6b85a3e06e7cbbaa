// @ts-check
// Messages as conversations, and what of them was seen: without a page.
import { keyOf } from "../conversation.js";

/** @typedef {import("../types").Message} Message */
/** @typedef {{ key: string, list: Message[], last: Message, fresh: number }} Thread */

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
 * What is to be said of what was seen: up to which message in each conversation. A center that is older keeps one mark for all of them, which
 * must not pass a message of one that nobody has opened.
 * @param {import("../types").Messages | undefined} box
 * @param {Set<string>} seen ids
 * @returns {{ upTo: string, with?: string }[]}
 */
export function marks(box, seen) {
  const list = box?.list ?? [];
  const all = box?.each ? threads(list, () => false).map((one) => ({ upTo: readUpTo(one.list, seen), with: one.key })) : [{ upTo: readUpTo(list, seen) }];
  return all.filter((m) => m.upTo);
}

/**
 * Up to which of these everything was seen; "" when that says nothing new.
 * @param {Message[]} list newest last
 * @param {Set<string>} seen ids
 */
function readUpTo(list, seen) {
  let mark = "", news = false;
  for (const m of list) {
    if (m.mine || m.read) continue;
    if (!seen.has(m.id)) break;
    mark = m.id;
    news = true;
  }
  return news ? mark : "";
}
