// @ts-check
import { keyOf } from "../conversation.js";
import { attr, each, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { at, clean, clock, day, plain, t } from "../text.js";
import { composeView } from "./compose.js";
import { marks, threads } from "./threads.js";

/** @typedef {import("../types").Message} Message */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("./threads.js").Thread} Thread */
/** @typedef {{ key: string, name: string }} Peer */

/**
 * The mailbox: conversations at the left, the one that is open at the right; on a narrow page one after the other.
 * @param {import("../types").Send} send
 * @param {{ close(): void, people(): void, seen: Set<string>, notices?: Element }} io people: asks for the floor, so that those on the seats can be chosen;
 *   seen: ids of messages that were looked at here, and are not yet said, or are held back by what nobody has opened; notices: they stand here while
 *   somebody writes, so that they do not lie over the words
 * @returns {import("../types").View & { showFloor(f: import("../types").Floor): void, look(on: boolean): void, choosing(): boolean, write(to?: { account: string, name: string }): void }}
 */
export function messagesView(send, io) {
  /** @type {Snapshot | undefined} */
  let snap;
  /** @type {import("../types").Floor | undefined} */
  let floor;
  /** What is open: a conversation's key, "new", or nothing. */
  let open = "";
  let looked = false;
  /** Up to where the center was told, by conversation. @type {Map<string, string>} */
  const told = new Map();
  const { seen } = io;
  /** Names of those who never wrote anything yet. @type {Map<string, string>} */
  const names = new Map();
  const list = h("ul", { className: "msg-list", "aria-label": t("msg.list") });
  const none = h("p", { className: "empty" }, t("msg.none"));
  const fresh = h("button", { type: "button", onclick: () => turn("new") }, icon("edit"), t("msg.new"));
  const close = h("button", { type: "button", className: "round", "aria-label": t("msg.close"), title: t("msg.close"), onclick: io.close }, icon("close"));
  const to = h("select", { id: "msg-to", name: "msg-to", onchange: () => to.value && turn(to.value) });
  const choose = h("div", { className: "field msg-choose", hidden: true }, h("label", { for: to.id }, t("msg.to")), h("div", { className: "field-box" }, to));
  const back = h("button", { type: "button", className: "round msg-back", "aria-label": t("msg.back"), title: t("msg.back"), onclick: () => turn("") }, icon("down"));
  const title = h("h3", { id: "msg-with" });
  const log = h("ol", { className: "msg-log", tabIndex: 0, "aria-labelledby": "msg-with" });
  const compose = composeView(send, () => snap?.me?.account ?? "", () => paint());
  const notices = h("div", { className: "msg-notices" }), home = h("div", { hidden: true });
  const thread = h("section", { className: "msg-thread", "aria-labelledby": "msg-with", hidden: true }, h("header", {}, back, title), choose, log, notices, compose.root);
  const root = h("section", { className: "pane message-pane", "aria-label": t("msg.title"), onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Escape" || e.defaultPrevented || e.isComposing) return;
    e.preventDefault();
    if (open) turn("");
    else io.close();
  } }, h("header", { className: "msg-head" }, h("h2", {}, t("msg.title")), fresh, close), h("div", { className: "msg-body" }, h("div", { className: "msg-side" }, none, list), thread));
  /** @type {Map<string, ReturnType<typeof entry>>} */
  const entries = new Map();
  /** @type {Map<string, ReturnType<typeof bubble> | ReturnType<typeof dayMark>>} */
  const bubbles = new Map();

  const all = () => snap?.messages?.list ?? [];
  const isNew = (/** @type {Message} */ m) => !m.mine && !m.read && !seen.has(m.id);

  /** @param {string} key */
  function turn(key) {
    const before = open;
    open = key;
    if (key === "new") io.people();
    paint();
    log.scrollTop = log.scrollHeight;
    if (key === "new") to.focus();
    else if (key) compose.focus();
    else /** @type {HTMLElement | undefined} */ ((entries.get(before)?.root.querySelector("button") ?? fresh))?.focus();
  }
  /** @param {string} key */
  function nameOf(key) {
    if (key === "all") return t("msg.everybody");
    const m = all().findLast((x) => keyOf(x) === key), id = key.slice(2);
    if (key.startsWith("g:")) return t("msg.group", { name: clean(floor?.groups?.find((g) => g.id === id)?.name || m?.toName || names.get(key) || id) });
    const theirs = all().findLast((x) => !x.mine && keyOf(x) === key);
    return clean(theirs?.name || m?.toName || names.get(key) || floor?.seats?.find((s) => s.account === id)?.agent || id);
  }
  /** What is looked at counts as seen, and the center is told. */
  function mark() {
    if (!looked || document.hidden) return;
    for (const m of all()) if (open && keyOf(m) === open && !m.mine && !m.read) seen.add(m.id);
    for (const m of marks(snap?.messages, seen)) {
      if (told.get(m.with ?? "") === m.upTo) continue;
      told.set(m.with ?? "", m.upTo);
      send("message.read", m);
    }
  }
  /** Notices come to where somebody writes, and go back to where they were. */
  function settle() {
    const list = io.notices, here = looked && !!open && open !== "new";
    if (!list || here === notices.contains(list)) return;
    if (!here) return home.replaceWith(list);
    list.replaceWith(home);
    notices.append(list);
  }
  function paint() {
    if (!snap) return;
    mark();
    settle();
    const rows = threads(all(), isNew);
    none.hidden = rows.length > 0;
    each(list, entries, rows, (r) => r.key, (r) => entry(() => turn(r.key)), (v, r) => v.show(r, nameOf(r.key), r.key === open));
    attr(root, "data-open", open ? "true" : undefined);
    thread.hidden = !open;
    choose.hidden = open !== "new";
    log.hidden = compose.root.hidden = open === "new";
    put(title, open === "new" ? t("msg.new") : open ? nameOf(open) : "");
    if (open === "new") recipients(to, snap, floor, rows.map((r) => ({ key: r.key, name: nameOf(r.key) })));
    const bottom = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    each(log, bubbles, byDay(rows.find((r) => r.key === open)?.list ?? []), (m) => m.id, (m) => ("text" in m ? bubble() : dayMark()), (v, m) => v.show(/** @type {any} */ (m)));
    compose.show(open === "new" ? "" : open, all(), !!snap.me?.all || !!snap.me?.leads?.length);
    if (bottom) log.scrollTop = log.scrollHeight;
  }
  return {
    root,
    show(s) {
      if (snap && snap.me?.account !== s.me?.account) open = "", told.clear(), seen.clear();
      snap = s;
      paint();
    },
    showFloor(f) {
      floor = f;
      if (looked && open === "new") paint();
    },
    choosing: () => looked && open === "new",
    look(on) {
      if (on && !looked) told.clear(); // what was said while the center was away is said again
      looked = on;
      settle();
      if (on) mark();
    },
    write(who) {
      if (!who) return turn(open);
      names.set(`u:${who.account}`, who.name);
      turn(`u:${who.account}`);
    },
    tick: (now) => compose.tick(now),
  };
}

