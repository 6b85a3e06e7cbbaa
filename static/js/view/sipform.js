// @ts-check
import { attr, h, put } from "../dom.js";
import { busy, isBusy, look, option, row, trouble } from "../form.js";
import { say, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").SIPForm} SIPForm */

/**
 * Sign-in at any SIP server, without a center. What is typed stays through every refusal, and what was used last stands
 * there already; the password never comes back.
 * @param {import("../types").Send} send
 */
export function sipForm(send) {
  const text = (/** @type {string} */ name, /** @type {object} */ more = {}) =>
    h("input", { id: `sip-${name}`, name: `sip-${name}`, autocapitalize: "none", autocomplete: "off", spellcheck: false, maxLength: 256, ...more });
  const server = text("server"), user = text("user", { required: true, autocomplete: "username" });
  const password = text("password", { type: "password", autocomplete: "current-password", maxLength: 1024 });
  const authUser = text("authUser"), display = text("display", { autocapitalize: "words" }), domain = text("domain");
  const transport = h("select", { id: "sip-transport", name: "sip-transport" }, option("", t("sip.transport.auto")), option("udp", "UDP"), option("tcp", "TCP"),
    option("tls", "TLS"), option("wss", t("sip.transport.wss")));
  const voice = h("select", { id: "sip-voice", name: "sip-voice" }, option("off", t("sip.voice.off")), option("optional", t("sip.voice.optional")),
    option("required", t("sip.voice.required")), option("dtls", "DTLS-SRTP"));
  voice.value = "optional";
  const keys = h("input", { id: "sip-keysInClear", name: "sip-keysInClear", type: "checkbox", "aria-describedby": "sip-keys-note" });
  const more = h("details", { className: "more-fields" }, h("summary", {}, t("sip.more")),
    row(t("field.authUser"), authUser), row(t("field.display"), display), row(t("field.domain"), domain),
    h("div", { className: "check" }, keys, h("label", { for: keys.id }, t("sip.keys")), h("p", { id: "sip-keys-note", className: "quiet-text" }, t("sip.keys.note"))));
  const alert = trouble("sip-trouble");
  const join = h("p", { className: "quiet-text" }, t("sip.join"));
  const go = h("button", { type: "submit", className: "primary wide" }, t("signin.go"));
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const fields = { server, user, password, authUser, display, domain, transport, voice };
  const root = h("form", { noValidate: true, className: "sip-form", "aria-label": t("signin.sip"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    const empty = (user.value.includes("@") ? [user] : [server, user]).find((f) => f.value.trim() === ""); // user@domain names the server too
    if (empty) return empty.focus();
    if (!isBusy(go)) send("signin.sip", typed());
  } }, row(t("field.server"), server), row(t("field.user"), user), row(t("field.password"), password, look(password)),
  h("div", { className: "two" }, row(t("field.transport"), transport), row(t("field.voice"), voice)), more, alert, go, join);
  /** The sentence at a field, on the line of its label: nothing moves for it. */
  const near = h("span", { className: "field-problem", "aria-hidden": "true" }, t("field.wrong"));
  let filled = "", complaint = "";

  /** What stands in the form; empty fields are left to the phone. */
  function typed() {
    /** @type {Record<string, string | boolean>} */
    const form = { keysInClear: keys.checked };
    for (const [name, f] of Object.entries(fields)) form[name] = name === "password" ? f.value : f.value.trim();
    return form;
  }
  /** @param {SIPForm} form */
  function fill(form) {
    for (const [name, f] of Object.entries(fields)) {
      if (name !== "password") f.value = String(/** @type {any} */ (form)[name] ?? "");
    }
    if (voice.selectedIndex < 0) voice.value = "optional";
    if (transport.selectedIndex < 0) transport.value = "";
    keys.checked = form.keysInClear === true;
    more.open = !!(form.authUser || form.display || form.domain || form.keysInClear);
  }
  /** @param {import("../types").Problem | undefined} problem */
  function complain(problem) {
    const wrong = problem?.code === "sip.form" ? problem.holes?.field : undefined;
    for (const [name, f] of Object.entries(fields)) {
      attr(f, "aria-invalid", name === wrong ? "true" : undefined);
      attr(f, "aria-describedby", name === wrong ? alert.id : undefined);
    }
    put(alert, problem ? say(problem) : "");
    const now = problem ? JSON.stringify(problem) : "", field = wrong ? fields[wrong] : undefined;
    if (!field) near.remove();
    else if (now !== complaint) {
      field.closest(".field")?.append(near);
      if (more.contains(field)) more.open = true;
      if (!root.closest("[hidden]")) field.focus();
    }
    complaint = now;
  }
  return {
    root,
    focus: () => (Object.values(fields).find((f) => f.getAttribute("aria-invalid")) ?? [server, user, password].find((f) => !f.value) ?? password).focus(),
    /** @param {Snapshot} snap @param {boolean} mine the problem may be about this form */
    show(snap, mine) {
      const kept = snap.sip ? JSON.stringify(snap.sip) : "";
      if (snap.sip && kept !== filled && !root.contains(document.activeElement)) fill(snap.sip);
      if (kept) filled = kept;
      if (snap.phase === "in") password.value = "";
      busy(go, snap.phase === "checking");
      attr(go, "aria-disabled", snap.phase === "checking" ? "true" : undefined);
      complain(mine && snap.phase === "out" ? snap.problem : undefined);
      join.hidden = !snap.centerless;
    },
  };
}
