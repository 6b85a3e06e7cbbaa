// @ts-check
// How each report is shown: figures, charts, and the table that says the same.
import { h } from "../../js/dom.js";
import { clean, language, span, t, word } from "../../js/text.js";
import { bars, columns, fitted, legend, lines, roundUp } from "./chart.js";

/** @typedef {import("./reports.js").Around} Around */
/**
 * @typedef {{ filters: string[], paged?: boolean, fixed?: (days: number) => Record<string, string>,
 *   show: (rows: any[], around: Around) => { nodes: Node[], more?: (rows: any[]) => void } }} View
 */

const CHARTS = 6; // queues with a chart of their own

const length = (/** @type {number} */ seconds) => span(seconds * 1000);
const percent = (/** @type {number} */ p) => new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 1 }).format(p / 100);
const whole = (/** @type {number} */ n) => new Intl.NumberFormat(language()).format(n);
const moment = (/** @type {string} */ iso) => (iso ? new Intl.DateTimeFormat(language(), { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" }).format(new Date(iso)) : "");
const date = (/** @type {string} */ day) => new Intl.DateTimeFormat(language(), { month: "short", day: "numeric", weekday: "short" }).format(new Date(day + "T12:00"));
/** Words of a value that the center may know more of than we. @param {string} prefix @param {string} value */
const said = (prefix, value) => (value ? (t(prefix + value) === prefix + value ? clean(value) : t(prefix + value)) : "");

/** @param {Around} around @param {string} id */
function statusOf(around, id) {
  const d = around.statuses.find((s) => s.id === id);
  return { key: id, name: d ? word(d.name) : clean(id), colour: d?.colour ?? "grey", sign: d?.sign ?? "?", hollow: id === "ringing" || id === "away" };
}

/** @param {Around} around @param {string} account */
const person = (around, account) => clean(around.agentNames.get(account) ?? account);

/**
 * A table. Columns are [key of the words, numbers or not, cell of a row].
 * @param {string} caption
 * @param {[string, boolean, (row: any) => string | Node][]} cols
 * @param {any[]} rows
 */
function table(caption, cols, rows) {
  const line = (/** @type {any} */ row) => h("tr", {}, ...cols.map(([, num, cell], i) => h(i ? "td" : "th", { className: num ? "num" : "", ...(i ? {} : { scope: "row" }) }, cell(row))));
  const body = h("tbody", {}, ...rows.map(line));
  const root = h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", { className: "unseen" }, caption),
      h("thead", {}, h("tr", {}, ...cols.map(([key, num]) => h("th", { scope: "col", className: num ? "num" : "" }, t("admin.report.col." + key))))), body));
  return { root, add: (/** @type {any[]} */ more) => body.append(...more.map(line)) };
}

/** @param {[string, string][]} figures key of the words, figure */
const tiles = (figures) => h("dl", { className: "tiles" }, ...figures.map(([key, figure]) => h("div", {}, h("dt", {}, t("admin.report.col." + key)), h("dd", {}, figure))));

/** @param {string} heading @param {...Node} what */
const card = (heading, ...what) => h("section", { className: "card", "aria-label": heading }, h("h2", {}, heading), ...what);

const OUTCOMES = ["answered", "abandoned", "voice", "lost", "closed"];
const outcomes = () => [["answered", "green"], ["abandoned", "amber"], ["voice", "violet"], ["lost", "red"], ["closed", "grey"]].map(([key, colour]) =>
  ({ key, colour, name: t("admin.report.col." + key), hollow: key === "abandoned" || key === "closed" }));

/** All columns of time between the first and the last row, with those in which nothing came. @param {any[]} rows @param {number} days */
function times(rows, days) {
  const all = new Map(rows.map((r) => [r.at, 0]));
  const sorted = [...all.keys()].sort();
  const step = days <= 1 ? 1_800_000 : days <= 2 ? 3_600_000 : 86_400_000;
  for (let at = Date.parse(sorted[0]); days <= 2 && at < Date.parse(sorted[sorted.length - 1]); at += step) all.set(new Date(at).toISOString().replace(".000Z", "Z"), 0);
  return [...all.keys()].sort();
}

/** @param {any[]} rows @param {Around} around */
function queues(rows, around) {
  const label = new Intl.DateTimeFormat(language(), around.days <= 1 ? { hour: "numeric", minute: "2-digit", hourCycle: "h23" } : around.days <= 2 ? { weekday: "short", hour: "numeric", hourCycle: "h23" } : { month: "numeric", day: "numeric" });
  const names = [...new Set(rows.map((r) => r.queue))], at = rows.length ? times(rows, around.days) : [];
  const labels = at.map((a) => label.format(new Date(a)));
  const sum = (/** @type {string} */ key, of = rows) => of.reduce((n, r) => n + r[key], 0);
  const answered = sum("answered"), waits = rows.reduce((n, r) => n + r.waitAverage * r.answered, 0);
  /** @type {HTMLElement[]} */
  const nodes = [tiles([["offered", whole(sum("offered"))], ["answered", whole(answered)], ["abandoned", whole(sum("abandoned"))], ["lost", whole(sum("lost"))],
    ["wait_average", length(answered ? waits / answered : 0)], ["wait_longest", length(Math.max(0, ...rows.map((r) => r.waitLongest)))]])];
  for (const name of names.slice(0, CHARTS)) {
    const mine = new Map(rows.filter((r) => r.queue === name).map((r) => [r.at, r]));
    const values = at.map((a) => mine.get(a) ?? {});
    const of = [...mine.values()];
    const desc = t("admin.report.queue_desc", { offered: sum("offered", of), answered: sum("answered", of), abandoned: sum("abandoned", of) });
    nodes.push(card(clean(name), h("h3", {}, t(around.days <= 1 ? "admin.report.by_half" : around.days <= 2 ? "admin.report.by_hour" : "admin.report.by_day")), legend(outcomes()),
      fitted((width) => columns({ width, labels, values, parts: outcomes(), title: `${clean(name)} – ${t("admin.report.by_hour")}`, desc, say: (l, p, n) => `${l} ${p.name}: ${n}` }), around.end),
      h("h3", {}, t("admin.report.waits")), legend([{ key: "m", colour: "blue", name: t("admin.report.col.wait_median") }, { key: "p", colour: "violet", name: t("admin.report.col.wait_p90") }]),
      fitted((width) => lines({ width, labels, title: `${clean(name)} – ${t("admin.report.waits")}`, desc, figure: length, top: (v) => (v <= 60 ? roundUp(v) : Math.ceil(v / 60) * 60),
        lines: [["waitMedian", "blue", "wait_median"], ["waitP90", "violet", "wait_p90"]].map(([k, colour, key]) =>
          ({ colour, name: t("admin.report.col." + key), values: values.map((v) => (v.answered ? v[k] : null)) })) }), around.end)));
  }
  const when = (/** @type {any} */ r) => new Intl.DateTimeFormat(language(), { dateStyle: "short", timeStyle: around.days <= 2 ? "short" : undefined, hourCycle: "h23" }).format(new Date(r.at));
  nodes.push(table(t("admin.report.page.queues"), [["queue", false, (r) => clean(r.queue)], ["at", false, when], ["offered", true, (r) => whole(r.offered)],
    ...OUTCOMES.map((k) => /** @type {[string, boolean, (row: any) => string]} */ ([k, true, (r) => whole(r[k])])), ["level", true, (r) => percent(r.level)],
    ["wait_average", true, (r) => length(r.waitAverage)], ["wait_median", true, (r) => length(r.waitMedian)], ["wait_p90", true, (r) => length(r.waitP90)],
    ["wait_longest", true, (r) => length(r.waitLongest)], ["abandon_average", true, (r) => length(r.abandonAverage)], ["talk_average", true, (r) => length(r.talkAverage)]], rows).root);
  return { nodes };
}

/** @param {any[]} rows @param {Around} around */
function agents(rows, around) {
  /** @type {Map<string, { statuses: Record<string, number>, signedIn: number }>} */
  const sums = new Map();
  /** @type {Record<string, number>} */
  const total = {};
  for (const r of rows) {
    const a = sums.get(r.account) ?? { statuses: {}, signedIn: 0 };
    a.signedIn += r.signedIn;
    for (const [k, v] of Object.entries(r.statuses)) (a.statuses[k] = (a.statuses[k] ?? 0) + v), (total[k] = (total[k] ?? 0) + v);
    sums.set(r.account, a);
  }
  const order = around.statuses.map((d) => d.id);
  const parts = Object.keys(total).sort((x, y) => (order.indexOf(x) + 99) % 99 - (order.indexOf(y) + 99) % 99).map((id) => statusOf(around, id));
  const people = [...sums].sort((x, y) => y[1].signedIn - x[1].signedIn);
  const chart = bars(people.map(([a, v]) => ({ name: person(around, a), total: length(v.signedIn), values: v.statuses })),
    parts.map((p) => ({ ...p, name: `${p.sign} ${p.name}` })), (p, v) => `${p.name} ${length(v)}`);
  const own = table(t("admin.report.time"), [["account", false, ([a]) => person(around, a)], ["signed_in", true, ([, v]) => length(v.signedIn)],
    ...parts.map((p) => /** @type {[string, boolean, (row: any) => string]} */ (["", true, ([, v]) => length(v.statuses[p.key] ?? 0)]))], people);
  own.root.querySelectorAll("thead th").forEach((th, i) => i > 1 && (th.textContent = `${parts[i - 2].sign} ${parts[i - 2].name}`));
  return { nodes: [card(t("admin.report.time"), legend(parts.map((p) => ({ ...p, name: `${p.sign} ${p.name}` }))), chart, own.root),
    table(t("admin.report.page.agents"), [["account", false, (r) => person(around, r.account)], ["day", false, (r) => date(r.day)], ["signed_in", true, (r) => length(r.signedIn)],
      ["taken", true, (r) => whole(r.taken)], ["talk_in", true, (r) => length(r.talkIn)], ["made", true, (r) => whole(r.made)], ["talk_out", true, (r) => length(r.talkOut)],
      ["work", true, (r) => length(r.work)], ["missed", true, (r) => whole(r.missed)], ["declined", true, (r) => whole(r.declined)], ["occupancy", true, (r) => percent(r.occupancy)], ["outcomes", false, (r) => ended(r.outcomes ?? {}, around)]], rows).root] };
}

const caller = (/** @type {any} */ r) => (r.name ? h("span", {}, clean(r.caller), h("span", { className: "quiet-text" }, clean(r.name))) : clean(r.caller));

/** @param {any[]} rows @param {Around} around */
function missed(rows, around) {
  const list = table(t("admin.report.page.missed"), [["at", false, (r) => moment(r.began)], ["caller", false, caller], ["queue", false, (r) => clean(r.queue || r.called)],
    ["reason", false, (r) => said("admin.report.reason.", r.reason)], ["wait", true, (r) => length(r.waitSeconds)], ["account", false, (r) => person(around, r.account)],
    ["offers", true, (r) => whole(r.offers)], ["message", false, (r) => (r.message ? t("admin.report.left_message") : "")],
    ["back", false, (r) => (r.back ? moment(r.back) : t("admin.report.open"))]], rows);
  const counts = new Map();
  for (const r of rows) counts.set(r.reason, (counts.get(r.reason) ?? 0) + 1);
  const part = { key: "n", name: "", colour: "red" };
  const chart = bars([...counts].sort((x, y) => y[1] - x[1]).map(([k, n]) => ({ name: said("admin.report.reason.", k), total: whole(n), values: { n } })), [part], (_, v) => whole(v));
  return { nodes: [card(t("admin.report.reasons", { n: rows.length }), chart), list.root], more: list.add };
}

/** @param {any[]} rows @param {Around} around */
function calls(rows, around) {
  const list = table(t("admin.report.page.calls"), [["at", false, (r) => moment(r.began)], ["direction", false, (r) => said("admin.report.direction.", r.direction)], ["caller", false, caller],
    ["called", false, (r) => clean(r.called)], ["queue", false, (r) => clean(r.queue)], ["account", false, (r) => person(around, r.account)],
    ["result", false, (r) => said("admin.report.result.", r.result)], ["reason", false, (r) => said("admin.report.reason.", r.reason)],
    ["outcome", false, (r) => notes(r.remarks ?? [], around)],
    ["wait", true, (r) => length(r.waitSeconds)], ["talk", true, (r) => length(r.talkSeconds)], ["mos", true, (r) => (r.sound ? r.sound.mos.toFixed(1) : "")]], rows);
  return { nodes: [list.root], more: list.add };
}

/** @param {Around} around @param {string} id */
const outcomeOf = (around, id) => (id ? clean(around.outcomes.find(([o]) => o === id)?.[1] ?? id) : t("admin.report.unsaid"));

/** How many calls ended how, the most first: "Sold 3, Gone 1". @param {Record<string, number>} counts @param {Around} around */
const ended = (counts, around) => Object.entries(counts).sort((x, y) => y[1] - x[1]).map(([id, n]) => `${outcomeOf(around, id)} ${whole(n)}`).join(t("admin.comma"));

/** How a call ended, as agents said, and what they wrote about it; with names where it was more than one. @param {any[]} remarks @param {Around} around */
function notes(remarks, around) {
  const written = remarks.filter((m) => m.text), said = [...new Set(remarks.filter((m) => m.outcome).map((m) => outcomeOf(around, m.outcome)))];
  return h("div", { className: "notes" }, said.length ? h("b", {}, said.join(t("admin.comma"))) : "", ...written.map((m) => h("p", {}, written.length > 1 ? `${person(around, m.account)}: ` : "", m.text.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, ""))));
}

