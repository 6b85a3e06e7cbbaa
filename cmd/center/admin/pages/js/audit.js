// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";
import { get } from "./api.js";
import { fieldWord, shown } from "./crud.js";
import { title } from "./shell.js";

/** Kinds as the log has them → as the pages call them. */
const KINDS = { cfg: "site", acct: "accounts", term: "terminals", status: "statuses", floor: "floors", seat: "seats", queue: "queues", group: "groups", policy: "policies", cal: "calendars", pbx: "pbxs", factor: "factor", mail: "mail", agent: "agent", outcome: "outcomes", book: "contacts", note: "note", capture: "capture", attend: "attend", dawn: "dawn", msg: "msg" };
const PAGE = 100;

/** Who changed what, and when. */
export async function auditPage() {
  const input = (/** @type {string} */ id, /** @type {string} */ type) => h("input", { id, type, autocomplete: "off" });
  const from = input("from", "date"), to = input("to", "date"), actor = input("actor", "text"), id = input("rowid", "text");
  const kind = h("select", { id: "kind" }, h("option", { value: "" }, t("admin.all")), ...Object.entries(KINDS).map(([k, p]) => h("option", { value: k }, t("admin.nav." + p))));
  const body = h("tbody");
  const told = h("p", { role: "status", className: "quiet-text" });
  const more = h("button", { type: "button", hidden: true }, t("admin.more"));
  const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
  let last = 0, n = 0;

  /** @param {boolean} next */
  async function load(next) {
    const q = new URLSearchParams({ limit: String(PAGE) });
    for (const [k, el] of Object.entries({ from, to, actor, kind, id })) if (el.value.trim()) q.set(k, el.value.trim());
    if (next) q.set("before", String(last));
    try {
      const found = await get("/audit?" + q);
      if (!next) ((n = 0), body.replaceChildren());
      body.append(...found.map(line));
      n += found.length;
      last = found.at(-1)?.seq ?? 0;
      more.hidden = found.length < PAGE;
      put(told, n ? t("admin.count", { n }) : t("admin.audit_none"));
    } catch (err) {
      put(told, /** @type {Error} */ (err).message);
    }
  }

  /** @param {any} c */
  function line(c) {
    const page = /** @type {any} */ (KINDS)[c.kind] ?? c.kind;
    const fields = c.fields.filter((/** @type {any} */ f) => c.what === "changed" || f.is !== undefined);
    return h("tr", {}, h("td", { className: "time" }, when.format(new Date(c.at))), h("td", {}, clean(c.actor)),
      h("td", {}, t("admin.nav." + page) + " ", h("b", {}, clean(c.id === "site" ? "" : c.id))), h("td", {}, t("admin.what." + c.what)),
      h("td", { className: "wrap" }, c.what === "removed" || !fields.length ? (c.kind === "agent" ? cause(c.why) : "")
        : h("ul", {}, c.kind === "attend" && h("li", {}, cause(c.why)), ...fields.map((/** @type {any} */ f) => h("li", {}, c.what === "changed" && c.kind !== "attend"
          ? t("admin.shift", { field: fieldWord(page, f.field), was: cut(f.was, f.field), is: cut(f.is, f.field) }) : t("admin.set_to", { field: fieldWord(page, f.field), is: cut(f.is, f.field) }))))));
  }
  const form = h("form", { className: "bar" }, ...[[from, "admin.from"], [to, "admin.to"], [actor, "admin.actor"], [kind, "admin.kind"], [id, "admin.field.id"]].map(([el, key]) =>
    h("div", { className: "search" }, h("label", { for: /** @type {HTMLElement} */ (el).id }, t(/** @type {string} */ (key))), /** @type {HTMLElement} */ (el))), h("button", {}, t("admin.show")));
  form.addEventListener("submit", (e) => (e.preventDefault(), load(false)));
  more.addEventListener("click", () => load(true));
  await load(false);
  return [title(t("admin.nav.audit")), form, told, h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.nav.audit") }, h("table", {}, h("thead", {}, h("tr", {}, ...["at", "actor", "kind", "what", "fields"].map((k) => h("th", { scope: "col" }, t("admin.audit." + k))))), body)), more];
}

/** Why somebody's record was changed, in words; what has none as it is. @param {string | undefined} why */
function cause(why) {
  const key = "admin.report.why." + (why ?? "").replace(/ by .*/, "").replace(/[ -]/g, "_"), words = t(key);
  return words === key ? clean(why) : words;
}

/** @param {any} v @param {string} field */
function cut(v, field) {
  const s = shown(v, field);
  return s.length > 80 ? s.slice(0, 79) + "…" : s;
}
