// @ts-check
import { h, put } from "../dom.js";
import { read } from "../link.js";
import { t } from "../text.js";

/**
 * The handbook: beside the phone, or instead of the sign-in form. It is loaded when it is first opened.
 * @param {HTMLElement} aside
 * @param {HTMLElement} outer where it stands while nobody is signed in
 * @param {() => void} leave
 */
export function handbookView(aside, outer, leave) {
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
    /** @param {boolean} inside somebody is signed in @param {boolean} on */
    show(inside, on) {
      outer.hidden = !on || inside;
      const home = inside ? aside : outer;
      if (root.parentElement !== home) home.append(root);
      if (on && !loaded) void load();
    },
  };
}
