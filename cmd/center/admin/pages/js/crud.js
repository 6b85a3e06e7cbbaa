// @ts-check
// Lists of rows and their editors, all alike.
import { h, put } from "../../js/dom.js";
import { clean, known, language, t, word } from "../../js/text.js";
import { ask, get } from "./api.js";
import { formOf } from "./form.js";
import { confirmed, go, guard, link, title } from "./shell.js";

/**
 * @typedef {object} Spec
 * @property {string} kind in the path
 * @property {string} id field that names a row
 * @property {[string, (data: any) => string | Node][]} columns key of the heading, cell
 * @property {{ name: string, key: string, options(): [string, string][] | Promise<[string, string][]> }[]} [filters] by the query's word
 * @property {{ title?: string, fields: import("./form.js").Field[], when?: (row: any) => boolean }[]} sections
 * @property {() => Promise<void>} [before] what the form needs
 * @property {(data: any) => any} [body] the data as it is sent
 * @property {(data: any, again: () => void) => Node[]} [beside] more about a row that exists
 * @property {(form: any) => Node[]} [tools]
 * @property {(me: any) => boolean} [may] who may change rows; else administrators
 * @property {(me: any) => Node[]} [bar] more beside the list's search
 * @property {(data: any) => (() => Promise<unknown>) | undefined} [complete] fills in what a new row was left without; the answer tells of it afterwards
 */

const PAGE = 100;

/** @param {Spec} spec @param {any} me */
const mayChange = (spec, me) => (spec.may ? spec.may(me) : me.role === "administrator");

/**
 * The rows a page at a time; the center searches.
 * @param {Spec} spec
 * @param {any} me
 */
export async function listPage(spec, me) {
  const admin = mayChange(spec, me);
  const asked = new URLSearchParams(location.search);
  const count = h("p", { role: "status", className: "quiet-text" });
  const search = h("input", { type: "search", id: "q", autocomplete: "off", value: asked.get("q") ?? "" });
  const body = h("tbody");
  const more = h("button", { type: "button", hidden: true }, t("admin.more"));
  const filters = await Promise.all((spec.filters ?? []).map(async (f) => {
    const el = h("select", { "aria-label": t(f.key) }, h("option", { value: "" }, t(f.key) + ": " + t("admin.all")), ...(await f.options()).map(([v, l]) => h("option", { value: v }, clean(l))));
    el.value = asked.get(f.name) ?? "";
    return { f, el };
  }));
  const table = h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t(`admin.nav.${spec.kind}`) },
    h("table", {}, h("thead", {}, h("tr", {}, ...spec.columns.map(([key]) => h("th", { scope: "col" }, t(key))))), body));
  const none = h("p", { className: "empty" });
  let turn = 0, next = "";

  /** @param {boolean} [on] the next page; else from the first */
  async function load(on) {
    const mine = ++turn, q = new URLSearchParams(), kept = new URL(location.href);
    for (const [k, v] of [["q", search.value.trim()], ...filters.map(({ f, el }) => [f.name, el.value])]) {
      if (v) q.set(k, v), kept.searchParams.set(k, v);
      else kept.searchParams.delete(k);
    }
    history.replaceState(history.state, "", kept);
    const narrow = q.size > 0;
    q.set("limit", String(PAGE));
    if (on) q.set("after", next);
    const found = await get(`/${spec.kind}?${q}`);
    if (mine !== turn) return; // something else is asked by now
    const lines = found.rows.map((/** @type {any} */ r) => h("tr", {}, ...spec.columns.map(([, cell], i) => {
      const what = cell(r.data);
      return i === 0 ? h("th", { scope: "row" }, link(`/admin/${spec.kind}/${encodeURIComponent(r.id)}`, typeof what === "string" ? clean(what) : what))
        : h("td", {}, typeof what === "string" ? clean(what) : what);
    })));
    on ? body.append(...lines) : body.replaceChildren(...lines);
    next = found.next ?? "";
    more.hidden = !next;
    put(count, next ? t("admin.count_cut", { n: found.total, most: body.children.length }) : t("admin.count", { n: found.total }));
    put(none, t(narrow ? "admin.found_none" : "admin.empty"));
    table.hidden = !found.total;
    none.hidden = !!found.total;
  }
  /** @param {boolean} [on] */
  const show = (on) => load(on).catch((err) => put(count, err.message));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  search.addEventListener("input", () => (clearTimeout(timer), (timer = setTimeout(show, 150))));
  for (const { el } of filters) el.addEventListener("change", () => show());
  more.addEventListener("click", async () => {
    const first = body.children.length;
    await show(true);
    /** @type {HTMLElement | null | undefined} */ (body.children[first]?.querySelector("a"))?.focus();
  });
  await load();
  const bar = h("div", { className: "bar" },
    h("div", { className: "search" }, h("label", { for: "q" }, t("admin.search")), search), ...filters.map((f) => f.el), count,
    ...(spec.bar?.(me) ?? []), admin && link(`/admin/${spec.kind}/+`, t(`admin.add.${spec.kind}`), "button primary"));
  return [title(t(`admin.nav.${spec.kind}`)), bar, table, none, more];
}

/**
 * @param {Spec} spec
 * @param {any} me
 * @param {string} id "+" for a new one
 */
