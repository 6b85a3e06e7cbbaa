// @ts-check
import { h, put, attr } from "../dom.js";
import { clean, clock, say, t, word } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").View} View */

/**
 * Sign-in in two steps: who, then terminal, status and seat (PRODUCT A5–A8). What is typed stays through every refusal.
 * @param {import("../types").Send} send
 * @returns {View}
 */
export function signInView(send) {
  const one = who(send), two = what(send);
  const root = h("main", { className: "signin" },
    h("div", { className: "signin-card" }, h("img", { src: "/icons/zaseki.svg", alt: "", className: "signin-mark" }), one.root, two.root));
  /** Which step was seen last. @type {boolean | undefined} */
  let seen;
  return {
    root,
    show(snap) {
      const first = snap.phase === "out" || snap.phase === "checking" || !snap.choice;
      const turned = first !== seen && !root.hidden;
      seen = root.hidden ? undefined : first;
      one.show(snap);
      two.show(snap);
      one.root.hidden = !first;
      two.root.hidden = first;
      if (turned && first) one.focus();
      else if (turned) two.focus();
    },
  };
}

/** The place of the sentence about what went wrong; it is there before the sentence, so that it is read out. */
const trouble = () => h("p", { className: "trouble", role: "alert" });

/**
 * @param {string} label
 * @param {HTMLElement} field
 * @param {...Node} more
 */
const row = (label, field, ...more) => h("div", { className: "field" }, h("label", { for: field.id }, label), h("div", { className: "field-box" }, field, ...more));

/** @param {import("../types").Send} send */
function who(send) {
  const account = h("input", { id: "account", name: "account", autocomplete: "username", autocapitalize: "none", spellcheck: false, required: true, maxLength: 256 });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxLength: 1024 });
  const look = h("button", { type: "button", className: "quiet", "aria-pressed": "false", "aria-controls": "password", onclick: () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    attr(look, "aria-pressed", String(!shown));
    put(look, shown ? t("signin.show") : t("signin.hide"));
    password.focus();
  } }, t("signin.show"));
  const go = h("button", { type: "submit", className: "primary wide" }, t("signin.go"));
  const alert = trouble();
  const root = h("form", { noValidate: true, "aria-label": t("signin.title"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    const empty = [account, password].find((f) => f.value === "");
    if (empty) return empty.focus();
    if (go.getAttribute("aria-busy") !== "true") send("account.check", { account: account.value, password: password.value });
  } }, h("h1", {}, t("signin.title")), row(t("signin.account"), account), row(t("signin.password"), password, look), alert, go);
  return {
    root,
    focus: () => (account.value ? password : account).focus(),
    /** @param {Snapshot} snap */
    show(snap) {
      if (!account.value && snap.account && document.activeElement !== account) account.value = snap.account;
      if (snap.phase === "in") password.value = "";
      busy(go, snap.phase === "checking");
      put(alert, snap.phase === "out" && snap.problem ? say(snap.problem) : "");
    },
  };
}

/** @param {import("../types").Send} send */
function what(send) {
  const terminal = h("select", { id: "terminal", name: "terminal" });
  const status = h("select", { id: "status", name: "status" });
  const seat = h("select", { id: "seat", name: "seat" });
  const seatRow = row(t("signin.seat"), seat);
  const hello = h("h1", {});
  const center = h("p", { className: "quiet-text" });
  const alert = trouble();
  const note = h("p", { className: "quiet-text note" });
  const over = h("button", { type: "button", className: "wide warn", hidden: true, onclick: () => ask(true) });
  const go = h("button", { type: "submit", className: "primary wide" }, t("signin.go"));
  const back = h("button", { type: "button", className: "wide", onclick: () => send("signin.back") }, t("signin.back"));
  const root = h("form", { hidden: true, "aria-label": t("signin.choose"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    ask(false);
  } }, hello, center, row(t("signin.terminal"), terminal), note, row(t("signin.status"), status), seatRow, alert, over, go, back);
  let built = "";
  /** @type {import("../types").Terminal[]} */
  let terminals = [];
  terminal.addEventListener("change", explain);

  /** @param {boolean} takeover */
  function ask(takeover) {
    if (go.getAttribute("aria-busy") !== "true") send("signin", { terminal: terminal.value, status: status.value, seat: seatRow.hidden ? "" : seat.value, takeover });
  }
  function explain() {
    const chosen = terminals.find((x) => x.id === terminal.value);
    put(note, chosen && !chosen.type.startsWith("softphone") ? t("signin.elsewhere") : "");
  }
  return {
    root,
    focus: () => terminal.focus(),
    /** @param {Snapshot} snap */
    show(snap) {
      const c = snap.choice;
      if (!c) return;
      const key = JSON.stringify(c);
      if (key !== built) {
        built = key;
        terminals = c.terminals ?? [];
        fill(c, terminal, status, seat, snap.asked);
        explain();
      }
      put(hello, t("signin.hello", { name: clean(c.name) }));
      put(center, clean(c.center));
      seatRow.hidden = !(c.seatView || c.profile.seatAlways);
      busy(go, snap.phase === "entering");
      const refused = snap.phase === "choosing" && snap.problem;
      put(alert, refused ? say(refused) : "");
      over.hidden = !(refused && snap.takeover);
      put(over, refused ? t("signin.takeover", { who: clean(refused.holes?.who ?? refused.holes?.machine) }) : "");
    },
  };
}

/**
 * @param {import("../types").Choice} c
 * @param {HTMLSelectElement} terminal
 * @param {HTMLSelectElement} status
 * @param {HTMLSelectElement} seat
 * @param {import("../types").SignIn} [asked]
 */
function fill(c, terminal, status, seat, asked) {
  const option = (/** @type {string} */ value, /** @type {string} */ text) => h("option", { value }, text);
  terminal.replaceChildren(...(c.terminals ?? []).map((x) => option(x.id, terminalName(x))));
  status.replaceChildren(...(c.statuses ?? []).map((x) => option(x.id, word(x.name))));
  const floors = new Map();
  for (const s of c.seats ?? []) {
    const floor = clean(s.floor);
    if (!floors.has(floor)) floors.set(floor, h("optgroup", { label: floor }));
    const by = s.by ? t("signin.seat.by", { seat: clean(s.name), who: clean(s.by), since: s.since ? clock(s.since) : "" }) : clean(s.name);
    floors.get(floor).append(option(s.id, by));
  }
  seat.replaceChildren(option("", t("signin.seat.none")), ...floors.values());
  terminal.value = asked?.terminal ?? c.terminal;
  status.value = asked?.status ?? c.status;
  seat.value = asked?.seat ?? c.seat;
  for (const s of [terminal, status, seat]) if (s.selectedIndex < 0) s.selectedIndex = 0;
}

/** @param {import("../types").Terminal} x */
export function terminalName(x) {
  const kinds = /** @type {Record<string, string>} */ ({
    softphone: t("terminal.softphone"), "softphone-encrypted": t("terminal.encrypted"), desk: t("terminal.desk"), mobile: t("terminal.mobile"),
  });
  return [clean(x.extension), clean(x.name) || (kinds[x.type] ?? clean(x.type))].join(" · ");
}

/**
 * A button that is at work keeps its name, its size and the keyboard.
 * @param {HTMLElement} button
 * @param {boolean} on
 */
function busy(button, on) {
  attr(button, "aria-busy", on ? "true" : undefined);
}
