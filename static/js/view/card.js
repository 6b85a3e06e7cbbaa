// @ts-check
import { h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { openMenu } from "../menu.js";
import { at, clean, span, t } from "../text.js";
import { noteView } from "./note.js";
import { act, isUp, muteButton, peerOf, showKeys } from "./parts.js";
import { qualityView } from "./quality.js";
import { recordMark, toolsView } from "./tools.js";
import { transferForm } from "./transfer.js";

/** @typedef {import("../types").Call} Call */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Page} Page */
/** @typedef {import("../types").Send} Send */

/**
 * One call.
 * @param {string} id
 * @param {Send} send
 * @param {() => void} claim
 * @param {import("../types").Why} why
 * @param {() => void} settings
 * @param {import("../book.js").Book} [book] the center's phonebook
 */
export function card(id, send, claim, why, settings, book) {
  /** @type {Call} */
  let call;
  /** @type {Snapshot} */
  let last;
  /** @type {[Call, Call] | undefined} */
  let pair;
  const kind = h("span", { className: "badge" });
  const phase = h("span", { className: "call-phase", role: "status" });
  const time = h("span", { className: "time" });
  const secure = h("span", { className: "lock", role: "img", "aria-label": t("call.secure"), title: t("call.secure") }, icon("lock"));
  const more = h("button", { type: "button", className: "round", "aria-label": t("call.more"), title: t("call.more"), "aria-haspopup": "menu", "aria-expanded": "false",
    onclick: () => openMenu(t("call.more"), [...tools.items(last.policy), { label: t("why.open"), act: () => why(call) }], more) }, icon("more"));
  const peer = h("bdi", { className: "call-peer" });
  const number = h("bdi", { className: "call-number" }), attend = h("span", { className: "call-attend", role: "status" });
  const quality = qualityView(id), recording = recordMark(), note = noteView(id, send, claim, settings), tools = toolsView(id, send);
  const answer = act("answer", "phone", t("call.answer"), () => send("call.answer", { call: id }));
  const decline = act("decline", "hangup", t("call.decline"), () => send("call.decline", { call: id }));
  const mute = muteButton(send);
  const hold = act("toggle", "pause", t("call.hold"), () => send("call.hold", { call: id, on: call.phase !== "held" }));
  const holdName = /** @type {HTMLElement} */ (hold.lastChild);
  const transfer = act("send", "transfer", t("call.transfer"), () => form.open());
  transfer.setAttribute("aria-expanded", "false");
  const connect = act("half primary", "join", t("call.connect"), () => pair && send("call.connect", { call: pair[0].id, other: pair[1].id }));
  const meet = act("half", "people", t("call.conference"), () => send("call.conference", { on: true }));
  const hangup = act("hangup", "hangup", t("call.hangup"), (e) => e.detail < 2 && send("call.hangup", { call: id })); // the second half of a double click on Answer lands here
  const form = transferForm(id, send, () => {
    const inside = form.root.contains(document.activeElement);
    buttons();
    if (inside && form.root.hidden) transfer.focus();
  }, book);
  const heard = h("div", { className: "call-sound" }, quality.root, recording.root);
  const root = h("article", { className: "call" }, h("header", {}, kind, phase, secure, time, more), peer, h("div", { className: "call-sub" }, number, attend), heard, note.root, form.root,
    h("div", { className: "acts" }, answer, decline, mute, hold, transfer, tools.root, connect, meet, hangup));

  function buttons() {
    const asking = !form.root.hidden, can = allowed(call, last.calls ?? [], asking);
    pair = can.connect;
    for (const [button, on] of /** @type {[HTMLElement, unknown][]} */ ([[answer, can.answer], [decline, can.answer], [mute, can.mute], [hold, can.hold],
      [transfer, can.hold], [connect, pair], [meet, can.meet], [hangup, !can.answer], [note.root, !asking]])) button.hidden = !on;
    tools.show(call, last.policy);
    if (!can.hold) tools.root.hidden = true;
    hold.disabled = transfer.disabled = mute.disabled = !!call.moving;
    hangup.disabled = call.phase === "ending";
    connect.title = pair ? t("call.connect.what", { one: peerOf(pair[0]), other: peerOf(pair[1]) }) : "";
    attr(mute, "aria-pressed", String(last.muted));
    hold.title = call.phase === "held" ? t("call.resume") : t("call.hold");
    put(holdName, hold.title);
    attr(transfer, "aria-expanded", String(asking));
    attr(hold, "data-on", call.phase === "held" ? "true" : undefined);
    for (const [button, what] of /** @type {[HTMLElement, string][]} */ ([[answer, "answer"], [decline, "hangup"], [mute, "mute"], [hold, "hold"], [hangup, "hangup"]])) showKeys(button, last, what);
  }

  return {
    root,
    /** @param {Call} c @param {Snapshot} snap @param {Page} page */
    show(c, snap, page) {
      [call, last] = [c, snap];
      attr(root, "data-phase", c.phase);
      attr(root, "data-kind", c.outside ? "outside" : "inside");
      attr(root, "data-muted", isUp(c) && snap.muted ? "true" : undefined);
      attr(root, "data-conference", c.conference ? "true" : undefined);
      attr(root, "data-small", c.conference || (c.phase === "held" && (snap.calls ?? []).length > 1) ? "true" : undefined);
      attr(root, "aria-label", `${phaseName(c)}: ${peerOf(c)}`);
      put(kind, c.queue ? clean(c.queue) : c.outside ? t("call.outside") : t("call.inside"));
      put(phase, phaseName(c));
      put(peer, peerOf(c));
      put(number, numberLine(c));
      put(attend, c.phase === "talking" ? (snap.attendants ?? []).map(attendantWords).join(" · ") : "");
      attr(attend, "title", attend.textContent || undefined);
      attr(root, "data-card", c.card && isUp(c) ? "true" : undefined);
      secure.hidden = !c.secure;
      quality.show(c, snap);
      quality.root.hidden = !isUp(c);
      recording.show(c);
      form.show(c, snap);
      buttons();
      note.show(c, snap, page);
    },
    /** @param {number} now */
    tick(now) {
      if (call) put(time, span(now - at(call.answered || call.began)));
    },
  };
}

