// @ts-check
// What rows are made of, kind by kind.
import { h } from "../../js/dom.js";
import { clean, t, word } from "../../js/text.js";
import { ask, choices, get } from "./api.js";
import { confirmed, copyable, link, makePassword, shownOnce } from "./shell.js";
import { captureTool } from "./capture.js";
import { daysOf, fieldWord, shown } from "./crud.js";
import { settingValue, settingWord } from "./locks.js";

/** Lists that forms choose from. */
const lists = { accounts: [], groups: [], terminals: [], queues: [], calendars: [], floors: [] };
/** Those that have more rows than a list shows. @type {Set<string>} */
const large = new Set();
/** Settings of phones. @type {import("./locks.js").Setting[]} */
let settings = [];

/** @param {...keyof typeof lists} kinds */
const load = (...kinds) => async () => {
  await Promise.all(kinds.map(async (k) => {
    const found = await choices(k);
    /** @type {any} */ (lists)[k] = found.rows;
    if (found.more) large.add(k);
    else large.delete(k);
  }));
};
/** Rows of a kind of which there may be many. @param {string} name @param {keyof typeof lists} kind @param {object} [more] @returns {import("./form.js").Field} */
const picks = (name, kind, more) => ({ name, kind: "picks", options: from(kind), kinds: [kind], many: () => large.has(kind), ...more });
/** @param {keyof typeof lists} kind @returns {() => [string, string][]} */
const from = (kind) => () => lists[kind];
/** @param {keyof typeof lists} kind @returns {() => [string, string][]} */
const maybe = (kind) => () => [["", "–"], ...lists[kind]];

/** Words of a fixed list. @param {string} key @param {...string} values @returns {[string, string][]} */
const of = (key, ...values) => values.map((v) => [v, v === "" ? "–" : t(`admin.${key}.${v}`)]);
/** @param {string} key @param {...string} values */
const later = (key, ...values) => () => of(key, ...values);

const ROLES = ["agent", "supervisor", "administrator"];
const TYPES = ["softphone", "softphone-encrypted", "desk", "mobile", "trunk"];
const KINDS = ["route", "asterisk", "kamailio"];

/** Keeps only what may be sent. @param {string[]} keys */
const only = (...keys) => (/** @type {any} */ d) => Object.fromEntries(keys.filter((k) => d[k] !== undefined).map((k) => [k, d[k]]));

/** @param {string} label @param {() => Promise<unknown>} act @param {string} [className] */
function action(label, act, className) {
  const told = h("span", { role: "status", className: "quiet-text" });
  const b = h("button", { type: "button", className: className ?? "", onclick: async () => {
    told.textContent = "";
    try {
      if ((await act()) !== false) told.textContent = t("admin.done_it");
    } catch (err) {
      told.textContent = /** @type {Error} */ (err).message;
    }
  } }, label);
  return h("div", { className: "action" }, b, told);
}

/** Beside an account: password, second factor, session. @param {any} d @param {() => void} again */
function besideAccount(d, again) {
  const path = `/accounts/${encodeURIComponent(d.account)}/`;
  const day = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });
  const f = d.factor;
  return [
    h("section", { className: "card" }, h("h2", {}, t("admin.password")), h("p", { className: "hint" }, t("admin.password_hint")),
      action(t("admin.password_new"), async () => {
        if (!(await confirmed(t("admin.password_sure", { name: clean(d.name || d.account) }), t("admin.password_new")))) return false;
        const made = await ask("POST", path + "password", {});
        await shownOnce(t("admin.password_made"), h("p", {}, t("admin.password_once")), copyable(made.password, t("admin.password")));
      })),
    h("section", { className: "card" }, h("h2", {}, t("admin.factor")),
      h("p", {}, f?.app || f?.mail ? t("admin.factor_is", { ways: [f.app && t("admin.way.app"), f.mail && t("admin.way.mail")].filter(Boolean).join(" / "), codes: f.codes }) : t("admin.factor_none")),
      f?.devices?.length ? h("ul", {}, ...f.devices.map((/** @type {any} */ x) => h("li", {}, t("admin.device", { label: clean(x.label), until: day.format(new Date(x.until)) })))) : null,
      action(t("admin.factor_reset"), async () => {
        if (!(await confirmed(t("admin.factor_sure", { name: clean(d.name || d.account) }), t("admin.factor_reset")))) return false;
        await ask("POST", path + "factor-reset");
        again();
      }),
      f?.devices?.length ? action(t("admin.forget_devices"), async () => (await ask("POST", path + "forget-devices"), again())) : null),
    h("section", { className: "card" }, h("h2", {}, t("admin.session")), h("p", {}, t(d.signedIn ? "admin.session_is" : "admin.session_none")),
      d.signedIn ? action(t("admin.sign_out_person"), async () => {
        if (!(await confirmed(t("admin.sign_out_sure", { name: clean(d.name || d.account) }), t("admin.sign_out_person")))) return false;
        await ask("POST", path + "sign-out");
        again();
      }) : null),
  ];
}