/** How calls ended, as agents said. @param {any[]} rows @param {Around} around */
function outcomesView(rows, around) {
  const sum = rows.reduce((n, r) => n + r.calls, 0);
  /** @type {Map<string, { calls: number, talk: number }>} */
  const by = new Map();
  for (const r of rows) {
    const o = by.get(r.outcome) ?? { calls: 0, talk: 0 };
    by.set(r.outcome, { calls: o.calls + r.calls, talk: o.talk + r.talkSeconds });
  }
  const part = { key: "n", name: "", colour: "blue" };
  const sorted = [...by].sort((x, y) => y[1].calls - x[1].calls);
  const chart = bars(sorted.map(([o, v]) => ({ name: outcomeOf(around, o), total: `${whole(v.calls)} (${percent((100 * v.calls) / sum)})`, values: { n: v.calls } })), [part], (_, v) => whole(v));
  return { nodes: [card(t("admin.report.counts"), chart),
    table(t("admin.report.page.outcomes"), [["outcome", false, (r) => outcomeOf(around, r.outcome)], ["queue", false, (r) => clean(r.queue)], ["account", false, (r) => person(around, r.account)],
      ["calls", true, (r) => whole(r.calls)], ["talk_average", true, (r) => length(r.calls ? r.talkSeconds / r.calls : 0)]], rows).root] };
}

