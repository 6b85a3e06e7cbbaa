// @ts-check
import { h } from "../dom.js";
import { t } from "../text.js";

/** @typedef {import("../later/seats.js").seatsView} Whole */
/** @typedef {ReturnType<Whole>} Seats */

/**
 * The seat view, which is loaded when it is first looked at; what was said until then is said to it then.
 * @param {Parameters<Whole>} args
 */
export function laterSeats(...args) {
  const words = h("p", { className: "empty", role: "status" }, t("seats.wait"));
  const root = h("section", { className: "pane seat-pane", "aria-label": t("seats.title") }, words);
  /** @type {Seats | undefined} */
  let view;
  /** @type {Parameters<Seats["show"]> | undefined} */
  let last;
  /** @type {Parameters<Seats["showFloor"]>[0]} */
  let floor;
  let loading = false, wanted = false;
  async function begin() {
    if (view || loading) return;
    loading = true;
    try {
      const { styledSeats } = await import("../later/seats.js");
      view = (await styledSeats())(...args);
      root.replaceWith(view.root);
      if (last) view.show(...last);
      if (floor) view.showFloor(floor);
    } catch {
      loading = false; // the next floor that comes tries again
    }
  }
  return {
    root,
    /** @type {Seats["show"]} */
    show(snap, page) {
      last = [snap, page];
      view?.show(snap, page);
    },
    /** @param {import("../types").Floor} f */
    showFloor(f) {
      floor = f;
      if (view) view.showFloor(f);
      else if (wanted) void begin();
    },
    /** What to watch: it is about to be looked at. */
    wants() {
      wanted = true;
      void begin();
      const board = new URLSearchParams(location.search).has("wallboard");
      return view ? view.wants() : board ? {} : { mine: true };
    },
    /** @param {number} now */
    tick: (now) => view?.tick(now),
  };
}