/** @param {() => void} onclick */
function entry(onclick) {
  const name = h("strong", {}), when = h("time", { className: "time" }), text = h("span", { className: "msg-last" }), count = h("span", { className: "tab-badge", "aria-hidden": "true" });
  const button = h("button", { type: "button", onclick }, name, when, text, count), root = h("li", {}, button);
  return {
    root,
    /** @param {Thread} r @param {string} who @param {boolean} on */
    show(r, who, on) {
      put(name, who);
      put(when, day(r.last.at) === day(new Date().toISOString()) ? clock(r.last.at) : day(r.last.at));
      put(text, (r.last.mine ? `${t("msg.you")}: ` : "") + clean(r.last.text.replace(/\s+/g, " ")));
      put(count, r.fresh ? String(r.fresh) : "");
      attr(button, "aria-current", on ? "true" : undefined);
      attr(button, "aria-label", [t("msg.with", { name: who }), r.fresh ? t("msg.unread", { n: r.fresh }) : ""].filter(Boolean).join(", "));
    },
  };
}

function bubble() {
  const who = h("strong", {}), when = h("time", { className: "time" }), urgent = h("span", { className: "msg-urgent" }, t("msg.is.urgent")), text = h("p", { className: "msg-text" });
  const readers = h("p", {}), sum = h("summary", {}), some = h("details", { className: "msg-read", hidden: true }, sum, readers), one = h("span", { className: "msg-read", hidden: true });
  const root = h("li", {}, h("header", {}, who, when, urgent), text, some, one);
  return {
    root,
    /** @param {Message} m */
    show(m) {
      attr(root, "data-mine", m.mine ? "true" : undefined);
      attr(root, "data-urgent", m.urgent ? "true" : undefined);
      put(who, m.mine ? t("msg.you") : clean(m.name || m.from));
      put(when, clock(m.at));
      urgent.hidden = !m.urgent;
      put(text, plain(m.text));
      const many = (m.sent ?? 0) > 1 || !m.to;
      some.hidden = !m.mine || !many || !m.sent;
      one.hidden = !m.mine || many;
      put(one, m.seen ? t("msg.read.one") : t("msg.read.not"));
      put(sum, t("msg.read.some", { seen: m.seen ?? 0, sent: m.sent ?? 0 }));
      const known = (m.readers ?? []).map((r) => clean(r)), rest = (m.seen ?? 0) - known.length;
      put(readers, [known.join(", "), rest > 0 && known.length ? t("msg.read.more", { n: rest }) : ""].filter(Boolean).join(" "));
    },
  };
}

