// @ts-check
// Headset buttons are loaded when they are switched on and this browser has WebHID.
import { valueOf } from "./settings.js";

/** @typedef {ReturnType<typeof import("./later/headset.js").createHeadsets>} All */

/** @param {import("./types").Send} send @param {any} [hid] */
export function headsets(send, hid = /** @type {any} */ (navigator).hid) {
  /** @type {All | undefined} */
  let all;
  let wanted = false;
  /** @type {Set<() => void>} */
  const watchers = new Set();
  const changed = () => watchers.forEach((w) => w());
  return {
    can: () => !!hid,
    list: () => all?.list() ?? [],
    choose: () => all?.choose(),
    /** @param {() => void} change */
    watch: (change) => void watchers.add(change),
    /** @param {import("./types").Snapshot} snap @param {boolean} owner one page alone has the buttons: the one with the sound */
    async show(snap, owner) {
      const on = !!hid && owner && valueOf(snap, "headset.use") === true;
      if (on !== wanted) {
        wanted = on;
        if (!on) all?.close(), (all = undefined), changed();
        else {
          const { createHeadsets } = await import("./later/headset.js");
          if (wanted && !all) all = createHeadsets(send, hid, changed);
        }
      }
      all?.show(snap);
    },
  };
}
