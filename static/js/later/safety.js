// @ts-check
import { h, put } from "../dom.js";
import { busy, isBusy, row, trouble } from "../form.js";
import { clean, language, t } from "../text.js";
import { digits } from "../view/code.js";
import { failure, papersView, scanForm } from "../view/enrol.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").FactorState} FactorState */
/** @typedef {{ read(path: string): Promise<any>, ask: import("../types").Ask }} Center */

/**
 * Password and second factor of whoever is signed in (PRODUCT A13). What is set up is read from the center whenever this is opened; one
 * form at a time stands below the list.
 * @param {Center} center
 */
export function safetyView(center) {
  const keep = h("p", { className: "settings-ask", hidden: true });
  const app = line(t("safety.app")), mail = line(t("safety.mail")), codes = line(t("safety.codes"));
  const devices = h("ul", { className: "devices" }), alert = trouble(), said = h("p", { className: "settings-note", role: "status" });
  const work = h("div", { className: "safety-work" });
  const papers = papersView(() => void load());
  const password = h("button", { type: "button", onclick: () => open(passwordForm(center, close, (words) => finish(words))) }, t("safety.password.change"));
  const root = h("section", { className: "safety", hidden: true, "aria-labelledby": "settings-safety" }, h("h3", { id: "settings-safety" }, t("safety.title")), keep,
    h("ul", { className: "trials safety-list" }, app.root, mail.root, codes.root, h("li", {}, h("span", {}, t("safety.password")), h("div", {}, password))),
    h("h4", {}, t("safety.devices")), devices, alert, said, work, papers.root);
  let shown = false;

  async function load() {
    try {
      paint(await center.read("/factor"));
      put(alert, "");
    } catch (e) {
      put(alert, failure(e));
    }
  }
  /** @param {FactorState} f */
  function paint(f) {
    const any = f.app || !!f.mail;
    app.show(f.app ? t("safety.on") : t("safety.off"), [[f.app ? t("safety.change") : t("safety.setup"), () => start(f.app)],
      ...(f.app ? [[t("safety.remove"), () => open(offForm("app"))]] : [])]);
    mail.show(f.mail ? clean(f.mail) : t("safety.off"), [f.mail ? [t("safety.remove"), () => open(offForm("mail"))] : [t("safety.setup"), () => void byMail()]]);
    codes.show(any ? t("safety.codes.left", { n: f.codes }) : "–", any ? [[t("safety.codes.new"), () => open(newCodes())]] : []);
    const trusted = f.devices ?? [];
    devices.replaceChildren(...(trusted.length ? trusted.map(device) : [h("li", { className: "quiet-text" }, t("safety.devices.none"))]));
  }
  /** @param {import("../types").TrustedDevice} d */
  function device(d) {
    const until = new Intl.DateTimeFormat(language(), { dateStyle: "medium" }).format(new Date(d.until)), label = clean(d.label) || "?";
    return h("li", {}, h("bdi", {}, label), h("span", { className: "quiet-text" }, t("safety.device.until", { date: until })),
      h("button", { type: "button", onclick: () => void tell(() => center.ask("/factor/forget", { device: d.id })) }, t("safety.forget", { device: label })));
  }
  /** Carries out what needs no form, and shows what came of it. @param {() => Promise<any>} what */
  async function tell(what) {
    put(said, "");
    try {
      await what();
      finish(t("safety.done"));
    } catch (e) {
      put(alert, failure(e));
    }
  }
  /** @param {HTMLElement} form */
  function open(form) {
    put(said, "");
    put(alert, "");
    work.replaceChildren(form);
    /** @type {HTMLElement | null} */ (form.querySelector("input, button"))?.focus();
  }
  const close = () => work.replaceChildren();
  /** @param {string} words */
  function finish(words) {
    close();
    put(said, words);
    void load();
  }
  /** @param {string[]} list */
  function recovered(list) {
    close();
    papers.show(list);
    papers.focus();
    void load();
  }
  /** An authenticator: where there is one already, a code of it is wanted first. @param {boolean} there */
  function start(there) {
    if (!there) return void scan("").catch((e) => put(alert, failure(e)));
    open(codeForm(t("safety.code.now"), t("safety.next"), close, (code) => scan(code)));
  }
  /** @param {string} code */
  async function scan(code) {
    const form = scanForm(center.ask, t("safety.code.new"), recovered);
    form.show(await center.ask("/factor/start", { code, lang: language() }));
    open(h("div", {}, form.root, h("button", { type: "button", className: "wide", onclick: close }, t("safety.cancel"))));
  }
  async function byMail() {
    try {
      await center.ask("/factor/start", { way: "mail", lang: language() });
      open(codeForm(t("safety.code.mail"), t("safety.setup"), close, async (code) => recovered((await center.ask("/factor/confirm", { way: "mail", code })).recovery)));
    } catch (e) {
      put(alert, failure(e));
    }
  }
  /** @param {string} way */
  const offForm = (way) => codeForm(t("safety.code.now"), t("safety.remove"), close, async (code) => {
    await center.ask("/factor/off", { way, code });
    finish(t("safety.done"));
  });
  const newCodes = () => codeForm(t("safety.code.now"), t("safety.codes.new"), close, async (code) => recovered((await center.ask("/factor/codes", { code })).recovery));
  return {
    root,
    /** @param {boolean} on */
    open(on) {
      shown = on;
      if (on && !root.hidden) void load();
      if (!on) close();
    },
    /** @param {Snapshot} snap */
    show(snap) {
      const was = root.hidden;
      root.hidden = !snap.desk;
      if (was && !root.hidden && shown) void load();
      keep.hidden = snap.desk?.keep !== false;
      put(keep, keep.hidden ? "" : t("safety.keep.off", { center: clean(snap.center.name) }));
    },
  };
}

