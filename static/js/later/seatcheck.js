// @ts-check
// The check before the shift (PRODUCT G10): begin it, watch it, and see on map and table what was measured.
import { attr, each, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { read as readJSON } from "../link.js";
import { at, clean, clock, day, say, t } from "../text.js";
import { stateLook, states } from "./seatcheckword.js";
import { chip } from "./seatfilter.js";
import { sheet } from "./sheet.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").SeatCheck} SeatCheck */
/** @typedef {import("../types").DawnCheck} DawnCheck */

/** How often the center is asked while a check runs, and while none does, in milliseconds. */
const OFTEN = 1000, SELDOM = 10_000;
/** How long the center may take to begin what was asked for. */
const BEGINS = 8000;

/** A seat that no check has looked at. @type {SeatCheck} */
const NONE = { seat: "", state: "" };

/**
 * @param {import("../types").Send} send
 * @param {{ changed(): void, opened(): void, floor(): { id: string, name: string } | undefined }} on changed: seats look otherwise, or others are wanted; floor: the one that is shown, where there are several
 * @param {(path: string) => Promise<any>} [read]
 */
export function checkView(send, on, read = readJSON) {
  /** @type {DawnCheck | undefined} */
  let check;
  /** By seat; what is as it was is the same object. @type {Map<string, SeatCheck>} */
  let found = new Map();
  /** Seats with what was found there. @type {WeakMap<SeatState, SeatState>} */
  let dressed = new WeakMap();
  /** States that are looked for; none: all. @type {Set<string>} */
  const wanted = new Set();
  let open = false, asked = 0, round = 0, ran = "";
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  const button = h("button", { type: "button", "aria-expanded": "false", onclick: () => void turn(!open) }, icon("line"), t("seats.check.button"));
  const when = h("p", { className: "check-when" }), told = h("p", { className: "unseen", role: "status" }), state = h("p", { className: "check-state", role: "status" });
  const bar = h("progress", { "aria-label": t("seats.check.progress") }), far = h("span", { className: "check-far" }), progress = h("div", { className: "check-progress", hidden: true }, bar, far);
  const begin = h("button", { type: "button", className: "primary", onclick: () => confirm() }, t("seats.check.begin"));
  const stop = h("button", { type: "button", className: "danger", hidden: true, onclick: () => send("check", { stop: true }) }, t("seats.check.stop"));
  const file = h("a", { className: "button", href: "/check?format=csv", download: "zaseki-check.csv" }, t("seats.check.file"));
  const close = h("button", { type: "button", className: "round", "aria-label": t("seats.check.close"), title: t("seats.check.close"), onclick: () => void turn(false) }, icon("close"));
  const kinds = h("ul", { className: "legend", "aria-label": t("seats.check.legend") });
  /** @type {Map<string, ReturnType<typeof chip>>} */
  const chips = new Map();
  const root = h("section", { className: "check-pane", "aria-label": t("seats.check.title"), hidden: true },
    h("div", { className: "check-line" }, h("strong", {}, t("seats.check.title")), when, h("span", { className: "check-acts" }, begin, stop, close)), progress, state, kinds, told);
  const question = confirmation((scope) => {
    asked = Date.now();
    send("check", scope);
    put(state, t("seats.check.begins"));
    paint();
    again(OFTEN / 4);
  });
  root.append(question.root);

  const runs = () => !!check?.id && !at(check.ended);
  function confirm() {
    question.open(on.floor());
  }

  /** @param {boolean} to */
  async function turn(to) {
    open = to;
    attr(button, "aria-expanded", String(open));
    attr(button, "aria-pressed", String(open));
    if (!open) {
      again(undefined);
      root.hidden = true;
      wanted.clear();
      on.changed();
      return button.focus();
    }
    on.opened();
    await sheet("check");
    root.hidden = false;
    put(state, check ? "" : t("seats.check.wait"));
    paint();
    begin.focus();
    await ask();
  }
  /** Asks again after so many milliseconds, or no more. @param {number | undefined} after */
  function again(after) {
    clearTimeout(timer);
    round++;
    if (after !== undefined) timer = setTimeout(() => void ask(), after);
  }
  async function ask() {
    if (!root.isConnected) return;
    const mine = ++round;
    const got = await read("/check").then((c) => c, (/** @type {any} */ e) => e);
    if (!open || mine !== round || !root.isConnected) return; // the page may speak another language by now
    if (got instanceof Error) put(state, wordsOf(got));
    else take(got);
    again(runs() || asked ? OFTEN : SELDOM);
  }
  /** @param {DawnCheck} now */
  function take(now) {
    if (now.id !== check?.id || Date.now() - asked > BEGINS) asked = 0; // it has begun, or a notice says why not
    const before = found;
    found = new Map((now.seats ?? []).map((s) => [s.seat, alike(before.get(s.seat), s)]));
    check = now;
    dressed = new WeakMap();
    if (!asked) put(state, now.why ? say({ code: now.why }) : "");
    announce();
    paint();
  }
  /** The begin and the end are said; what is between them is to be seen. */
  function announce() {
    if (!check) return;
    const is = `${check.id} ${runs()}`;
    if (ran && is !== ran) put(told, runs() ? t("seats.check.runs", { who: whoOf(check) }) : t("seats.check.ended", { counts: counted(check) }));
    ran = is;
  }
  function paint() {
    const all = check?.seats ?? [], done = all.filter((s) => s.state !== "waiting" && s.state !== "calling").length;
    if (!check) put(when, "");
    else if (!check.id) put(when, t("seats.check.never"));
    else put(when, t(runs() ? "seats.check.since" : "seats.check.last", { day: day(check.at ?? ""), time: clock(check.at ?? ""), who: whoOf(check) }));
    progress.hidden = !runs();
    bar.max = Math.max(1, all.length);
    bar.value = done;
    put(far, t("seats.check.far", { n: done, all: all.length }));
    begin.hidden = runs();
    begin.disabled = asked > 0;
    stop.hidden = !runs();
    if (all.length === 0) file.remove();
    else if (!file.parentElement) close.before(file);
    const n = new Map();
    for (const s of all) n.set(s.state, (n.get(s.state) ?? 0) + 1);
    kinds.hidden = all.length === 0;
    const passing = (/** @type {string} */ s) => s === "calling" || s === "waiting";
    each(kinds, chips, states.filter((s) => runs() || n.has(s) || !passing(s)), (s) => s, (s) => chip(() => press(s)), (v, s) => v.show(stateLook(s), n.get(s) ?? 0, wanted.has(s)));
    on.changed();
  }
  /** @param {string} s */
  function press(s) {
    if (!wanted.delete(s)) wanted.add(s);
    paint();
  }

  return {
    root, button,
    on: () => open,
    close: () => open && void turn(false),
    /** Whether a seat is one of those that are looked for. @param {SeatState} s */
    fits: (s) => !open || wanted.size === 0 || wanted.has(s.check?.state ?? ""),
    /** The seat with what was found there, while that is shown: the same object for the same seat and finding. @param {SeatState} s */
    dress(s) {
      if (!open || !check?.id) return s;
      const c = found.get(s.id) ?? NONE, was = dressed.get(s);
      if (was?.check === c) return was;
      const now = { ...s, check: c };
      dressed.set(s, now);
      return now;
    },
  };
}