const MOST_TOUCHED = 200;

/** A change of a policy in words. @param {{ field: string, was: any, is: any }} s */
function shift(s) {
  const lock = s.field.startsWith("locked.") ? s.field.slice("locked.".length) : "";
  const of = settings.find((x) => x.name === lock);
  return lock ? { field: settingWord(lock), was: settingValue(of, s.was), is: settingValue(of, s.is) }
    : { field: fieldWord("policies", "set." + s.field), was: shown(s.was, s.field), is: shown(s.is, s.field) };
}

/** Whom a policy touches. @param {any} form */
function previewTool(form) {
  const place = h("div", { className: "preview", role: "status" });
  const b = h("button", { type: "button", onclick: async () => {
    form.clear();
    try {
      const body = /** @type {any} */ (specs.policies.body)(form.get());
      body.id ||= "new";
      const touched = await ask("POST", "/policies/preview", body);
      place.replaceChildren(h("p", {}, t("admin.preview_count", { n: touched.length })),
        touched.length <= MOST_TOUCHED ? "" : h("p", { className: "hint" }, t("admin.preview_cut", { most: MOST_TOUCHED })),
        touched.length ? h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.preview") }, h("table", {},
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("admin.field.account")), h("th", { scope: "col" }, t("admin.preview_changes")))),
          h("tbody", {}, ...touched.slice(0, MOST_TOUCHED).map((/** @type {any} */ x) => h("tr", {}, h("th", { scope: "row" }, clean(x.name)),
            h("td", {}, x.fields.length ? x.fields.map((/** @type {any} */ s) => t("admin.shift", shift(s))).join(t("admin.comma")) : t("admin.preview_same"))))))) : "");
    } catch (err) {
      form.refuse(err);
    }
  } }, t("admin.preview"));
  form.root.append(place);
  return [b];
}

