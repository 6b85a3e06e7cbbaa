// @ts-check
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { readBlob } from "../link.js";
import { merge, waits } from "../past.js";
import { clean, clock, day, known, say, span, t } from "../text.js";
import { gradeMark } from "./grade.js";
import { memoCard, outcomeName } from "./memo.js";
import { ownDay } from "./ownday.js";
import { peerOf } from "./parts.js";
import { playerView } from "./player.js";

/** @typedef {import("../past.js").Row} Row */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {{ row: Element, pause: () => void, close: () => void }} Open */

/** How long the center takes notes about calls that this phone does not have itself, in milliseconds. */
const WRITABLE = 24 * 3600_000;
/** How soon it is said again that the missed calls were seen, in milliseconds. */
const AGAIN = 2000;

/**
 * The agent's calls, newest first: this sign-in's as the phone has them, the earlier ones from the center. How each sounded, its recording
 * where the center lets one listen, why it was missed, what was written about it, a way to call back and to see what happened.
 * @param {import("../types").Send} send
 * @param {import("../types").Why} why
 * @param {(path: string) => Promise<Blob>} [blob] fetches a recording
 * @param {(path: string) => Promise<any>} [read] fetches the center's pages
 * @returns {import("../types").View & { end(): void, look(on: boolean): void, flush(): void }} end stops what plays; look says whether it is
 *   looked at; flush keeps what is being written
 */
export function historyView(send, why, blob = readBlob, read) {
  const list = h("ul", { className: "history" });
  const none = h("p", { className: "empty" });
  const far = centerCalls(read, () => last && view.show(last, /** @type {any} */ (undefined)));
  const own = ownDay(read);
  let only = false, looked = false, told = 0;
  const ways = [false, true].map((on) => h("button", { type: "button", onclick: () => ((only = on), last && view.show(last, /** @type {any} */ (undefined))) }, on ? t("calls.only") : t("calls.all")));
  const root = h("section", { className: "pane", "aria-label": t("calls.title") }, h("div", { className: "history-top" }, h("div", { className: "history-ways", role: "group", "aria-label": t("calls.filter") }, ...ways), own.button), own.root, none, list, far.root);
  /** @type {Map<string, ReturnType<typeof line> | ReturnType<typeof dayLine>>} */
  const lines = new Map();
  /** @type {Snapshot | undefined} */
  let last;
  /** The player that is open: one at a time. @type {Open | undefined} */
  let playing;
  const alone = (/** @type {Open | undefined} */ now) => {
    const before = playing;
    playing = now;
    if (now) before?.close();
  };
  /** One at a time: closing keeps what was written. */
  const writing = { ...memoCard(send, "past"), on: "", turn: write };
  /** @param {string} id */
  function write(id) {
    writing.flush();
    writing.on = id;
    if (last) view.show(last, /** @type {any} */ (undefined));
    if (id) writing.focus();
  }
  /** Missed calls are missed until somebody looks at the list of them. */
  function seen() {
    if (!looked || !last?.missed || Date.now() - told < AGAIN) return;
    told = Date.now();
    send("calls.seen");
  }
  /** @type {ReturnType<typeof historyView>} */
  const view = {
    root,
    show(snap) {
      last = snap;
      far.show(snap);
      own.show(snap);
      const all = merge(snap.history ?? [], far.calls(), snap.remarks), rows = all.filter((r) => !only || (r.inbound && r.result === "missed"));
      ways.forEach((b, i) => attr(b, "aria-pressed", String(only === (i === 1))));
      none.hidden = rows.length > 0 || far.busy();
      put(none, only ? t("calls.none.missed") : t("calls.none"));
      each(list, lines, withGap(byDay(rows), snap.gap), (c) => c.id, (c) => ("day" in c ? dayLine() : line({ send, why, blob, alone, writing })), (v, c) => v.show(/** @type {any} */ (c), snap));
      const about = rows.find((c) => c.id === writing.on);
      if (about) writing.show({ ...about, queue: about.queue ?? about.far?.queue }, snap);
      else writing.on = "";
      seen();
      if (playing && !playing.row.isConnected) playing.close(); // signed out, say
      if (snap.calls?.length) playing?.pause(); // nobody hears a recording and a caller at once
    },
    end: () => playing?.close(),
    flush: () => writing.flush(),
    look(on) {
      if (on === looked) return;
      looked = on;
      seen();
    },
    tick: (now) => writing.tick(now),
  };
  return view;
}