/** From when, and when the phone told of it where the center was away then: until that moment nobody could have seen it. @param {any} r */
const since = (r) => (r.told ? h("span", {}, moment(r.from), h("span", { className: "quiet-text" }, t("admin.report.told", { at: moment(r.told) }))) : moment(r.from));

/** @param {any[]} rows @param {Around} around */
function activity(rows, around) {
  const by = (/** @type {string} */ a) => (a === "system" || a === "operator" ? t("admin.report.by." + a) : person(around, a));
  const list = table(t("admin.report.page.activity"), [["from", false, since], ["until", false, (r) => (r.to ? moment(r.to) : t("admin.report.lasts"))],
    ["account", false, (r) => person(around, r.account)], ["status", false, (r) => `${statusOf(around, r.status).sign} ${statusOf(around, r.status).name}`], ["length", true, (r) => length(r.seconds)],
    ["by", false, (r) => by(r.by)], ["why", false, (r) => cause(r.why)], ["seat", false, (r) => clean(r.seat)], ["terminal", false, (r) => clean(r.terminal)],
    ["machine", false, (r) => clean(r.machine)], ["end", false, (r) => (r.out ? `${cause(r.endWhy)} (${by(r.endBy)})` : cause(r.endWhy))]], rows);
  return { nodes: [list.root], more: list.add };
}

/** The causes that the center writes, in words; others as they are. @param {string | undefined} why */
const cause = (why) => said("admin.report.why.", (why ?? "").replace(/ by .*/, "").replaceAll(" ", "_").replaceAll("-", "_")).replaceAll("_", " ");

/** @type {Record<string, View>} */
export const views = {
  queues: { filters: ["queue", "within"], fixed: (days) => ({ by: days <= 1 ? "half" : days <= 2 ? "hour" : "day" }), show: queues },
  agents: { filters: ["account"], show: agents },
  missed: { filters: ["queue", "account", "reason", "caller"], paged: true, show: missed },
  outcomes: { filters: ["queue", "account", "outcome"], show: outcomesView },
  calls: { filters: ["queue", "account", "direction", "result", "outcome", "caller"], paged: true, show: calls },
  activity: { filters: ["account"], paged: true, show: activity },
};