function dayMark() {
  const root = h("li", { className: "msg-day" });
  return {
    root,
    /** @param {{ day: string }} d */
    show: (d) => put(root, d.day),
  };
}

/** A heading before the first message of each day but today's. @param {Message[]} list @returns {(Message | { id: string, day: string })[]} */
function byDay(list) {
  let before = day(new Date().toISOString());
  return list.flatMap((m) => {
    const of = day(m.at), turned = of !== before;
    before = of;
    return turned ? [{ id: `day ${of}`, day: of }, m] : [m];
  });
}

/**
 * To whom one may begin to write: everybody and groups as the role allows, those one has written with, those on the seats.
 * @param {HTMLSelectElement} to
 * @param {Snapshot} snap
 * @param {import("../types").Floor | undefined} floor
 * @param {Peer[]} recent
 */
function recipients(to, snap, floor, recent) {
  const me = snap.me, own = floor?.seats?.find((s) => s.account === me?.account)?.groups;
  const may = (/** @type {import("../types").SeatState} */ s) => !!me?.all || !own || !s.groups || s.groups.some((g) => own.includes(g) || me?.leads?.includes(g));
  const groups = (floor?.groups ?? (me?.leads ?? []).map((id) => ({ id, name: id }))).filter((g) => me?.all || me?.leads?.includes(g.id));
  const people = [...(floor?.seats ?? [])].filter((s) => s.account && s.account !== me?.account && may(s)).sort((a, b) => at(b.hand) - at(a.hand) || clean(a.agent).localeCompare(clean(b.agent)));
  /** @type {[string, Peer[]][]} */
  const parts = [
    [t("msg.to.groups"), [...(me?.all ? [{ key: "all", name: t("msg.everybody") }] : []), ...groups.map((g) => ({ key: `g:${g.id}`, name: clean(g.name) || g.id }))]],
    [t("msg.to.recent"), recent.filter((r) => r.key.startsWith("u:"))],
    [t("msg.to.people"), people.map((s) => ({ key: `u:${s.account}`, name: clean(s.agent || s.account) }))],
  ];
  const said = JSON.stringify(parts);
  if (to.dataset.said === said) return;
  to.dataset.said = said;
  to.replaceChildren(h("option", { value: "" }, t("msg.to.choose")), ...parts.filter(([, list]) => list.length).map(([label, list]) => h("optgroup", { label }, ...list.map((p) => h("option", { value: p.key }, p.name)))));
}