/** A heading before the first call of each day but today's. @param {Row[]} rows @returns {(Row | { id: string, day: string })[]} */
function byDay(rows) {
  let before = day(new Date().toISOString());
  return rows.flatMap((r) => {
    const of = day(r.began), turned = of !== before;
    before = of;
    return turned ? [{ id: `day ${of}`, day: of }, r] : [r];
  });
}

/** The time without a center (PRODUCT G9) stands among the calls: what it missed of them is not hidden. @param {(Row | { id: string, day: string })[]} rows @param {import("../types").Gap | undefined} gap */
function withGap(rows, gap) {
  if (!gap) return rows;
  const i = rows.findIndex((r) => !("day" in r) && Date.parse(r.began) < Date.parse(gap.since)), at = i > 0 && "day" in /** @type {object} */ (rows[i - 1]) ? i - 1 : i;
  const words = t("gap.history", { since: clock(gap.since), until: gap.until ? clock(gap.until) : t("gap.now") });
  return rows.toSpliced(at < 0 ? rows.length : at, 0, { id: "gap", day: words });
}

function dayLine() {
  const words = h("h3", {});
  return {
    root: h("li", { className: "history-day" }, words),
    /** @param {{ day: string }} d */
    show: (d) => put(words, d.day),
  };
}

/**
 * The center's list, page by page; again from the top when a call of this phone has ended.
 * @param {((path: string) => Promise<any>) | undefined} read
 * @param {() => void} changed
 */
function centerCalls(read, changed) {
  /** @type {import("../types").HistoryCall[]} */
  let calls = [];
  let next = "", asked = "", run = 0, busy = false;
  const words = h("p", { className: "quiet-text", role: "status" });
  const more = h("button", { type: "button", onclick: () => void load(next) }, t("calls.more"));
  const root = h("div", { className: "history-more" }, words, more);

  /** @param {string} cursor "" begins anew */
  async function load(cursor) {
    const mine = ++run;
    busy = true;
    put(words, cursor ? t("calls.loading") : "");
    try {
      const page = await /** @type {(path: string) => Promise<any>} */ (read)(`/history${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`);
      if (mine !== run) return;
      calls = [...(cursor ? calls : []), ...(page.calls ?? [])];
      next = page.next ?? "";
      put(words, "");
    } catch (/** @type {any} */ e) {
      if (mine !== run) return;
      next = e.status === 404 ? "" : cursor || " "; // no center, or one that keeps no list
      put(words, next ? t("calls.lost") : "");
    }
    busy = false;
    put(more, words.textContent ? t("calls.again") : t("calls.more"));
    changed();
  }
  return {
    root,
    calls: () => calls,
    busy: () => busy && calls.length === 0,
    /** @param {Snapshot} snap */
    show(snap) {
      const inside = snap.phase === "in" && !snap.local && !!read;
      if (!inside) [calls, next, asked] = [[], "", ""], run++;
      const now = inside ? `${snap.me?.account} ${snap.history?.[0]?.id ?? ""}` : "";
      if (now !== asked && inside) {
        asked = now;
        void load("");
      }
      more.hidden = !next || busy;
    },
  };
}

/**
 * @param {{ send: import("../types").Send, why: import("../types").Why, blob: (path: string) => Promise<Blob>,
 *   alone: (open: Open | undefined) => void, writing: ReturnType<typeof memoCard> & { on: string, turn(id: string): void } }} io
 */
