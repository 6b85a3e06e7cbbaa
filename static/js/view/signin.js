// @ts-check
import { attr, h, put } from "../dom.js";
import { asPasted, busy, isBusy, look, option, row, terminalName, trouble } from "../form.js";
import { clean, clock, say, t, word } from "../text.js";
import { autoView } from "./auto.js";
import { codeForm } from "./code.js";
import { enrolStep } from "./enrol.js";
import { onceFields } from "./once.js";
import { signOnButton, waitingView } from "./signon.js";
import { sipForm } from "./sipform.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").View} View */

/** @typedef {"center" | "sip"} Way */

/**
 * Sign-in at a center in two steps: who, then terminal, status and seat (PRODUCT A5–A8), and between them whatever else proves who one
 * is (A13); or at any SIP server in one. What is typed stays through every refusal.
 * @param {import("../types").Send} send
 * @param {import("../types").Ask} ask
 * @returns {View & { way: Way | undefined }}
 */
export function signInView(send, ask) {
  const again = () => last && show(last);
  const one = who(send), two = what(send), sip = sipForm(send), ways = waysView((to) => {
    view.way = to;
    again();
  });
  const code = codeForm(send), enrol = enrolStep(send, ask, again), away = waitingView(send), auto = autoView(send), signOn = signOnButton(send, one.root);
  const first = h("div", { className: "signin-ways" }, h("h1", {}, t("signin.title")), ways.root, signOn.root, one.root, sip.root);
  const root = h("main", { className: "signin" }, h("div", { className: "signin-card" }, h("img", { src: "/icons/zaseki.svg", alt: "", className: "signin-mark" }),
    first, two.root, code.root, enrol.root, enrol.papers.root, away.root, auto.root));
  /** Which step was seen last. @type {string} */
  let seen = "";
  /** @type {Snapshot} */
  let last;

  /** @param {Snapshot} snap */
  function show(snap) {
    last = snap;
    if (snap.phase === "in") enrol.papers.clear();
    const step = stepOf(snap, enrol.papers.open());
    const turned = step !== seen && !root.hidden;
    const bySIP = !!snap.centerless || (view.way ?? likely(snap)) === "sip";
    seen = root.hidden ? "" : step;
    first.hidden = step !== "first";
    two.root.hidden = step !== "two";
    code.root.hidden = step !== "code";
    enrol.root.hidden = step !== "enrol";
    enrol.papers.root.hidden = step !== "papers";
    away.root.hidden = step !== "away";
    auto.root.hidden = step !== "auto";
    auto.show(snap);
    if (turned && step !== "enrol") enrol.clear();
    one.root.hidden = step !== "first" || bySIP;
    sip.root.hidden = step !== "first" || !bySIP;
    ways.show(bySIP, !!snap.centerless);
    signOn.show(snap, step === "first" && !bySIP);
    one.show(snap, !ofSIP(snap));
    sip.show(snap, !ofCenter(snap));
    two.show(snap);
    code.show(snap);
    away.show(snap);
    if (!turned) return;
    const start = bySIP ? sip : one.root.hidden ? signOn : one;
    ({ first: start, two, code, enrol, papers: enrol.papers, away, auto })[step].focus();
  }
  /** The way is the one a person chose; nobody yet: what fits. @type {View & { way: Way | undefined }} */
  const view = { root, way: undefined, show, tick: (now) => (code.tick(), auto.tick(now)) };
  return view;
}

/** @param {Snapshot} snap @param {boolean} papers codes for paper are on the screen */
function stepOf(snap, papers) {
  if (papers) return "papers";
  if (snap.phase === "proving" && snap.proof) return snap.proof.enrol ? "enrol" : "code";
  if (snap.phase === "browser") return "away";
  if (snap.auto) return "auto";
  return snap.phase === "out" || snap.phase === "checking" || !snap.choice ? "first" : "two";
}

/** A problem that only the SIP account can have, or only the center. @param {Snapshot} snap */
const ofSIP = (snap) => /^sip\./.test(snap.problem?.code ?? "");
/** @param {Snapshot} snap */
const ofCenter = (snap) => /^(signin|center|agent|factor)\./.test(snap.problem?.code ?? "");

/** The way of the last time. @param {Snapshot} snap @returns {Way} */
const likely = (snap) => (ofSIP(snap) || (snap.sip && !snap.account) ? "sip" : "center");

/**
 * The two ways in, as tabs; none to choose without a center.
 * @param {(to: Way) => void} choose
 */
function waysView(choose) {
  const tab = (/** @type {Way} */ to, /** @type {string} */ name) => h("button", { type: "button", role: "tab", onclick: () => choose(to) }, name);
  const center = tab("center", t("signin.center")), sip = tab("sip", t("signin.sip"));
  const root = h("div", { className: "ways", role: "tablist", "aria-label": t("signin.ways"), onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(e.key)) return;
    e.preventDefault();
    const to = document.activeElement === center ? sip : center;
    to.click();
    to.focus();
  } }, center, sip);
  return {
    root,
    /** @param {boolean} bySIP @param {boolean} only */
    show(bySIP, only) {
      root.hidden = only;
      for (const [b, on] of /** @type {[HTMLElement, boolean][]} */ ([[center, !bySIP], [sip, bySIP]])) {
        attr(b, "aria-selected", String(on));
        b.tabIndex = on ? 0 : -1;
      }
    },
  };
}

/** @param {import("../types").Send} send */
function who(send) {
  const account = h("input", { id: "account", name: "account", autocomplete: "username", autocapitalize: "none", spellcheck: false, required: true, maxLength: 256 });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxLength: 1024 });
  const typed = { account: asPasted(account), password: asPasted(password) };
  const go = h("button", { type: "submit", className: "primary wide" }, t("signin.go"));
  const alert = trouble();
  const once = onceFields();
  const keep = h("input", { id: "keep", name: "keep", type: "checkbox", "aria-describedby": "keep-note" });
  const kept = h("div", { className: "check keep", hidden: true }, keep, h("label", { for: keep.id }, t("signin.keep")), h("p", { id: "keep-note", className: "quiet-text" }, t("signin.keep.note")));
  const root = h("form", { noValidate: true, "aria-label": t("signin.center"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    const empty = [account, password].find((f) => f.value === "");
    if (empty) return empty.focus();
    if (isBusy(go)) return;
    const asked = { account: typed.account(), password: typed.password(), keep: !kept.hidden && keep.checked };
    if (once.root.hidden) send("account.check", asked);
    else send("signin.once", { ...asked, ...once.values() });
  } }, row(t("signin.account"), account), row(t("signin.password"), password, look(password)), once.root, kept, alert, go);
  let offered = false;
  return {
    root,
    focus: () => (account.value ? password : account).focus(),
    /** @param {Snapshot} snap @param {boolean} mine the problem may be about this form */
    show(snap, mine) {
      if (!account.value && snap.account && document.activeElement !== account) account.value = snap.account;
      if (snap.phase === "in") password.value = "";
      kept.hidden = !snap.saved?.can;
      if (!offered && snap.saved?.can) keep.checked = !!snap.saved.account; // as it was chosen the last time
      offered ||= !!snap.saved?.can;
      once.show(snap);
      busy(go, snap.phase === "checking" || (snap.phase === "entering" && !snap.choice));
      put(alert, mine && snap.phase === "out" && snap.problem ? say(snap.problem) : "");
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
    if (!isBusy(go)) send("signin", { terminal: terminal.value, status: status.value, seat: seatRow.hidden ? "" : seat.value, takeover });
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
      if (!c) return void (built = ""); // the next sign-in begins with what is offered, not with what was chosen (PRODUCT A7)
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