/** Who began it. @param {DawnCheck} c */
const whoOf = (c) => (c.by ? clean(c.name || c.by) : t("seats.check.schedule"));

/** How many are in each state, in words. @param {DawnCheck} c */
function counted(c) {
  const n = (/** @type {string} */ s) => (c.seats ?? []).filter((x) => x.state === s).length;
  return states.filter(n).map((s) => `${stateLook(s).word} ${n(s)}`).join(t("seats.missing.and"));
}

/** The one that was, if the newer one says the same. @param {SeatCheck | undefined} was @param {SeatCheck} now */
const alike = (was, now) => (was && JSON.stringify(was) === JSON.stringify(now) ? was : now);

/** @param {any} e */
const wordsOf = (e) => (e.problem ? say(e.problem) : t("seats.check.lost"));

/**
 * Says what will happen before it does, and asks of which seats.
 * @param {(scope: { floor?: string }) => void} go
 */
function confirmation(go) {
  let floor = "";
  const one = h("input", { id: "check-floor", name: "check-scope", type: "radio", checked: true }), every = h("input", { id: "check-all", name: "check-scope", type: "radio" });
  const name = h("label", { for: one.id }), scope = h("fieldset", { className: "check-scope" }, h("legend", {}, t("seats.check.scope")), h("div", { className: "check" }, one, name), h("div", { className: "check" }, every, h("label", { for: every.id }, t("seats.check.scope.all"))));
  const no = h("button", { type: "button", onclick: () => root.close() }, t("seats.check.no")), yes = h("button", { type: "button", className: "primary", onclick: () => {
    root.close();
    go(floor && one.checked ? { floor } : {});
  } }, t("seats.check.yes"));
  const points = ["calls", "spared", "rings", "writes"].map((what) => h("li", {}, t(`seats.check.says.${what}`)));
  const root = h("dialog", { className: "ask", "aria-labelledby": "check-title", "aria-describedby": "check-text" }, h("h2", { id: "check-title" }, t("seats.check.title.ask")), h("ul", { id: "check-text", className: "check-text" }, ...points), scope, h("div", { className: "ask-row" }, no, yes));
  return {
    root,
    /** @param {{ id: string, name: string } | undefined} here */
    open(here) {
      floor = here?.id ?? "";
      scope.hidden = !floor;
      put(name, t("seats.check.scope.floor", { name: clean(here?.name) }));
      root.showModal();
      yes.focus();
    },
  };
}
