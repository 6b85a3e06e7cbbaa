// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, language, say, t } from "../../js/text.js";
import { ask, get } from "./api.js";
import { copyable, title } from "./shell.js";

/**
 * Account and password; then, where it is wanted, a code, or the setting up of one.
 * @param {(me: any) => void} entered
 */
export async function signInPage(entered) {
  const box = h("section", { className: "card signin" });
  const sso = await get("/api/v1/oidc").catch(() => null);
  if (location.pathname === "/admin/sso") await signedOn();
  else first();
  if (location.pathname === "/admin/sso") void cameBack();

  /** The provider of single sign-on has sent the browser back: with a code, or with a problem. */
  async function cameBack() {
    const q = new URLSearchParams(location.search);
    history.replaceState(null, "", "/");
    try {
      if (q.has("problem")) first(say({ code: q.get("problem") ?? "", holes: { reason: clean(q.get("reason") ?? "") } }));
      else next(await ask("POST", "/session/sso", { code: q.get("code") ?? "" }));
    } catch (err) {
      first(/** @type {Error} */ (err).message);
    }
  }

  /** Back from the provider of single sign-on: a code in the address, or what went wrong. */
  async function signedOn() {
    const q = new URLSearchParams(location.search);
    history.replaceState(null, "", "/");
    if (q.get("problem")) return first(say({ code: q.get("problem") ?? "", holes: { reason: q.get("reason") ?? "" } }));
    try {
      const answer = await ask("POST", "/session/sso", { code: q.get("code") ?? "" });
      if (answer.me) queueMicrotask(() => entered(answer.me));
      else next(answer);
    } catch (err) {
      first(/** @type {Error} */ (err).message);
    }
  }

  /** @param {HTMLElement[]} fields @param {string} button @param {() => Promise<any>} send */
  function step(fields, button, send) {
    const trouble = h("p", { role: "alert", className: "banner", hidden: true });
    const b = h("button", { className: "primary wide" }, button);
    const form = h("form", {}, trouble, ...fields, b);
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      if (b.getAttribute("aria-busy") === "true") return;
      b.setAttribute("aria-busy", "true");
      trouble.hidden = true;
      try {
        next(await send());
      } catch (err) {
        put(trouble, /** @type {Error} */ (err).message);
        trouble.hidden = false;
        if (/** @type {any} */ (err).code === "signin.expired") first(trouble.textContent ?? "");
      } finally {
        b.setAttribute("aria-busy", "false");
      }
    });
    return form;
  }

  /** @param {string} id @param {string} label @param {object} props */
  function text(id, label, props) {
    const el = h("input", { id, required: true, ...props });
    return { el, root: h("div", { className: "box" }, h("label", { for: id }, label), el) };
  }

  /** @param {string} [why] */
  function first(why) {
    const account = text("account", t("admin.field.account"), { autocomplete: "username", autocapitalize: "none" });
    const password = text("password", t("admin.password"), { type: "password", autocomplete: "current-password" });
    box.replaceChildren(title(t("admin.signin")), ...(why ? [h("p", { role: "alert", className: "banner" }, why)] : []),
      step([account.root, password.root], t("admin.signin"), () => ask("POST", "/session", { account: account.el.value, password: password.el.value })),
      ...(sso ? [h("a", { className: "button wide", href: "/auth/oidc/start" }, t("admin.signin_with", { name: clean(sso.name) }))] : []));
    queueMicrotask(() => account.el.focus());
  }

  /** @param {any} answer */
  function next(answer) {
    if (answer.recovery) recovery(answer);
    else if (answer.me) entered(answer.me);
    else if (answer.need.enrol) enrol(answer.need);
    else code(answer.need);
  }

  /** @param {any} need */
  function code(need) {
    const ways = need.ways ?? [];
    const way = h("select", { id: "way" }, ...ways.map((/** @type {string} */ w) => h("option", { value: w }, t("admin.way." + w))));
    const told = h("p", { role: "status", className: "hint" });
    const field = text("code", t("admin.code"), { inputMode: "numeric", autocomplete: "one-time-code" });
    const trust = h("input", { type: "checkbox", id: "trust" });
    const mail = h("button", { type: "button", onclick: async () => {
      try {
        await ask("POST", "/session/mail", { ticket: need.ticket, lang: language() });
        put(told, t("admin.mail_sent", { mail: clean(need.mail) }));
      } catch (err) {
        put(told, /** @type {Error} */ (err).message);
      }
    } }, t("admin.mail_send"));
    const arrange = () => (mail.hidden = way.value !== "mail");
    way.addEventListener("change", arrange);
    arrange();
    box.replaceChildren(title(t("admin.factor")),
      step([h("div", { className: "box", hidden: ways.length < 2 }, h("label", { for: "way" }, t("admin.way")), way), mail, told, field.root,
        h("div", { className: "box tick", hidden: !need.days }, trust, h("label", { for: "trust" }, t("admin.trust", { n: need.days ?? 0 })))],
        t("admin.signin"), () => ask("POST", "/session/code", { ticket: need.ticket, way: way.value, code: field.el.value.trim(), trust: trust.checked, label: navigator.platform || "browser" })),
      h("button", { type: "button", className: "quiet", onclick: () => first() }, t("admin.again")));
    field.el.focus();
  }

  /** @param {any} need */
  async function enrol(need) {
    const made = await ask("POST", "/session/factor", { ticket: need.ticket, lang: language() });
    const field = text("code", t("admin.code"), { inputMode: "numeric", autocomplete: "one-time-code" });
    box.replaceChildren(title(t("admin.enrol")), h("p", {}, t("admin.enrol_hint")), copyable(made.secret, t("admin.enrol_secret")), h("p", {}, h("a", { href: made.url }, t("admin.enrol_open"))),
      step([field.root], t("admin.enrol_confirm"), () => ask("POST", "/session/factor/confirm", { ticket: need.ticket, code: field.el.value.trim() })));
    field.el.focus();
  }

  /** @param {any} answer */
  function recovery(answer) {
    box.replaceChildren(title(t("admin.recovery")), h("p", {}, t("admin.recovery_hint")), h("ul", { className: "codes" }, ...answer.recovery.map((/** @type {string} */ c) => h("li", {}, h("code", {}, c)))),
      h("button", { type: "button", className: "primary wide", onclick: () => entered(answer.me) }, t("admin.go_on")));
  }
  return [box];
}
