// @ts-check
// The first start: five steps from an empty center to the first call.
import { h, put } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";
import { ask, get } from "./api.js";
import { control } from "./form.js";
import { copyable, guard, link, makePassword, title } from "./shell.js";

const STEPS = ["center", "floor", "people", "queue", "check"];
/** Which step a fault belongs to. */
const HOME = /** @type {Record<string, number>} */ ({ site: 0, floors: 1, seats: 1, accounts: 2, terminals: 2, queues: 3 });

/**
 * Lines of "account, name, extension, role, password"; a tab or a comma between them, the last three may be missing.
 * @param {string} text
 */
export function people(text) {
  let extension = 1001;
  const lines = text.split("\n").map((l) => l.trim()).filter(Boolean);
  if (/^(account|アカウント)\s*[,\t]/i.test(lines[0] ?? "")) lines.shift();
  const used = new Set(lines.map((l) => l.split(/[\t,、]/)[2]?.trim()).filter(Boolean));
  return lines.map((line) => {
    const [account, name, ext, role, password] = line.split(/[\t,、]/).map((x) => x.trim().replace(/^"(.*)"$/, "$1"));
    while (!ext && used.has(String(extension))) extension++;
    return { account, name: name || account, extension: ext || String(extension++), role: role || "agent", password: password || makePassword() };
  });
}

