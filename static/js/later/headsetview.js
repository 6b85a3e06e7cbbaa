// @ts-check
import { h, put } from "../dom.js";
import { valueOf } from "../settings.js";
import { clean, t } from "../text.js";

/** @typedef {ReturnType<typeof import("../headsets.js").headsets>} Headsets */

/** What the headsets here can do, and a way to allow one: a browser wants a click and asks by itself. @param {Headsets} headsets */
export function headsetView(headsets) {
  const said = h("p", { className: "quiet-text", role: "status" }), list = h("ul", { className: "headsets" });
  const choose = h("button", { type: "button", onclick: () => void Promise.resolve(headsets.choose()).catch(() => {}) }, t("headset.choose"));
  const root = h("div", { className: "headset" }, choose, said, list);
  let on = false;
  headsets.watch(paint);
  function paint() {
    const all = headsets.list();
    root.hidden = !on;
    choose.hidden = !headsets.can();
    put(said, !headsets.can() ? t("headset.never") : all.length ? "" : t("headset.none"));
    const marks = (/** @type {boolean} */ can, /** @type {string} */ words) => `${can ? "✓" : "–"}\ufe0e ${words}`;
    list.replaceChildren(...all.map(({ name, can }) => h("li", {}, h("bdi", {}, clean(name) || "?"), h("span", { className: "quiet-text" },
      [marks(can.hook, t("headset.hook")), marks(can.mute, t("headset.mute")), marks(can.ring, t("headset.ring")), marks(can.light, t("headset.light"))].join(" · ")))));
  }
  return {
    root,
    /** @param {import("../types").Snapshot} snap */
    show(snap) {
      on = valueOf(snap, "headset.use") === true;
      paint();
    },
  };
}