function line(io) {
  /** @type {Row} */
  let call;
  /** @type {ReturnType<typeof playerView> | undefined} */
  let player;
  const way = h("span", { className: "way" });
  const peer = h("bdi", { className: "history-peer" });
  const number = h("bdi", { className: "quiet-text" });
  const result = h("span", { className: "result" });
  const mark = gradeMark();
  const kept = h("span", { className: "kept" });
  const when = h("time", { className: "time" });
  const long = h("span", { className: "time" });
  const round = (/** @type {string} */ cls, /** @type {string} */ draw, /** @type {() => void} */ onclick) => h("button", { type: "button", className: `round ${cls}`, onclick }, icon(draw));
  const listen = round("history-play", "play", () => (player ? close() : open()));
  const ask = round("history-ask", "why", () => io.why(call));
  const back = round("history-back", "phone", () => io.send("call.dial", { number: call.number }));
  const write = round("history-write", "edit", () => io.writing.turn(io.writing.on === call.id ? "" : call.id));
  const written = h("p", { className: "history-note" });
  const root = h("li", {}, way, h("span", { className: "history-who" }, peer, number), h("span", { className: "history-how" }, result, mark.root, kept),
    h("span", { className: "history-when" }, when, long), write, listen, ask, back, written);
  root.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || io.writing.on !== call.id || !io.writing.root.contains(/** @type {Node} */ (e.target))) return;
    e.preventDefault();
    io.writing.turn("");
    write.focus();
  });

  function open() {
    const opened = (player = playerView(call.id, peerOf(call), { blob: io.blob, close }));
    root.append(opened.root);
    attr(listen, "aria-expanded", "true");
    io.alone({ row: root, pause: opened.pause, close });
    opened.focus();
  }
  function close() {
    const inside = player?.root.contains(document.activeElement);
    player?.end();
    player?.root.remove();
    player = undefined;
    attr(listen, "aria-expanded", "false");
    io.alone(undefined);
    if (inside) listen.focus();
  }
  return {
    root,
    /** @param {Row} c @param {Snapshot} snap */
    show(c, snap) {
      if (call && call.recording !== c.recording) player?.again();
      if (call?.id !== c.id) way.replaceChildren(icon(c.inbound ? "in" : "out"));
      call = c;
      attr(root, "data-result", c.result);
      attr(way, "title", c.inbound ? t("calls.in") : t("calls.out"));
      put(peer, peerOf(c));
      put(number, [c.name ? clean(c.number) : "", clean(c.far?.queue)].filter(Boolean).join(" · "));
      put(result, c.problem ? say(c.problem) : [resultName(c.result), reasonOf(c)].filter(Boolean).join(" · "));
      attr(root, "data-back", c.result === "missed" && c.far && !waits(c) ? "true" : undefined);
      attr(mark.root, "title", mark.show(c.quality?.mos));
      put(kept, c.recording === "kept" ? t("calls.kept") : c.recording ? t("calls.recorded") : "");
      put(when, clock(c.began));
      put(long, c.talked ? span(c.talked / 1e6) : "");
      for (const [button, name] of /** @type {[Element, string][]} */ ([[back, t("calls.back", { name: peerOf(c) })], [ask, t("why.of", { name: peerOf(c) })], [listen, t("player.open", { name: peerOf(c) })],
        [write, t("memo.of", { name: peerOf(c) })]])) {
        attr(button, "aria-label", name);
        attr(button, "title", name);
      }
      back.disabled = !c.number || (!!c.far && !c.here && !c.far.dial);
      listen.hidden = !c.recording || !snap.policy?.hear;
      if (!player) attr(listen, "aria-expanded", "false");
      const open = io.writing.on === c.id;
      write.hidden = !c.here && Date.now() - Date.parse(c.began) > WRITABLE;
      attr(write, "aria-expanded", String(open));
      attr(written, "hidden", open ? "" : undefined);
      put(written, open ? "" : [outcomeName(snap, c.outcome || (c.here && c.far?.outcome) || ""), clean((c.note || (c.here && c.far?.note) || "").replace(/\s+/g, " ")), c.unsent ? t("memo.unsent") : ""].filter(Boolean).join(" · "));
      if (open && io.writing.root.parentElement !== root) root.append(io.writing.root);
      else if (!open && io.writing.root.parentElement === root) io.writing.root.remove();
    },
  };
}

/** Why it was missed or failed, and whether somebody has called back: what only the center knows. @param {Row} c */
function reasonOf(c) {
  const f = c.far;
  if (!f) return "";
  const key = `calls.reason.${f.reason}`;
  const why = f.reason && known(key) ? t(key) : f.result === "failed" && f.code ? t("calls.code", { code: f.code }) : "";
  const rang = c.result === "missed" && f.wait >= 1 ? t("calls.rang", { n: Math.round(f.wait) }) : "";
  return [why, rang, f.back ? t("calls.backed") : ""].filter(Boolean).join(" · ");
}

/** @param {string} result */
function resultName(result) {
  const names = /** @type {Record<string, string>} */ ({
    answered: t("calls.answered"), missed: t("calls.missed"), declined: t("calls.declined"), failed: t("calls.failed"),
    cancelled: t("calls.cancelled"), elsewhere: t("calls.elsewhere"), transferred: t("calls.transferred"),
  });
  return names[result] ?? "";
}
