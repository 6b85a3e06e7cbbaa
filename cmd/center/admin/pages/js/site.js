// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";
import { ask, get } from "./api.js";
import { formOf } from "./form.js";
import { guard, title } from "./shell.js";
import { fieldWord, shown } from "./crud.js";

const PROFILES = ["3.4", "3.5", "3.6", "3.7", "3.9"];
const SWITCHES = ["stripPasted", "oneStep", "seatAlways", "leaveSeat", "statusShown", "refuseInCall"];

/** @param {string} key @param {...string} values @returns {[string, string][]} */
const of = (key, ...values) => values.map((v) => [v, v === "" ? t("admin.by_default") : t(`admin.${key}.${v}`)]);

/** @type {{ title: string, fields: import("./form.js").Field[] }[]} */
const sections = [
  { title: "admin.site.basics", fields: [{ name: "name", kind: "text", required: true }, { name: "domain", kind: "text", required: true }, { name: "zone", kind: "text" },
    { name: "profile", kind: "select", options: PROFILES.map((p) => [p, p]) }, { name: "seatView", kind: "check", keep: true }] },
  { title: "admin.site.switches", fields: SWITCHES.map((s) => ({ name: "switches." + s, kind: "tri", leave: "admin.as_profile" })) },
  { title: "admin.site.calls", fields: [{ name: "afterWorkSeconds", kind: "number", min: 0, max: 3600 }, { name: "extendSeconds", kind: "number", min: 1, max: 3600 },
    { name: "ringSeconds", kind: "number", min: 1, max: 120 }, { name: "misses", kind: "number", min: 0, max: 100 },
    { name: "dawnCheck", kind: "text", type: "time" }] },
  { title: "admin.site.minutes", fields: ["available", "acw", "break", "away"].map((s) => ({ name: "minutes." + s, kind: "number", min: 0, max: 1440 })) },
  { title: "admin.site.sound", fields: [{ name: "policy.record", kind: "select", keep: true, options: () => [["", t("admin.record.never")], ...of("record", "asked", "always")] }, { name: "policy.tone", kind: "check", keep: true },
    { name: "policy.replay", kind: "check", keep: true }, { name: "policy.hear", kind: "check", keep: true }, { name: "policy.days", kind: "number", min: 0 }] },
  { title: "admin.site.factor", fields: [{ name: "factor.agent", kind: "select", options: () => of("factors", "", "off", "allowed", "required") },
    { name: "factor.admin", kind: "select", options: () => of("factors", "", "off", "allowed", "required") }, { name: "factor.days", kind: "number", min: 0, max: 365 }] },
  { title: "admin.site.mail", fields: [{ name: "mail.server", kind: "text" }, { name: "mail.user", kind: "text" }, { name: "mail.secret", kind: "secret" }, { name: "mail.from", kind: "text", type: "email" }] },
  { title: "admin.site.oidc", fields: [{ name: "oidc.issuer", kind: "text", type: "url" }, { name: "oidc.client", kind: "text" }, { name: "oidc.secret", kind: "secret" }, { name: "oidc.name", kind: "text" },
    { name: "oidc.claim", kind: "select", options: () => of("claim", "", "preferred_username", "email", "sub") }, { name: "oidc.only", kind: "check" }, { name: "oidc.mfa", kind: "check" }] },
  { title: "admin.site.crm", fields: [{ name: "crm.login", kind: "text", type: "url" }, { name: "crm.call", kind: "text" }, { name: "crm.when", kind: "select", options: () => of("crm", "", "ring", "answer") }, { name: "crm.outside", kind: "check", keep: true }] },
  { title: "admin.site.plan", fields: [{ name: "extensionDigits", kind: "number", min: 1, max: 8 }, { name: "plan.country", kind: "text" }, { name: "plan.national", kind: "text" }, { name: "plan.abroad", kind: "text" }, { name: "plan.line", kind: "text" },
    { name: "plan.short", kind: "lines" }, { name: "plan.marks", kind: "rows", fields: [{ name: "header", kind: "text" }, { name: "has", kind: "text" }] }] },
  { title: "admin.site.sip", fields: [{ name: "sip.server", kind: "text" }, { name: "sip.transport", kind: "select", options: () => of("transport", "", "udp", "tcp", "tls", "wss") }, { name: "sip.domain", kind: "text" },
    { name: "sip.expires", kind: "number", min: 30, max: 3600 }, { name: "sip.voice", kind: "select", options: () => of("voice", "", "off", "optional", "required", "dtls") }, { name: "sip.ca", kind: "area" }] },
];

/** The center's settings. */
export async function sitePage() {
  let row = await get("/site");
  const form = formOf("site", sections, async (f) => {
    f.clear();
    f.busy(true);
    try {
      row = await ask("PUT", "/site", body(f.get()), row.rev);
      f.saved();
    } catch (err) {
      if (/** @type {any} */ (err).code === "row.stale") await stale(f);
      else f.refuse(err);
    } finally {
      f.busy(false);
    }
  });

  /** @param {any} f */
  async function stale(f) {
    const theirs = await get("/site");
    const keys = Object.keys(theirs.data).filter((k) => JSON.stringify(theirs.data[k]) !== JSON.stringify(row.data[k]));
    f.warn(h("p", {}, t("admin.stale")), h("ul", {}, ...keys.map((k) => h("li", {}, t("admin.stale_field", { field: fieldWord("site", k), value: shown(theirs.data[k]) })))),
      h("div", { className: "acts" }, h("button", { type: "button", onclick: () => ((row = theirs), f.set(row.data, true)) }, t("admin.stale_theirs")),
        h("button", { type: "button", className: "warn", onclick: () => ((row = { ...theirs, data: row.data }), f.root.requestSubmit()) }, t("admin.stale_mine"))));
  }
  const to = h("input", { id: "mailto", type: "email", autocomplete: "email" }), sent = h("span", { role: "status", className: "quiet-text" });
  const send = h("button", { type: "button", onclick: async () => {
    if (form.dirty()) return put(sent, t("admin.mail_save_first"));
    put(sent, t("admin.mail_sending"));
    try {
      await ask("POST", "/mail-test", { to: to.value.trim() });
      put(sent, t("admin.mail_test_sent", { to: clean(to.value.trim()) }));
    } catch (err) {
      put(sent, /** @type {Error} */ (err).message);
    }
  } }, t("admin.mail_test"));
  to.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault();
    send.click();
  });
  const box = h("div", { className: "box" }, h("label", { for: "mailto" }, t("admin.mail_test_to")), h("div", { className: "acts" }, to, send), sent);
  form.after("admin.site.mail", box);
  form.set(row.data, true);
  guard(form.dirty);
  return [title(t("admin.nav.site")), form.root];
}

/** What is sent: without what only the center says. @param {any} d */
function body(d) {
  delete d.fresh;
  delete d.fixed;
  if (d.crm && !d.crm.login && !d.crm.call) delete d.crm;
  return d;
}