/** @type {Record<string, import("./crud.js").Spec>} */
export const specs = {
  accounts: {
    kind: "accounts", id: "account", before: load("groups", "terminals"), beside: besideAccount,
    columns: [["admin.field.account", (d) => d.account], ["admin.field.name", (d) => d.name], ["admin.field.role", (d) => t("admin.role." + d.role)],
      ["admin.field.terminals", (d) => d.terminals.join(", ")], ["admin.field.groups", (d) => (d.groups ?? []).join(", ")],
      ["admin.factor", (d) => (d.factor?.app || d.factor?.mail ? t("admin.yes") : "–")],
      ["admin.state", (d) => t(d.off ? "admin.suspended" : d.signedIn ? "admin.signed_in" : "admin.signed_out")]],
    filters: [
      { name: "role", key: "admin.field.role", options: () => of("role", ...ROLES) },
      { name: "group", key: "admin.field.groups", options: async () => (await choices("groups")).rows },
      { name: "state", key: "admin.state", options: () => [["in", t("admin.signed_in")], ["out", t("admin.signed_out")], ["off", t("admin.suspended")]] },
    ],
    sections: [{ fields: [
      { name: "account", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true },
      { name: "password", kind: "secret" },
      { name: "role", kind: "select", options: later("role", ...ROLES), value: "agent" },
      { name: "agent", kind: "check", keep: true, value: true },
      picks("terminals", "terminals", { keep: true }), { name: "groups", kind: "picks", options: from("groups") },
      { name: "mail", kind: "text", type: "email" }, { name: "subject", kind: "text" }, { name: "off", kind: "check" },
    ] }],
    complete(d) {
      if (d.password) return undefined;
      d.password = makePassword();
      return () => shownOnce(t("admin.password_made"), h("p", {}, t("admin.password_once")), copyable(d.password, t("admin.password")));
    },
    body: only("account", "name", "password", "role", "agent", "terminals", "groups", "mail", "subject", "off"),
  },
  groups: {
    kind: "groups", id: "id", columns: [["admin.field.id", (d) => d.id], ["admin.field.name", (d) => d.name]],
    sections: [{ fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true }] }],
  },
  terminals: {
    kind: "terminals", id: "extension",
    columns: [["admin.field.extension", (d) => d.extension], ["admin.field.name", (d) => d.name ?? ""], ["admin.field.type", (d) => t("admin.type." + d.type)],
      ["admin.field.terminals.account", (d) => d.account ?? ""], ["admin.field.holder", (d) => d.holder ?? ""]],
    filters: [{ name: "type", key: "admin.field.type", options: () => of("type", ...TYPES) }],
    sections: [
      { fields: [
        { name: "extension", kind: "text", required: true, fixed: true }, { name: "type", kind: "select", options: later("type", ...TYPES), value: "softphone" },
        { name: "name", kind: "text" },
        { name: "account", kind: "find", kinds: ["accounts"], when: (d) => !d.type || d.type.startsWith("softphone") },
        { name: "secret", kind: "secret" },
      ] },
      { title: "admin.trunk", when: (d) => d.type === "trunk", fields: [
        { name: "trunk.server", kind: "text" }, { name: "trunk.transport", kind: "select", options: later("transport", "", "udp", "tcp", "tls") },
        { name: "trunk.user", kind: "text" }, { name: "trunk.domain", kind: "text" }, { name: "trunk.register", kind: "check" },
        { name: "trunk.expires", kind: "number", min: 0 }, { name: "trunk.accept", kind: "lines" }, { name: "trunk.caller", kind: "text" },
        { name: "trunk.numbers", kind: "rows", fields: [{ name: "number", kind: "text" }, { name: "to", kind: "find", kinds: ["queues", "terminals"] }] },
      ] },
    ],
    body(d) {
      const b = only("extension", "type", "name", "account", "secret", "trunk")(d);
      if (b.type !== "trunk") delete b.trunk;
      return b;
    },
  },
  queues: {
    kind: "queues", id: "extension", before: load("accounts", "groups", "calendars", "queues"),
    columns: [["admin.field.queues.extension", (d) => d.extension], ["admin.field.name", (d) => d.name], ["admin.field.groups", (d) => (d.groups ?? []).join(", ")],
      ["admin.field.queues.agents", (d) => (d.agents ?? []).join(", ") || (d.groups?.length ? "" : t("admin.everybody"))], ["admin.field.calendar", (d) => d.calendar ?? ""]],
    sections: [
      { fields: [{ name: "extension", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true },
        { name: "calendar", kind: "select", options: maybe("calendars") }] },
      { title: "admin.members", fields: [{ name: "groups", kind: "picks", options: from("groups") }, picks("agents", "accounts"),
        { name: "levels", kind: "pairs", fields: [{ name: "account", kind: "find", kinds: ["accounts"] }, { name: "level", kind: "number", min: 1, max: 9, value: 1 }] }] },
      { title: "admin.waiting", fields: [{ name: "priority", kind: "number", min: 1, max: 9 }, { name: "ringSeconds", kind: "number", min: 1, max: 120 },
        { name: "wait", kind: "select", options: () => [["", t("admin.wait.ring")], ["music", t("admin.wait.music")]] }, { name: "place", kind: "check" }, { name: "most", kind: "number", min: 0 }] },
      { title: "admin.nobody_takes", fields: [{ name: "rules", kind: "rows", fields: [
        { name: "when", kind: "select", options: later("when", "closed", "holiday", "empty", "full", "late"), value: "late" }, { name: "after", kind: "number", min: 0 },
        { name: "do", kind: "select", options: later("do", "busy", "announce", "number", "queue", "voice"), value: "busy" }, { name: "to", kind: "text" }] }] },
    ],
  },
  contacts: {
    kind: "contacts", id: "id", may: (me) => me.book,
    columns: [["admin.field.name", (d) => d.name], ["admin.field.contacts.number", (d) => d.number], ["admin.field.reading", (d) => d.reading ?? ""],
      ["admin.field.company", (d) => d.company ?? ""], ["admin.field.note", (d) => d.note ?? ""]],
    sections: [{ fields: [{ name: "name", kind: "text", required: true }, { name: "number", kind: "text", type: "tel", required: true }, { name: "reading", kind: "text" },
      { name: "company", kind: "text" }, { name: "note", kind: "text" }] }],
    bar: (me) => [me.book ? link("/admin/contacts/import", t("admin.book.import"), "button") : "",
      ...["csv", "vcf"].map((f) => h("a", { className: "button", href: `/api/v1/admin/phonebook/export?format=${f}`, download: "" }, t(`admin.book.export_${f}`)))].filter((x) => x instanceof Node),
  },
  outcomes: {
    kind: "outcomes", id: "id", before: load("queues"),
    columns: [["admin.field.outcomes.id", (d) => d.id], ["admin.field.name", (d) => word(d.name)], ["admin.field.outcomes.order", (d) => String(d.order ?? 0)],
      ["admin.field.outcomes.queues", (d) => (d.queues ?? []).join(", ") || t("admin.everyqueue")]],
    sections: [{ fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "words", required: true }, { name: "order", kind: "number" },
      { name: "queues", kind: "picks", options: from("queues") }] }],
  },
  calendars: {
    kind: "calendars", id: "id", columns: [["admin.field.id", (d) => d.id], ["admin.field.name", (d) => d.name], ["admin.field.hours", (d) => (d.hours ?? []).map((/** @type {any} */ x) => `${daysOf(x.days)} ${x.from}–${x.to}`).join(" / ")]],
    sections: [{ fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true }, { name: "zone", kind: "text" },
      { name: "hours", kind: "rows", fields: [{ name: "days", kind: "days", value: "mon,tue,wed,thu,fri" }, { name: "from", kind: "text", label: "admin.field.opens", value: "09:00" }, { name: "to", kind: "text", label: "admin.field.closes", value: "18:00" }] },
      { name: "holidays", kind: "rows", fields: [{ name: "date", kind: "text", type: "date" }, { name: "name", kind: "text" }] }] }],
  },
  statuses: {
    kind: "statuses", id: "id", columns: [],
    sections: [{ fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "words", required: true },
      { name: "class", kind: "select", options: later("class", "available", "work", "pause"), value: "pause" },
      { name: "colour", kind: "select", options: later("colour", "green", "blue", "amber", "grey", "red", "violet"), value: "violet" },
      { name: "sign", kind: "text", value: "■" }, { name: "minutes", kind: "number", min: 0, max: 1440 }] }],
    body: only("id", "name", "class", "colour", "sign", "minutes"),
  },
  floors: {
    kind: "floors", id: "id", columns: [["admin.field.id", (d) => d.id], ["admin.field.name", (d) => d.name]],
    sections: [{ fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true },
      { name: "width", kind: "number", min: 0, max: 999 }, { name: "height", kind: "number", min: 0, max: 999 }] }],
  },
  policies: {
    kind: "policies", id: "id", before: async () => (await load("accounts", "groups")(), (settings = await get("/settings"))),
    tools: (form) => (captureTool(form), previewTool(form)),
    columns: [["admin.field.id", (d) => d.id], ["admin.field.name", (d) => d.name], ["admin.field.policies.order", (d) => String(d.order ?? 0)],
      ["admin.field.policies.for", (d) => [...(d.groups ?? []), ...(d.accounts ?? [])].join(", ") || t("admin.everybody")]],
    sections: [
      { fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true }, { name: "order", kind: "number" }] },
      { title: "admin.policy_for", fields: [{ name: "groups", kind: "picks", options: from("groups") }, picks("accounts", "accounts")] },
      { title: "admin.policy_set", fields: [
        { name: "set.record", kind: "select", none: "~", options: () => [["~", t("admin.leave")], ["", t("admin.record.never")], ...of("record", "asked", "always")] },
        { name: "set.tone", kind: "tri" }, { name: "set.replay", kind: "tri" }, { name: "set.hear", kind: "tri" }, { name: "set.clip", kind: "tri" }, { name: "set.attendTone", kind: "tri" }, { name: "set.keep", kind: "tri" }, { name: "set.view", kind: "tri" }, { name: "set.book", kind: "tri" },
        { name: "set.answer", kind: "number", min: 0 }, { name: "set.afterWorkSeconds", kind: "number", min: 0 }, { name: "set.misses", kind: "number", min: 0 },
        { name: "set.factor", kind: "select", options: () => [["", t("admin.leave")], ...of("factors", "off", "allowed", "required")] }] },
      { title: "admin.policy_locks", fields: [{ name: "set.locked", kind: "locks", options: () => /** @type {any} */ (settings) }] },
      { title: "admin.policy_crm", fields: [{ name: "set.crm.login", kind: "text", type: "url" }, { name: "set.crm.call", kind: "text" },
        { name: "set.crm.when", kind: "select", options: () => [["", "–"], ...of("crm", "ring", "answer")] }, { name: "set.crm.outside", kind: "check" }] },
    ],
    body(d) {
      if (d.set?.crm && !d.set.crm.login && !d.set.crm.call) delete d.set.crm;
      else if (d.set?.crm) d.set.crm.outside = !!d.set.crm.outside;
      return d;
    },
  },
  pbxs: {
    kind: "pbxs", id: "id", before: load("queues"),
    columns: [["admin.field.id", (d) => d.id], ["admin.field.name", (d) => d.name], ["admin.field.pbxs.kind", (d) => t("admin.pbx." + d.kind)], ["admin.field.addr", (d) => d.addr ?? ""]],
    sections: [
      { fields: [{ name: "id", kind: "text", required: true, fixed: true }, { name: "name", kind: "text", required: true }, { name: "kind", kind: "select", options: later("pbx", ...KINDS), value: "route" }] },
      { fields: [
        { name: "addr", kind: "text", when: (d) => d.kind !== "route" }, { name: "ca", kind: "area", when: (d) => d.kind !== "route" }, { name: "user", kind: "text", when: (d) => d.kind === "asterisk" }, { name: "secret", kind: "secret", when: (d) => d.kind !== "route" },
        { name: "accept", kind: "lines", when: (d) => d.kind === "route" }, { name: "domain", kind: "text", when: (d) => d.kind === "route" },
        { name: "queues", kind: "pairs", when: (d) => d.kind === "asterisk", fields: [{ name: "queue", kind: "select", options: from("queues") }, { name: "name", kind: "text" }] },
        { name: "member", kind: "text", when: (d) => d.kind === "asterisk" }, { name: "table", kind: "text", when: (d) => d.kind === "kamailio" },
        { name: "ephemeral", kind: "check", when: (d) => d.kind === "kamailio" }] },
    ],
    body: only("id", "name", "kind", "addr", "ca", "user", "secret", "accept", "domain", "queues", "member", "table", "ephemeral"),
  },
};
