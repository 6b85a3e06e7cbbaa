// @ts-check
// What was: queues, agents, missed calls, calls, activity. All of it is GET /api/v1/reports/….
import { h, put } from "../../js/dom.js";
import { clean, language, t, word } from "../../js/text.js";
import { ask, choices, get } from "./api.js";
import { finder } from "./find.js";
import { views } from "./reportviews.js";
import { link, title } from "./shell.js";

const PAGES = ["queues", "agents", "missed", "calls", "outcomes", "activity"];
const ROWS = 200; // a table grows by so many

/** @typedef {{ statuses: any[], queues: string[], outcomes: [string, string][], end: (f: () => void) => void, days: number, agentNames: Map<string, string>, agents: { rows: [string, string][], more: boolean }, lists: Node[] }} Around what a view needs besides rows */

const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
const dateOf = (/** @type {Date} */ d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;

/** The date some days after. @param {string} date @param {number} days */
function plus(date, days) {
  const [y, m, d] = date.split("-").map(Number);
  return dateOf(new Date(y, m - 1, d + days));
}

/** From and to of the presets, both with their day. */
function presets() {
  const now = new Date();
  const today = dateOf(now);
  const week = plus(today, -((now.getDay() + 6) % 7)); // weeks begin on Monday (ISO 8601)
  return { today: [today, today], yesterday: [plus(today, -1), plus(today, -1)], week: [week, today], month: [today.slice(0, 8) + "01", today] };
}

/**
 * @param {string} which of PAGES; "" the first
 * @param {(f: () => void) => void} end
 */
export async function reportsPage(which, end) {
  const page = PAGES.includes(which) ? which : PAGES[0];
  const view = views[page];
  const around = await surroundings(end);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const asked = new URLSearchParams(location.search);
  const first = presets();
  const field = (/** @type {string} */ id, /** @type {string} */ type, /** @type {string} */ value) => h("input", { id: "report-" + id, type, value, autocomplete: "off" });
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const inputs = { from: field("from", "date", asked.get("from") ?? first.today[0]), to: field("to", "date", asked.get("to") ?? first.today[1]) };
  for (const f of view.filters) inputs[f] = filter(f, asked.get(f) ?? "", around);
  const told = h("p", { role: "status", className: "quiet-text" });
  const body = h("div", { className: "report" });
  const csv = h("a", { className: "button" }, t("admin.report.csv"));
  const quick = Object.keys(first).map((k) => h("button", { type: "button", "aria-pressed": "false", onclick: () => choose(k) }, t("admin.report." + k)));
  let turn = 0;
  /** @type {(() => void)[]} */
  let over = [];
  end(() => over.forEach((f) => f()));

  function query() {
    const q = new URLSearchParams({ from: inputs.from.value, to: plus(inputs.to.value, 1), tz: zone });
    for (const f of view.filters) if (inputs[f].value.trim()) q.set(f, inputs[f].value.trim());
    return q;
  }

  /** @param {string} preset */
  function choose(preset) {
    [inputs.from.value, inputs.to.value] = /** @type {any} */ (presets())[preset];
    load();
  }

  function remember() {
    const u = new URL(location.href);
    for (const [k, el] of Object.entries(inputs)) el.value.trim() ? u.searchParams.set(k, el.value.trim()) : u.searchParams.delete(k);
    history.replaceState(history.state, "", u);
    const now = Object.entries(presets());
    quick.forEach((b, i) => b.setAttribute("aria-pressed", String(now[i][1][0] === inputs.from.value && now[i][1][1] === inputs.to.value)));
  }

  async function load() {
    const mine = ++turn;
    if (!inputs.from.value || !inputs.to.value || inputs.from.value > inputs.to.value) {
      put(told, t("admin.report.order"));
      return;
    }
    remember();
    const q = query(), days = Math.round((Date.parse(plus(inputs.to.value, 1)) - Date.parse(inputs.from.value)) / 86_400_000);
    for (const [k, v] of Object.entries(view.fixed?.(days) ?? {})) q.set(k, v);
    csv.href = `/api/v1/reports/${page}?${q}&format=csv`;
    csv.setAttribute("download", "");
    if (view.paged) q.set("limit", String(ROWS));
    body.setAttribute("aria-busy", "true");
    try {
      const found = await get(`/api/v1/reports/${page}?${q}`);
      await learn(found.rows, around.agentNames);
      if (mine !== turn) return; // another question was asked meanwhile
      over.forEach((f) => f());
      over = [];
      const shown = view.show(found.rows, { ...around, days, end: (f) => over.push(f) });
      body.replaceChildren(...(found.rows.length ? shown.nodes : [h("p", { className: "empty" }, t("admin.report.none"))]));
      tell(found, found.rows.length);
      if (shown.more && found.next) body.append(moreButton(q, found.next, found.rows.length, shown.more));
    } catch (err) {
      if (mine !== turn) return;
      body.replaceChildren();
      put(told, /** @type {Error} */ (err).message);
    } finally {
      if (mine === turn) body.removeAttribute("aria-busy");
    }
  }

  /** @param {any} found @param {number} n */
  function tell(found, n) {
    const at = new Intl.DateTimeFormat(language(), { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" }).format(new Date(found.asOf));
    put(told, t(found.next ? "admin.report.first" : "admin.report.as_of", { n, at, zone }));
  }

  /** @param {URLSearchParams} q @param {string} next @param {number} n @param {(rows: any[]) => void} add */
  function moreButton(q, next, n, add) {
    const button = h("button", { type: "button" }, t("admin.more"));
    button.addEventListener("click", async () => {
      button.disabled = true;
      q.set("cursor", next);
      try {
        const found = await get(`/api/v1/reports/${page}?${q}`);
        await learn(found.rows, around.agentNames);
        add(found.rows);
        n += found.rows.length;
        next = found.next ?? "";
        tell(found, n);
        if (!next) button.remove();
      } catch (err) {
        put(told, /** @type {Error} */ (err).message);
      }
      button.disabled = false;
    });
    return button;
  }

  const form = h("form", { className: "bar report-bar" }, ...Object.entries(inputs).map(([k, el]) =>
    h("div", { className: "search" }, h("label", { for: el.id }, t(k === "from" || k === "to" ? "admin." + k : "admin.report.filter." + k)), el)), ...around.lists,
    h("button", { className: "primary" }, t("admin.show")), csv, h("button", { type: "button", onclick: () => print() }, t("admin.report.print")));
  form.addEventListener("submit", (e) => (e.preventDefault(), load()));
  await load();
  return [title(t("admin.nav.reports")),
    h("div", { className: "report-tabs", role: "navigation", "aria-label": t("admin.nav.reports") }, h("ul", {}, ...PAGES.map((p) => {
      const a = link("/admin/reports/" + p, t("admin.report.page." + p));
      if (p === page) a.setAttribute("aria-current", "page");
      return h("li", {}, a);
    }))),
    h("div", { className: "presets", role: "group", "aria-label": t("admin.report.period") }, ...quick), form, told, body];
}

/** @param {(f: () => void) => void} end @returns {Promise<Around>} */
async function surroundings(end) {
  const [o, people] = await Promise.all([get("/overview?brief=1"), choices("accounts")]);
  const queues = await get("/queues").then((q) => q.rows.map((/** @type {any} */ r) => r.data.name || r.id), () => []);
  const outcomes = await get("/outcomes").then((q) => q.rows.map((/** @type {any} */ r) => [r.id, word(r.data.name)]), () => []);
  return { statuses: o.statuses, queues, outcomes, end, days: 1, agentNames: new Map(), agents: people, lists: [] };
}

/** Learns what those are called who stand in the rows. @param {any[]} rows @param {Map<string, string>} names */
async function learn(rows, names) {
  const ids = [...new Set(rows.flatMap((r) => [r.account, r.by, ...(r.remarks ?? []).map((/** @type {any} */ m) => m.account)]).filter((a) => typeof a === "string" && a && !names.has(a)))];
  if (!ids.length) return;
  const found = await ask("POST", "/names", { ids }).catch(() => ({}));
  for (const id of ids) names.set(id, found[id] ?? id);
}

/** @param {string} name @param {string} value @param {Around} around */
function filter(name, value, around) {
  const id = "report-" + name;
  if (name === "within") return h("input", { id, type: "number", min: "1", max: "3600", value: value || "20" });
  /** @type {Record<string, () => string[][]>} */
  const all = {
    queue: () => around.queues.map((q) => [q, clean(q)]),
    account: () => around.agents.rows,
    outcome: () => around.outcomes,
    result: () => ["answered", "missed", "cancelled", "voice", "refused"].map((r) => [r, t("admin.report.result." + r)]),
    direction: () => ["in", "out", "inside"].map((d) => [d, t("admin.report.direction." + d)]),
    reason: () => ["left", "nobody", "unanswered", "declined", "silent", "unreached", "refused", "busy", "closed", "holiday", "empty", "full", "late"].map((r) => [r, t("admin.report.reason." + r)]),
  };
  if (name === "account" && around.agents.more) {
    const { el, list } = finder({ id, value }, "accounts");
    around.lists.push(list);
    return el;
  }
  const options = all[name]?.();
  if (!options) return h("input", { id, type: "text", value, autocomplete: "off" });
  const select = h("select", { id }, h("option", { value: "" }, t("admin.all")), ...options.map(([v, words]) => h("option", { value: v }, words)));
  if (value && !options.some(([v]) => v === value)) select.append(h("option", { value }, clean(value))); // one that is gone
  select.value = value;
  return select;
}