export async function editPage(spec, me, id) {
  await spec.before?.();
  const admin = mayChange(spec, me);
  const fresh = id === "+";
  const path = `/${spec.kind}/${encodeURIComponent(id)}`;
  let row = fresh ? { id: "", rev: "", data: {} } : await get(path);
  const strip = (/** @type {any} */ d) => (spec.body ? spec.body(structuredClone(d)) : d);
  const beside = h("div", { className: "beside" });
  const refresh = async () => {
    row = await get(path);
    show();
  };
  const form = formOf(spec.kind, spec.sections, async (f) => {
    f.clear();
    f.busy(true);
    try {
      const data = strip(f.get());
      const told = fresh ? spec.complete?.(data) : undefined;
      const answer = await ask(fresh ? "POST" : "PUT", fresh ? `/${spec.kind}` : path, data, row.rev);
      row = answer;
      f.saved();
      await told?.();
      if (fresh) go(`/admin/${spec.kind}/${encodeURIComponent(answer.id)}?new=1`);
      else show(true);
    } catch (err) {
      if (/** @type {any} */ (err).code === "row.stale") stale(f);
      else f.refuse(err);
    } finally {
      f.busy(false);
    }
  });

  /** Somebody was faster: what they changed is told, what was typed is kept. @param {any} f */
  async function stale(f) {
    let theirs;
    try {
      theirs = await get(path);
    } catch (err) {
      f.refuse(err);
      return;
    }
    const was = strip(row.data), is = strip(theirs.data);
    const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((k) => JSON.stringify(was[k]) !== JSON.stringify(is[k]));
    f.warn(h("p", {}, t("admin.stale")),
      h("ul", {}, ...keys.map((k) => h("li", {}, t("admin.stale_field", { field: fieldWord(spec.kind, k), value: shown(is[k], k) })))),
      h("div", { className: "acts" },
        h("button", { type: "button", onclick: () => ((row = theirs), f.set(theirs.data, true)) }, t("admin.stale_theirs")),
        h("button", { type: "button", className: "warn", onclick: () => ((row = { ...theirs, data: row.data }), f.root.requestSubmit()) }, t("admin.stale_mine"))));
  }

  const drop = h("button", { type: "button", className: "danger", onclick: async () => {
    if (!(await confirmed(t("admin.remove_sure", { id: row.id }), t("admin.remove")))) return;
    try {
      await ask("DELETE", path, undefined, row.rev);
      form.saved();
      go(`/admin/${spec.kind}`);
    } catch (err) {
      if (/** @type {any} */ (err).code === "row.stale") stale(form);
      else form.refuse(err);
    }
  } }, t("admin.remove"));

  /** @param {boolean} [kept] the form stays as it is */
  function show(kept) {
    if (!kept) form.set(row.data, !fresh);
    beside.replaceChildren(...(fresh || !admin ? [] : spec.beside?.(row.data, refresh) ?? []));
  }
  show();
  form.extra.append(...(spec.tools?.(form) ?? []), ...(fresh ? [] : [drop]));
  if (!admin) {
    form.save.hidden = true;
    form.extra.hidden = true;
    for (const el of form.root.querySelectorAll("input, select, textarea, button")) /** @type {any} */ (el).disabled = true;
  }
  guard(() => admin && form.dirty());
  const name = fresh ? t(`admin.add.${spec.kind}`) : (typeof row.data.name === "object" ? word(row.data.name) : clean(row.data.name)) || clean(row.id);
  return [link(`/admin/${spec.kind}`, "← " + t(`admin.nav.${spec.kind}`), "back"), title(name), form.root, beside];
}

/** @param {string} kind @param {string} field */
export function fieldWord(kind, field) {
  for (const key of [`admin.field.${kind}.${field}`, `admin.field.${field}`]) {
    const w = t(key);
    if (w !== key) return w;
  }
  return field;
}

/** "mon,tue" in words. @param {string} days */
export function daysOf(days) {
  const word = new Intl.DateTimeFormat(language(), { weekday: "short", timeZone: "UTC" });
  const names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  return days.split(",").map((d) => (names.includes(d) ? word.format(Date.UTC(2024, 0, 1 + names.indexOf(d))) : d)).join(" ");
}

/** Fields whose values are words of the pages → what those words are called. */
const CHOSEN = { role: "role", mode: "attend", type: "type", class: "class", colour: "colour", record: "record", factor: "factors", agent: "factors", admin: "factors", do: "do", wait: "wait", transport: "transport", voice: "voice", notice: "notice" };

/**
 * A value as a person reads it.
 * @param {any} v
 * @param {string} [field] whose
 * @returns {string}
 */
export function shown(v, field) {
  if (v === undefined || v === null || v === "") return "–";
  if (v === true) return t("admin.yes");
  if (v === false) return t("admin.no");
  if (Array.isArray(v)) return v.length ? v.map((x) => shown(x, field)).join(t("admin.comma")) : "–";
  if (typeof v === "object" && v.days && v.from) return `${daysOf(v.days)} ${clean(v.from)}–${clean(v.to)}`;
  if (typeof v === "object") return Object.entries(v).map(([k, x]) => `${clean(fieldWord("", k))}: ${shown(x, k)}`).join(" ");
  const key = `admin.${/** @type {any} */ (CHOSEN)[field?.split(".").at(-1) ?? ""]}.${v}`;
  return known(key) ? t(key) : clean(String(v));
}
