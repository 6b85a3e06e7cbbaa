// @ts-check
import { h } from "../dom.js";

/** @typedef {import("../types").View} View */
/** @typedef {import("../types").Snapshot} Snapshot */

/**
 * A view that is not needed at first: it is loaded when wants says so for the first time, or by open, and stays from then on.
 * @template {View} V
 * @param {() => Promise<V>} load
 * @param {(snap: Snapshot) => boolean} wants
 * @returns {View & { open(): Promise<V | undefined> }}
 */
export function part(load, wants) {
  const root = h("div", { className: "part" });
  /** @type {Promise<V | undefined> | undefined} */
  let coming;
  /** @type {V | undefined} */
  let view;
  /** @type {Parameters<View["show"]> | undefined} */
  let last;
  async function begin() {
    try {
      view = await load();
      root.append(view.root);
      if (last) view.show(...last);
    } catch {
      coming = undefined; // the next time tries again
    }
    return view;
  }
  const open = () => (coming ??= begin());
  return {
    root, open,
    show(snap, page) {
      last = [snap, page];
      if (view) view.show(snap, page);
      else if (wants(snap)) void open();
    },
    tick: (now) => view?.tick?.(now),
  };
}