/** @param {(fresh: boolean) => void} fresh */
export async function wizardPage(fresh) {
  const now = await get("/site");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  /** @param {string} kind @param {import("./form.js").Field} f @param {any} [v] */
  const make = (kind, f, v) => {
    const c = control(kind, f);
    c.set(v);
    return c;
  };
  const c = {
    name: make("site", { name: "name", kind: "text", required: true }, now.data.fresh ? "" : now.data.name),
    domain: make("site", { name: "domain", kind: "text", required: true }, now.data.domain),
    zone: make("site", { name: "zone", kind: "text" }, now.data.zone || zone),
    profile: make("site", { name: "profile", kind: "select", options: ["3.4", "3.5", "3.6", "3.7", "3.9"].map((p) => [p, p]) }, now.data.profile),
    floor: make("wizard", { name: "floor", kind: "text", required: true }, "1F"),
    seats: make("wizard", { name: "seats", kind: "number", min: 0, max: 500 }, 8),
    columns: make("wizard", { name: "columns", kind: "number", min: 1, max: 50 }, 4),
    people: make("wizard", { name: "people", kind: "area" }, ""),
    extension: make("queues", { name: "extension", kind: "text" }, "7000"),
    queue: make("wizard", { name: "queue", kind: "text" }, t("admin.wizard.queue_name")),
  };
  const file = h("input", { type: "file", accept: ".csv,.txt,text/csv,text/plain", id: "csv" });
  file.addEventListener("change", async () => {
    const bytes = await file.files?.[0]?.arrayBuffer();
    if (!bytes) return;
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      text = new TextDecoder("shift_jis").decode(bytes); // as a spreadsheet on a Japanese Windows saves it
    }
    c.people.set(text.replace(/^\ufeff/, ""));
  });
  const summary = h("dl", { className: "tiles" });
  const bodies = [
    [c.name, c.domain, c.zone, c.profile].map((x) => x.root), [c.floor, c.seats, c.columns].map((x) => x.root),
    [c.people.root, h("div", { className: "box" }, h("label", { for: "csv" }, t("admin.wizard.csv")), file)], [c.extension.root, c.queue.root],
    [h("p", {}, t("admin.wizard.check_hint")), summary],
  ];
  let at = 0;
  const banner = h("div", { role: "alert", className: "banner", hidden: true });
  const marks = STEPS.map((s) => h("li", {}, t("admin.wizard." + s)));
  const sections = bodies.map((b, i) => h("section", { className: "card" }, h("h2", { tabIndex: -1 }, t("admin.wizard." + STEPS[i])), h("p", { className: "hint" }, t(`admin.wizard.${STEPS[i]}_hint0`)), ...b));
  const back = h("button", { type: "button", onclick: () => step(at - 1) }, t("admin.wizard.back"));
  const next = h("button", { className: "primary" });
  const form = h("form", { noValidate: true }, h("ol", { className: "steps", "aria-label": t("admin.nav.setup") }, ...marks), banner, ...sections, h("div", { className: "acts" }, next, back));
  let made = people("");

  function setup() {
    made = people(c.people.get() ?? "");
    const site = { ...now.data, name: c.name.get() ?? "", domain: c.domain.get() ?? "", zone: c.zone.get(), profile: c.profile.get() };
    delete site.fresh;
    delete site.fixed;
    const n = c.seats.get() ?? 0, columns = Math.max(1, c.columns.get() ?? 1), floor = c.floor.get() ?? "";
    return {
      site,
      floors: floor ? [{ id: "1", name: floor }] : [],
      seats: floor ? Array.from({ length: Math.min(500, n) }, (_, i) => ({ id: String(i + 1), floor: "1", x: i % columns, y: Math.floor(i / columns) })) : [],
      accounts: made.map((p) => ({ account: p.account, name: p.name, role: p.role, password: p.password, terminals: [p.extension] })),
      terminals: made.map((p) => ({ extension: p.extension, name: p.name, account: p.account })),
      queues: c.extension.get() ? [{ extension: c.extension.get(), name: c.queue.get() ?? "" }] : [],
    };
  }

  /** @param {number} to */
  function step(to) {
    at = Math.min(Math.max(to, 0), STEPS.length - 1);
    sections.forEach((x, i) => (x.hidden = i !== at));
    marks.forEach((x, i) => (i === at ? x.setAttribute("aria-current", "step") : x.removeAttribute("aria-current")));
    back.hidden = at === 0;
    put(next, t(at === STEPS.length - 1 ? "admin.wizard.go" : "admin.wizard.next"));
    if (at === STEPS.length - 1) {
      const s = setup();
      summary.replaceChildren(...[["center", s.site.name], ["seats", s.seats.length], ["people", s.accounts.length], ["queue", s.queues.map((q) => `${q.extension} ${q.name}`).join()]].map(([k, v]) =>
        h("div", {}, h("dt", {}, t("admin.wizard.sum." + k)), h("dd", {}, clean(String(v || "–"))))));
    }
    /** @type {HTMLElement | null} */ (sections[at].querySelector("h2"))?.focus();
  }

  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    banner.hidden = true;
    if (at < STEPS.length - 1) {
      step(at + 1);
      return;
    }
    if (next.getAttribute("aria-busy") === "true") return;
    next.setAttribute("aria-busy", "true");
    for (const x of Object.values(c)) x.fault("");
    try {
      await ask("POST", "/import", setup());
      guard(() => false);
      fresh(false);
      await finished();
    } catch (err) {
      const e = /** @type {any} */ (err), faults = e.faults ?? [];
      banner.replaceChildren(h("p", {}, faults.length ? t("admin.faults") : e.message), ...faults.map((/** @type {any} */ f) =>
        h("p", {}, ["accounts", "terminals"].includes(f.list) ? t("admin.wizard.line", { n: (f.row ?? 0) + 1 }) + " " : "", clean(f.message))));
      banner.hidden = false;
      if (faults.length) {
        step(HOME[faults[0].list] ?? 0);
        const at = faults[0].list === "site" ? /** @type {any} */ (c)[faults[0].field] : { floors: c.floor, seats: c.seats, accounts: c.people, terminals: c.people, queues: faults[0].field === "extension" ? c.extension : c.queue }[/** @type {string} */ (faults[0].list)];
        at?.fault(faults[0].message);
      }
    } finally {
      next.setAttribute("aria-busy", "false");
    }
  });

  /** The end: how phones find the center, and the passwords, once. */
  async function finished() {
    const o = await get("/overview?brief=1");
    const csv = "account,name,extension,password\r\n" + made.map((p) => [p.account, p.name, p.extension, p.password].map((x) => (/^[=+\-@\t\r]/.test(x) ? "'" + x : x)).map((x) => (/[",\n]/.test(x) ? `"${x.replaceAll('"', '""')}"` : x)).join(",")).join("\r\n");
    const save = h("a", { className: "button", download: "passwords.csv", href: URL.createObjectURL(new Blob(["\ufeff" + csv], { type: "text/csv" })) }, t("admin.wizard.download"));
    form.replaceWith(h("div", { className: "form" },
      h("section", { className: "card" }, h("h2", { tabIndex: -1, id: "finished" }, t("admin.wizard.finished")), h("p", {}, t("admin.join_hint")), copyable(o.join, t("admin.join"))),
      ...(made.length ? [h("section", { className: "card" }, h("h2", {}, t("admin.wizard.passwords")), h("p", { className: "hint" }, t("admin.wizard.passwords_hint")), save,
        h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.wizard.passwords") }, h("table", {}, h("thead", {}, h("tr", {}, ...["account", "name", "extension", "password"].map((k) => h("th", { scope: "col" }, t("admin.field." + k))))),
          h("tbody", {}, ...made.map((p) => h("tr", {}, h("th", { scope: "row" }, clean(p.account)), h("td", {}, clean(p.name)), h("td", {}, clean(p.extension)), h("td", {}, h("code", {}, p.password))))))))] : []),
      h("section", { className: "card" }, h("h2", {}, t("admin.wizard.steps")), h("ol", {}, ...["phones", "line", "look"].map((k) => h("li", {}, t("admin.wizard.step." + k)))),
        h("p", {}, link("/admin/terminals", t("admin.nav.terminals")), " · ", link("/admin/site", t("admin.nav.site")), " · ", link("/", t("admin.nav.overview"))))));
    document.getElementById("finished")?.focus();
  }
  step(0);
  guard(() => !!(c.name.get() || c.people.get()) && now.data.fresh);
  return [title(t("admin.wizard.title")), form];
}
