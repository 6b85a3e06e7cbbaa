// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, t, word } from "../../js/text.js";
import { ask, get, rowsOf } from "./api.js";
import { link, title } from "./shell.js";

/**
 * The statuses in their order: the standard ones stand, the center's own are moved by dragging or by buttons.
 * @param {import("./crud.js").Spec} spec
 * @param {any} me
 */
export async function statusList(spec, me) {
  const [own, now] = [await rowsOf("statuses"), await get("/overview?brief=1")];
  const admin = me.role === "administrator";
  const told = h("p", { role: "status", className: "quiet-text" });
  const list = h("ol", { className: "order", "aria-label": t("admin.own_statuses") });
  let ids = own.map((r) => r.id);
  const standard = now.statuses.filter((/** @type {any} */ d) => !ids.includes(d.id));

  /** @param {number} from @param {number} to @param {string} [back] what has the focus afterwards */
  async function move(from, to, back) {
    if (to < 0 || to >= ids.length || from === to) return;
    const before = [...ids];
    ids.splice(to, 0, ...ids.splice(from, 1));
    paint();
    /** @type {HTMLElement | null} */ (list.children[to]?.querySelector(`[data-move="${back ?? "down"}"]`))?.focus();
    try {
      await ask("PUT", "/statuses", { ids });
      put(told, t("admin.order_saved"));
    } catch (err) {
      ids = before;
      paint();
      put(told, /** @type {Error} */ (err).message);
    }
  }

  function paint() {
    list.replaceChildren(...ids.map((id, i) => {
      const d = own.find((r) => r.id === id)?.data;
      const name = word(d.name);
      const item = h("li", { draggable: admin }, badge(d), link(`/admin/statuses/${encodeURIComponent(id)}`, name),
        h("span", { className: "quiet-text" }, t("admin.class." + d.class) + (d.minutes ? " · " + t("admin.minutes", { n: d.minutes }) : "")),
        admin && h("span", { className: "movers" },
          h("button", { type: "button", "data-move": "up", "aria-label": t("admin.up", { name }), disabled: i === 0, onclick: () => move(i, i - 1, "up") }, "↑"),
          h("button", { type: "button", "data-move": "down", "aria-label": t("admin.down", { name }), disabled: i === ids.length - 1, onclick: () => move(i, i + 1, "down") }, "↓")));
      item.addEventListener("dragstart", (e) => e.dataTransfer?.setData("text/plain", String(i)));
      item.addEventListener("dragover", (e) => e.preventDefault());
      item.addEventListener("drop", (e) => {
        e.preventDefault();
        move(Number(e.dataTransfer?.getData("text/plain")), i);
      });
      return item;
    }));
  }
  paint();
  return [title(t("admin.nav.statuses")),
    h("div", { className: "bar" }, told, admin && link("/admin/statuses/+", t("admin.add.statuses"), "button primary")),
    h("section", { className: "card" }, h("h2", {}, t("admin.own_statuses")), ids.length ? list : h("p", { className: "empty" }, t("admin.empty"))),
    h("section", { className: "card" }, h("h2", {}, t("admin.standard_statuses")), h("p", { className: "hint" }, t("admin.standard_hint")),
      h("ul", { className: "order" }, ...standard.map((/** @type {any} */ d) => h("li", {}, badge(d), word(d.name), h("span", { className: "quiet-text" }, t("admin.class." + d.class) + (d.minutes ? " · " + t("admin.minutes", { n: d.minutes }) : ""))))),
      admin && h("p", {}, link("/admin/site", t("admin.standard_minutes"))))];
}

/** Colour, sign: the word stands beside it. @param {any} d */
export const badge = (d) => h("span", { className: "badge", "data-colour": d.colour, "aria-hidden": "true" }, clean(d.sign));
