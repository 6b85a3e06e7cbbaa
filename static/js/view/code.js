// @ts-check
import { attr, h, put } from "../dom.js";
import { busy, isBusy, row, trouble } from "../form.js";
import { at, clean, language, say, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */

/** A mail may be asked for again after so long, ms: wire.MailAgain. */
const AGAIN = 30_000;

/** Six digits as people paste them: "123 456", full-width. @param {string} s */
export const digits = (s) => s.normalize("NFKC").replace(/[\s\-‐-―]/g, "");

/**
 * The code step of sign-in (PRODUCT A13). The way is the person's choice; what is typed stays through every refusal, chosen, so that
 * the next one replaces it.
 * @param {import("../types").Send} send
 */
export function codeForm(send) {
  const code = h("input", { id: "code", name: "code", autocomplete: "one-time-code", autocapitalize: "none", spellcheck: false, required: true, maxLength: 40, "aria-describedby": "code-trouble" });
  const ways = h("div", { className: "code-ways", role: "radiogroup", "aria-label": t("code.ways"), onkeydown: move });
  const note = h("p", { className: "quiet-text", role: "status" });
  const mail = h("button", { type: "button", className: "wide", onclick: () => !waits() && !isBusy(go) && send("signin.mail", { lang: language() }) }, t("code.mail.send"));
  const trust = h("input", { id: "trust", name: "trust", type: "checkbox", "aria-describedby": "trust-note" });
  const trustWords = h("label", { for: trust.id }, t("code.trust", { days: 0 })), trustNote = h("p", { id: "trust-note", className: "quiet-text" });
  const tick = h("div", { className: "check" }, trust, trustWords, trustNote);
  const alert = trouble("code-trouble");
  const go = h("button", { type: "submit", className: "primary wide" }, t("code.go"));
  const back = h("button", { type: "button", className: "wide", onclick: () => send("signin.back") }, t("signin.back"));
  const root = h("form", { noValidate: true, hidden: true, "aria-label": t("code.title"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    if (code.value.trim() === "") return code.focus();
    if (!isBusy(go)) send("signin.code", { way, code: way === "recovery" ? code.value.trim() : digits(code.value), trust: trust.checked && !tick.hidden });
  } }, h("h1", {}, t("code.title")), ways, note, mail, row(t("code.label"), code), tick, alert, go, back);
  let way = "", built = "", told = "";
  /** @type {import("../types").Proof | undefined} */
  let proof;

  /** @param {KeyboardEvent} e */
  function move(e) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!step || !proof) return;
    e.preventDefault();
    const all = proof.ways ?? [];
    choose(all[(all.indexOf(way) + step + all.length) % all.length]);
    /** @type {HTMLElement | null} */ (ways.querySelector("[aria-checked=true]"))?.focus();
  }
  /** @param {string} to */
  function choose(to) {
    if (to !== way) code.value = "";
    way = to;
    for (const b of ways.children) {
      const on = /** @type {HTMLElement} */ (b).dataset.way === way;
      attr(b, "aria-checked", String(on));
      attr(b, "tabindex", on ? "0" : "-1");
    }
    attr(code, "inputmode", way === "recovery" ? "text" : "numeric");
    paint();
  }
  /** How long another mail has to wait, ms. */
  const waits = () => Math.max(0, at(proof?.sent) + AGAIN - Date.now());
  function paint() {
    const name = { mail: clean(proof?.mail) };
    put(note, way === "mail" ? (proof?.sent ? t("code.mail.sent", name) : t("code.mail.note", name)) : way === "recovery" ? t("code.recovery.note") : t("code.app.note"));
    mail.hidden = way !== "mail";
    const left = Math.ceil(waits() / 1000);
    put(mail, !proof?.sent ? t("code.mail.send") : left ? t("code.mail.wait", { seconds: left }) : t("code.mail.again"));
    attr(mail, "aria-disabled", left ? "true" : undefined);
  }
  return {
    root,
    focus: () => code.focus(),
    tick: () => root.hidden || paint(),
    /** @param {Snapshot} snap */
    show(snap) {
      proof = snap.proof;
      if (!proof) {
        if (built) code.value = built = "";
        return;
      }
      const key = JSON.stringify([proof.ways, proof.days]);
      if (key !== built) {
        built = key;
        const all = proof.ways ?? [];
        ways.replaceChildren(...all.map((w) => h("button", { type: "button", role: "radio", "data-way": w, onclick: () => choose(w) }, name(w))));
        ways.hidden = all.length < 2;
        choose(all.includes(way) ? way : all[0] ?? "");
      }
      tick.hidden = !proof.days || proof.keep === false; // a policy for shared seats forbids it
      put(trustWords, t("code.trust", { days: proof.days ?? 0 }));
      put(trustNote, proof.keeps ? "" : t("code.trust.session"));
      busy(go, !!proof.asked);
      const refused = snap.phase === "proving" ? snap.problem : undefined;
      put(alert, refused ? say(refused) : "");
      attr(code, "aria-invalid", refused?.code.startsWith("factor.") ? "true" : undefined);
      const now = JSON.stringify(refused ?? "");
      if (refused && now !== told && !root.hidden) code.select();
      told = now;
      paint();
    },
  };
}

/** @param {string} way */
const name = (way) => ({ app: t("code.way.app"), mail: t("code.way.mail"), recovery: t("code.way.recovery") })[way] ?? way;