/**
 * What a call lets one do now; while it is being said where it goes (asking), only that and hanging up.
 * @param {Call} call
 * @param {Call[]} calls
 * @param {boolean} asking
 */
function allowed(call, calls, asking) {
  const others = calls.filter((c) => c.id !== call.id && isUp(c) && !c.moving);
  const alone = isUp(call) && !asking && !call.conference;
  const rings = call.phase === "alerted"; // who is asked about need not wait until somebody picks up
  return {
    answer: call.phase === "offered",
    hold: alone,
    mute: alone && (call.phase === "talking" || calls.length === 1),
    connect: (alone || rings) && !call.moving ? pairOf(call, others) : undefined,
    meet: alone && leader(calls)?.id === call.id,
  };
}

/**
 * The two calls that Connect would bring together: the one asked about and the consultation. They are offered where one
 * talks, or at the consultation while both wait.
 * @param {Call} call
 * @param {Call[]} others
 * @returns {[Call, Call] | undefined}
 */
function pairOf(call, others) {
  const about = others.find((c) => c.id === call.consult), asks = others.find((c) => c.consult === call.id);
  if (about && !(call.phase === "held" && about.phase === "talking")) return [about, call];
  if (asks && call.phase === "talking") return [call, asks];
  return undefined;
}

/**
 * The card that offers the conference, when there are two to bring together: the one that talks, else the consultation.
 * @param {Call[]} calls
 */
function leader(calls) {
  const up = calls.filter((c) => isUp(c) && !c.moving), apart = up.filter((c) => !c.conference);
  return up.length < 2 ? undefined : (apart.find((c) => c.phase === "talking") ?? apart.find((c) => c.consult) ?? apart[0]);
}

/** @param {Call} c */
function phaseName(c) {
  const names = /** @type {Record<string, string>} */ ({
    offered: t("call.offered"), dialing: t("call.dialing"), alerted: t("call.alerted"), joining: t("call.joining"),
    talking: t("call.talking"), held: t("call.held"), ending: t("call.ending"),
  });
  if (c.conference && isUp(c)) return t("call.member");
  return c.peerHold && c.phase === "talking" ? t("call.peerHold") : (names[c.phase] ?? "");
}

/** Who takes part without being seen by the caller: the agent always knows. @param {import("../types").Attendant} a */
const attendantWords = (a) => t(`attend.by.${a.since ? a.mode : "way"}`, { name: clean(a.name || a.account) });

/** The number under a name, and who sent the call to us. @param {Call} c */
function numberLine(c) {
  return [c.name ? clean(c.number) : "", c.movedBy ? t("call.movedBy", { name: clean(c.movedBy) }) : ""].filter(Boolean).join(" · ");
}
