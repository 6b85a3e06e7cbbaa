// @ts-check
import { h, put } from "../dom.js";
import { trouble } from "../form.js";
import { at, clean, say, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */

/** A sign-in that goes on by itself (PRODUCT A14): as whom, why it waits, and the way out of it. @param {import("../types").Send} send */
export function autoView(send) {
  /** @type {Snapshot | undefined} */
  let last;
  const title = h("h1", {}), state = h("p", { role: "status" }), alert = trouble();
  const cancel = h("button", { type: "button", className: "wide", onclick: () => send("signin.back") }, t("auto.cancel"));
  const root = h("section", { className: "enrol", hidden: true, "aria-label": t("auto.title") }, title, state, alert, cancel);
  const tick = (/** @type {number} */ now) => {
    const wait = at(last?.auto?.again) - now;
    put(state, wait > 0 ? t("auto.again", { n: Math.ceil(wait / 1000) }) : t("auto.now"));
  };
  return {
    root, tick,
    focus: () => cancel.focus(),
    /** @param {Snapshot} snap */
    show(snap) {
      last = snap;
      if (!snap.auto) return;
      put(title, t("auto.as", { account: clean(snap.saved?.account || snap.account) }));
      put(alert, snap.problem ? say(snap.problem) : "");
      tick(Date.now());
    },
  };
}
