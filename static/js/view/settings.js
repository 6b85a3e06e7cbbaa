// @ts-check
import { h } from "../dom.js";
import { t } from "../text.js";

/** @typedef {import("../later/settings.js").settingsView} Whole */
/** @typedef {ReturnType<Whole>} View */

/**
 * Makes the settings, which are loaded when they are first opened: most people open them on their first day. From then on they are made at once.
 * @returns {Whole}
 */
export function laterSettings() {
  /** @type {Whole | undefined} */
  let whole;
  return (...args) => whole?.(...args) ?? placeFor(args, async () => (whole = (await import("../later/settings.js")).settingsView));
}

/**
 * Stands where the settings will stand, and tells them then what it was told.
 * @param {Parameters<Whole>} args
 * @param {() => Promise<Whole>} load
 * @returns {View}
 */
function placeFor(args, load) {
  const root = h("section", { className: "pane settings-pane", "aria-label": t("settings.title") });
  /** @type {View | undefined} */
  let view;
  /** @type {Parameters<View["show"]> | undefined} */
  let last;
  /** How they are to be: open, and at which chapter. @type {[boolean, string?]} */
  let wanted = [false];
  let loading = false;
  async function begin() {
    if (loading) return;
    loading = true;
    try {
      view = (await load())(...args);
      root.replaceWith(view.root);
      if (last) view.show(...last);
      view.open(...wanted);
    } catch {
      loading = false; // the next click tries again
    }
  }
  return {
    root,
    show(snap, page) {
      last = [snap, page];
      view?.show(snap, page);
    },
    open(on, chapter) {
      wanted = [on, chapter ?? (on ? wanted[1] : undefined)];
      if (view) view.open(on, chapter);
      else if (on) void begin();
    },
    chapter: () => view?.chapter() ?? wanted[1] ?? "basic",
    tick: (now) => view?.tick?.(now),
  };
}