/** A line of what is set up: its name, how it is, what can be done. @param {string} name */
function line(name) {
  const state = h("span", { className: "trial-words" }), act = h("span", { className: "safety-act" });
  return {
    root: h("li", {}, h("span", {}, name), h("div", { className: "safety-line" }, state, act)),
    /** @param {string} words @param {any[]} acts */
    show(words, acts) {
      put(state, words);
      act.replaceChildren(...acts.map(([label, go]) => h("button", { type: "button", "aria-label": `${label}: ${name}`, onclick: go }, label)));
    },
  };
}

/**
 * A form that asks for one code.
 * @param {string} label
 * @param {string} go
 * @param {() => void} cancel
 * @param {(code: string) => Promise<void>} then
 */
function codeForm(label, go, cancel, then) {
  const code = h("input", { id: "safety-code", name: "safety-code", autocomplete: "one-time-code", maxLength: 40, required: true });
  return form([row(label, code)], go, cancel, () => {
    if (code.value.trim()) return then(/^[\d\s\-０-９]+$/.test(code.value) ? digits(code.value) : code.value.trim());
    code.focus();
  });
}

/**
 * @param {Center} center
 * @param {() => void} cancel
 * @param {(words: string) => void} done
 */
function passwordForm(center, cancel, done) {
  const field = (/** @type {string} */ id, /** @type {string} */ complete) => h("input", { id, name: id, type: "password", autocomplete: complete, maxLength: 1024, required: true });
  const old = field("password-old", "current-password"), fresh = field("password-new", "new-password"), again = field("password-again", "new-password");
  return form([row(t("safety.password.old"), old), row(t("safety.password.new"), fresh), row(t("safety.password.again"), again)], t("safety.password.change"), cancel, async () => {
    const empty = [old, fresh, again].find((f) => !f.value);
    if (empty) return empty.focus();
    if (fresh.value !== again.value) return t("safety.password.differ");
    await center.ask("/password", { old: old.value, new: fresh.value });
    done(t("safety.password.done"));
  });
}

/**
 * @param {HTMLElement[]} rows
 * @param {string} label
 * @param {() => void} cancel
 * @param {() => Promise<string | void> | string | void} act gives a sentence when there is something to complain about
 */
function form(rows, label, cancel, act) {
  const alert = trouble(), go = h("button", { type: "submit", className: "primary" }, label);
  return h("form", { noValidate: true, className: "safety-form", "aria-label": label, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (isBusy(go)) return;
    busy(go, true);
    try {
      put(alert, (await act()) ?? "");
    } catch (e) {
      put(alert, failure(e));
    } finally {
      busy(go, false);
    }
  } }, ...rows, alert, h("div", { className: "safety-act" }, go, h("button", { type: "button", onclick: cancel }, t("safety.cancel"))));
}
