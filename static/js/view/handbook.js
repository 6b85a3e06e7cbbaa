// @ts-check
import { h, put } from "../dom.js";
import { read } from "../link.js";
import { t } from "../text.js";

/**
 * The handbook: beside the phone, or instead of the sign-in form. It is loaded when it is first opened.
 * @param {HTMLElement} outer where it stands while nobody is signed in
 * @param {() => void} leave
 */
export function handbookView(outer, leave) {
  const root = h("section", { className: "pane help-pane" });
  let loaded = false;
  async function load() {
    loaded = true;
    try {
      const { helpView } = await import("../later/help.js"), view = await helpView(leave, read);
      root.replaceChildren(view.root);
      view.focus();
    } catch {
      loaded = false;
      put(root, t("help.lost"));
    }
  }
  return {
    /** @param {HTMLElement | undefined} aside where it stands beside the phone, when somebody is signed in @param {boolean} on */
    show(aside, on) {
      outer.hidden = !on || !!aside;
      const home = aside ?? outer;
      if (root.parentElement !== home) home.append(root);
      if (on && !loaded) void load();
    },
  };
}
