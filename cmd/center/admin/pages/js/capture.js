// @ts-check
// The settings of a phone that runs, taken over into a policy's form. Nothing is saved by it.
import { h, put } from "../../js/dom.js";
import { t } from "../../js/text.js";
import { ask } from "./api.js";
import { finder } from "./find.js";

/** @param {any} form of a policy */
export function captureTool(form) {
  const who = finder({ id: "capture-who" }, "accounts");
  const told = h("p", { role: "status", className: "quiet-text" });
  const button = h("button", { type: "button", onclick: take }, t("admin.capture_ask"));

  async function take() {
    const account = who.el.value.trim();
    if (!account || button.disabled) return who.el.focus();
    button.disabled = true;
    put(told, t("admin.capture_waits"));
    try {
      const { values } = await ask("POST", `/accounts/${encodeURIComponent(account)}/settings`);
      form.fill("set.locked", values ?? {});
      put(told, t("admin.capture_done", { n: Object.keys(values ?? {}).length }));
    } catch (err) {
      put(told, /** @type {Error} */ (err).message);
    }
    button.disabled = false;
  }
  who.el.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault(); // the form is not sent by it
    take();
  });
  form.after("admin.policy_locks", h("div", { className: "capture", role: "group", "aria-labelledby": "capture-title" },
    h("h3", { id: "capture-title" }, t("admin.capture")), h("p", { className: "hint" }, t("admin.capture_hint")),
    h("div", { className: "bar" }, h("div", { className: "search" }, h("label", { for: "capture-who" }, t("admin.capture_who")), who.root), button), told));
}
