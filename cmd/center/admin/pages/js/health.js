// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, language, t } from "../../js/text.js";
import { get } from "./api.js";
import { link, title } from "./shell.js";

const SOON = 21 * 86_400_000; // ms: a certificate that ends within it is told of

/** @typedef {"good" | "bad" | "idle"} How */

/** What the center depends on, and how it is. */
export function healthCard() {
  const body = h("tbody");
  const warns = h("p");
  const day = new Intl.DateTimeFormat(language(), { dateStyle: "medium" }), when = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" });
  const root = h("section", { className: "card", hidden: true }, h("h2", {}, t("admin.health")),
    h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.health") }, h("table", {}, body)), warns);

  /** @param {string} what @param {string} name @param {How} how @param {string} words @param {string} [page] */
  function line(what, name, how, words, page) {
    const sign = { good: "✓", bad: "!", idle: "–" }[how], colour = { good: "green", bad: "red", idle: "grey" }[how];
    return h("tr", {}, h("th", { scope: "row" }, page ? link(page, t("admin.health." + what)) : t("admin.health." + what)), h("td", {}, clean(name)),
      h("td", {}, h("span", { className: "badge small", "data-colour": colour, "aria-hidden": "true" }, sign), " ", t("admin.how." + how)), h("td", { className: "wrap" }, words));
  }

  /** @param {any} s */
  function trunk(s) {
    const how = s.state === "registered" ? "good" : s.state === "failed" ? "bad" : "idle";
    return line("trunk", s.user, how, how === "bad" ? clean(s.reason) || t("admin.trunk_failed") : t("admin.trunk_state." + s.state, { server: clean(s.server) }), "/admin/terminals/" + encodeURIComponent(s.user));
  }

  /** @param {any} m */
  function mail(m) {
    const test = m.test, bad = m.error || (test && test.error && !(m.at && Date.parse(m.at) > Date.parse(test.at)));
    if (!m.server) return line("mail", "", "idle", t("admin.mail_none"), "/admin/site");
    if (bad) return line("mail", m.server, "bad", clean(m.error || test.error), "/admin/site");
    return line("mail", m.server, test || m.at ? "good" : "idle", test ? t("admin.mail_tested", { at: when.format(new Date(test.at)), to: clean(test.to) }) : t("admin.mail_untested"), "/admin/site");
  }

  /** @param {any} c @param {number} now */
  function certificate(c, now) {
    if (!c.until) return line("certificate", c.name, "bad", t("admin.certificate_none"));
    const left = Date.parse(c.until) - now;
    return line("certificate", c.name, left < SOON ? "bad" : "good", t(left < 0 ? "admin.certificate_over" : c.public ? "admin.certificate_public" : "admin.certificate_own", { date: day.format(new Date(c.until)) }));
  }

  return {
    root,
    async show() {
      const s = await get("/health"), now = Date.parse(s.at);
      body.replaceChildren(
        ...(s.nodes ?? []).map((/** @type {any} */ n) => line("node", n.name, n.alive ? "good" : "bad", n.alive ? t(n.lines ? "admin.node_lines" : "admin.node_alive", { url: clean(n.http) }) : t("admin.node_lost", { at: when.format(new Date(n.seen)) }))),
        ...s.trunks.map(trunk),
        ...s.pbxs.map((/** @type {any} */ p) => line("pbx", p.id, p.connected ? "good" : p.kind === "route" ? "idle" : "bad", p.connected ? t("admin.pbx_connected") : clean(p.error) || t("admin.pbx." + p.kind), "/admin/pbxs/" + encodeURIComponent(p.id))),
        mail(s.mail), ...s.certificates.map((/** @type {any} */ c) => certificate(c, now)));
      warns.replaceChildren(link("/admin/warnings", s.warns ? t("admin.warns", { n: s.warns }) : t("admin.warns_none")));
      root.hidden = false;
    },
  };
}

/** What the log has said that somebody should read. */
export async function warningsPage() {
  const when = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "medium" });
  const body = h("tbody"), told = h("p", { role: "status", className: "quiet-text" });
  const table = h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.nav.warnings") },
    h("table", {}, h("thead", {}, h("tr", {}, ...["at", "level", "times", "text"].map((k) => h("th", { scope: "col" }, t("admin.warning." + k))))), body));
  async function load() {
    const lines = await get("/warnings");
    body.replaceChildren(...lines.map((/** @type {any} */ l) => h("tr", {}, h("td", { className: "time" }, when.format(new Date(l.at))),
      h("td", {}, t(l.level === "ERROR" ? "admin.level.error" : "admin.level.warn")), h("td", {}, String(l.times)), h("td", { className: "wrap", lang: "en" }, String(l.text).replace(/[\p{Cc}\p{Cf}]/gu, " ")))));
    table.hidden = !lines.length;
    put(told, lines.length ? t("admin.count", { n: lines.length }) : t("admin.warnings_none"));
  }
  await load();
  return [title(t("admin.nav.warnings")), h("p", { className: "hint" }, t("admin.warnings_hint")),
    h("div", { className: "bar" }, told, h("button", { type: "button", onclick: () => load().catch((err) => put(told, err.message)) }, t("admin.read_again"))), table];
}
