// @ts-check
import { attr, h } from "../dom.js";
import { t } from "../text.js";

/**
 * A button that opens the agent's own day in figures. What shows it is loaded when it is first opened, and forgotten when another person
 * may sit here.
 * @param {((path: string) => Promise<any>) | undefined} read fetches the center's pages
 */
export function ownDay(read) {
  /** @type {ReturnType<typeof import("../later/ownday.js").ownDayView> | undefined} */
  let view;
  let on = false, before = "";
  const root = h("div", { hidden: true });
  const button = h("button", { type: "button", "aria-expanded": "false", onclick: () => void turn(!on) }, t("day.button"));

  /** @param {boolean} to */
  async function turn(to) {
    on = to;
    if (on && !view) {
      try {
        const [{ ownDayView }, { sheet }] = await Promise.all([import("../later/ownday.js"), import("../later/sheet.js")]);
        await sheet("ownday");
        if (on && !view) root.replaceChildren((view = ownDayView(/** @type {(path: string) => Promise<any>} */ (read))).root);
      } catch {
        on = false; // the phone is not there just now: the next click tries again
      }
    }
    attr(button, "aria-expanded", String(on));
    root.hidden = !on;
    if (on) void view?.load();
  }
  return {
    root,
    button,
    /** @param {import("../types").Snapshot} snap */
    show(snap) {
      const inside = snap.phase === "in" && !snap.local && !!read, now = inside ? `${snap.me?.account} ${snap.history?.[0]?.id ?? ""}` : "";
      button.hidden = !inside;
      if (!inside) {
        view = undefined;
        root.replaceChildren();
        if (on) void turn(false);
      } else if (on && now !== before) void view?.load(); // a call is over
      before = now;
    },
  };
}
