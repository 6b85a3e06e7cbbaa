// @ts-check
// The seats of a floor as a table: for the keyboard, and for whoever has them as numbers.
import { h, put } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";

const FIELDS = /** @type {const} */ (["id", "name", "x", "y"]);

/**
 * @param {() => any[]} seats
 * @param {{ change(do_: () => void): void, drop(i: number): void, add(): void }} on
 */
export function seatTable(seats, on) {
  const body = h("tbody"), count = h("span", { className: "quiet-text" });
  /** @type {{ tr: HTMLElement, inputs: HTMLInputElement[], out: HTMLElement }[]} */
  let rows = [];
  const limit = (/** @type {string} */ v) => Math.min(999, Math.max(0, Math.round(Number(v)) || 0));

  /** @param {number} i */
  function row(i) {
    const inputs = FIELDS.map((f) => {
      const el = h("input", { type: f === "x" || f === "y" ? "number" : "text", min: "0", max: "999", autocomplete: "off", spellcheck: false });
      el.addEventListener("change", () => on.change(() => (seats()[i][f] = f === "x" || f === "y" ? limit(el.value) : el.value.trim())));
      return el;
    });
    const out = h("button", { type: "button", className: "quiet", onclick: () => {
      on.drop(i);
      (rows[Math.min(i, rows.length - 1)]?.inputs[0] ?? add).focus();
    } }, t("admin.take_out"));
    return { tr: h("tr", {}, ...inputs.map((el) => h("td", {}, el)), h("td", {}, out)), inputs, out };
  }

  function show() {
    if (!root.open) return;
    const all = seats();
    if (rows.length !== all.length) {
      rows = all.map((_, i) => row(i));
      body.replaceChildren(...rows.map((r) => r.tr));
    }
    for (const [i, s] of all.entries()) {
      FIELDS.forEach((f, n) => {
        const el = rows[i].inputs[n], v = String(s[f] ?? "");
        if (el.value !== v && el !== document.activeElement) el.value = v;
        el.setAttribute("aria-label", t("admin.seat_field", { field: t("admin.field.map." + f), seat: clean(s.name || s.id) }));
      });
      rows[i].out.setAttribute("aria-label", t("admin.take_out_one", { name: clean(s.name || s.id) }));
    }
    put(count, t("admin.count", { n: all.length }));
  }
  const add = h("button", { type: "button", onclick: () => {
    on.add();
    rows.at(-1)?.inputs[0].focus();
  } }, t("admin.add_seat"));
  const root = h("details", { className: "card seat-table" }, h("summary", {}, t("admin.seat_table")),
    h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.seat_table") }, h("table", {}, h("thead", {}, h("tr", {}, ...FIELDS.map((f) => h("th", { scope: "col" }, t("admin.field.map." + f))), h("td"))), body)),
    h("div", { className: "acts" }, add, count));
  root.addEventListener("toggle", show);
  return { root, show };
}
