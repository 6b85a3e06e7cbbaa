// @ts-check
import { attr, h, put } from "../dom.js";
import { clock, t } from "../text.js";
import { memoCard } from "./memo.js";
import { isUp, peerOf } from "./parts.js";
import { defOf } from "./status.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("./memo.js").Noted & { number: string, name?: string, began: string }} Subject */
/** @typedef {"dial" | "memo"} Face */

/**
 * The place below the call: the keys, or the notes about a call, in the same size. Notes are about the call that talks, else the one that
 * ended last; while somebody writes, they stay with their call. After a call that wants an outcome they come by themselves, unless a
 * number is being typed, and go when after-call work is over.
 * @param {import("../types").View} dial
 * @param {import("../types").Send} send
 * @returns {import("../types").View & { turn(to: Face): void, flush(): void }}
 */
export function lowerView(dial, send) {
  /** @type {Face} */
  let face = "dial";
  /** The call that is written about, and the one that notes came by themselves for. */
  let about = "", came = "";
  let byItself = false;
  /** Queues by call: a call of the past no longer says. @type {Map<string, string>} */
  const queues = new Map();
  const card = memoCard(send, "call");
  const who = h("p", { className: "memo-who quiet-text" });
  const none = h("p", { className: "quiet-text memo-none" }, t("memo.none"));
  const tab = (/** @type {Face} */ to, /** @type {string} */ name) => h("button", { type: "button", role: "tab", id: `lower-${to}`, "aria-controls": `face-${to}`, onclick: () => turn(to) }, name);
  const tabs = { dial: tab("dial", t("lower.dial")), memo: tab("memo", t("lower.memo")) };
  const list = h("div", { className: "lower-tabs", role: "tablist", "aria-label": t("lower.title"), onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (!/^(ArrowLeft|ArrowRight|Home|End)$/.test(e.key)) return;
    e.preventDefault();
    turn(face === "dial" ? "memo" : "dial");
    tabs[face].focus();
  } }, tabs.dial, tabs.memo);
  const faces = {
    dial: h("div", { id: "face-dial", className: "face", role: "tabpanel", "aria-labelledby": "lower-dial" }, dial.root),
    memo: h("div", { id: "face-memo", className: "face face-memo", role: "tabpanel", "aria-labelledby": "lower-memo" }, who, none, card.root),
  };
  const root = h("section", { className: "lower" }, list, faces.dial, faces.memo);

  /** @param {Face} to */
  function turn(to) {
    face = to;
    byItself = false;
    for (const f of /** @type {Face[]} */ (["dial", "memo"])) {
      attr(tabs[f], "aria-selected", String(f === face));
      attr(tabs[f], "tabindex", f === face ? "0" : "-1");
      attr(faces[f], "data-on", f === face ? "true" : undefined);
    }
  }
  turn("dial");

  /** @param {Snapshot} snap @returns {Subject | undefined} */
  function subject(snap) {
    const calls = snap.calls ?? [], mine = [...calls, ...(snap.history ?? [])].find((c) => c.id === about);
    if (mine && card.busy()) return mine;
    const rank = (/** @type {import("../types").Call} */ c) => (c.consult ? 4 : 0) + (c.outside ? 0 : 2) + (c.phase === "talking" ? 0 : 1);
    return calls.filter((c) => isUp(c) || c.phase === "ending").sort((a, b) => rank(a) - rank(b))[0] ?? lastOf(snap);
  }

  /** @param {Subject | undefined} c @param {Snapshot} snap */
  function write(c, snap) {
    about = c?.id ?? "";
    card.root.hidden = who.hidden = !c;
    none.hidden = !!c;
    if (!c) return;
    put(who, t("memo.who", { name: peerOf(c), time: clock(c.began) }));
    card.show({ ...c, queue: queues.get(c.id) }, snap);
  }

  return {
    root, turn,
    flush: card.flush,
    show(snap, page) {
      dial.show(snap, page);
      for (const c of snap.calls ?? []) if (c.queue) queues.set(c.id, c.queue);
      write(subject(snap), snap);
      if (subject(snap)?.id !== about) write(subject(snap), snap); // what was written is kept: on to the next
      const field = /** @type {HTMLInputElement | null} */ (dial.root.querySelector("input"));
      const free = !field?.value && !dial.root.contains(document.activeElement);
      const ended = lastOf(snap);
      if (ended && ended.id === about && ended.id !== came && !snap.calls?.length && wants(ended, snap)) {
        came = ended.id;
        if (free) turn("memo"), (byItself = true);
      } else if (byItself && !works(snap) && !card.busy() && !card.root.contains(document.activeElement)) turn("dial");
      attr(tabs.memo, "data-wanted", face === "dial" && ended?.id === about && wants(ended, snap) ? "true" : undefined);
    },
    tick(now) {
      dial.tick?.(now);
      card.tick(now);
    },
  };
}

/** How many calls of the past after-call work may be about: a colleague who was asked may have stayed longer than the customer. */
const RECENT = 4;

/** @param {Snapshot} snap */
const works = (snap) => defOf(snap.statuses, snap.status.now).class === "work";

/** The call that ended last; in after-call work the customer's. @param {Snapshot} snap */
function lastOf(snap) {
  const past = snap.history ?? [];
  return (works(snap) && past.slice(0, RECENT).find((c) => c.outside && c.result === "answered")) || past[0];
}

/** Whether after-call work begins for this call, and the center wants to know how it ended. @param {import("../types").PastCall} c @param {Snapshot} snap */
function wants(c, snap) {
  return works(snap) && c.outside && c.result === "answered" && !c.outcome && !!snap.desk?.outcomes?.length;
}
