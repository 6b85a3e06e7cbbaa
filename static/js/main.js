// @ts-check
// The page as a whole: session, connection, sound, and the views around one snapshot.
import { createBook } from "./book.js";
import { createCrm } from "./crm.js";
import { createDevices } from "./devices.js";
import { attr, h, put } from "./dom.js";
import { linked, words } from "./first.js";
import { headsets } from "./headsets.js";
import { icon } from "./icons.js";
import { ask, read, request } from "./link.js";
import { closeMenu, menuOpen } from "./menu.js";
import { askedCall, granted, keepAddress, named, wish } from "./place.js";
import { longPress } from "./press.js";
import { createRing, loudnessOf, ringOf } from "./ring.js";
import { applyLook, chordOf, valueOf, watchWidth } from "./settings.js";
import { createSound } from "./sound.js";
import { LANGUAGES, language, preferred, speak, t } from "./text.js";
import { askView } from "./view/ask.js";
import { attendedView } from "./view/attended.js";
import { callsView } from "./view/call.js";
import { contactsView } from "./view/contacts.js";
import { dialView } from "./view/dial.js";
import { gapView } from "./view/gap.js";
import { handbookView } from "./view/handbook.js";
import { identityView, mailView, readyView } from "./view/head.js";
import { historyView } from "./view/history.js";
import { inboxView } from "./view/inbox.js";
import { lowerView } from "./view/lower.js";
import { mailboxView } from "./view/mailbox.js";
import { noticesView } from "./view/notices.js";
import { phoneMenu } from "./view/phonemenu.js";
import { laterSeats } from "./view/seats.js";
import { laterSettings } from "./view/settings.js";
import { signInView } from "./view/signin.js";
import { statusView } from "./view/status.js";
import { tabsView } from "./view/tabs.js";
import { titleOf } from "./view/title.js";
import { hasTools } from "./view/tools.js";
import { updateView } from "./view/update.js";
import { laterWhy } from "./view/why.js";

/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {import("./types").Floor} Floor */
/** @typedef {import("./types").View} View */
/** @typedef {import("./place.js").Tab} Tab */
/** @typedef {import("./place.js").Place} Place */

/** @type {Snapshot | undefined} */
let snap;
/** @type {Floor | undefined} */
let floor;
const page = { owner: false, taken: false, linked: false, ringing: false };
/** Where the address wants the keyboard, until it is there. */
let wanted = wish();
/** @type {Place} */
let place = named();
/** When somebody last did something on this page, and for how long that says that they look at it, in milliseconds. */
const LOOKING = 3000, looking = { since: 0 };
/** Where the settings were opened from. @type {Tab} */
let before = "phone";
/** What stands instead of the phone: no session, or the phone has ended. @type {"" | "closed" | "gone"} */
let instead = "";
/** For what the seat view is asked of the phone. @type {"" | "seats" | "people"} */
let watching = "";
/** Whether somebody was signed in while the page was open: until then only what stands outside is shown. */
let entered = false;
/** The language that the settings named last; "" before they are known. */
let chosen = "";

/** @type {ReturnType<typeof build>} */
let views;
/** @typedef {ReturnType<typeof import("./link.js").connect>} Link */
/** @type {Link | undefined} */
let link;
/** @type {import("./types").Sound | undefined} */
let sound;

const devices = createDevices();
const headset = headsets((type, body) => send(type, body));
const book = createBook(read, () => render());
const settingsView = laterSettings();
const crm = createCrm((type, body) => send(type, body));
const ring = createRing(() => render(), (call) => send("ring.heard", { call })); // heard, not only asked for (PRODUCT G3)
/** @type {import("./types").Send} */
const send = (type, body) => link?.send(type, body);
const claim = () => sound?.claim();

/** How long the page waits for the phone's first word before it shows that it waits, in milliseconds. */
const PATIENCE = 250;
/** Ends that wait. */
let answered = () => {};
const answer = new Promise((done) => setTimeout((answered = () => done(undefined)), PATIENCE));

/** The sound comes before the picture: after a reload somebody may be waiting on the line. The picture is drawn once, with all that it shows. */
async function start() {
  watchWidth();
  const come = await linked;
  if (come) join(come.name, come.link, come.word);
  else instead = "closed";
  await words;
  let made = build();
  if (come) await answer;
  if (language() !== preferred()) { // the phone's settings name another one
    await speak(preferred());
    made = build();
  }
  raise(made);
  listen();
  setInterval(tick, 1000);
  render();
  if (floor) views.seats.showFloor(floor);
}

/** Puts up what was built. @param {ReturnType<typeof build>} made */
function raise(made) {
  views = made;
  document.body.prepend(views.root);
}

/** @param {string} name of this tab @param {Link} to @param {Promise<import("./link.js").Envelope | undefined>} [word] the phone's first */
function join(name, to, word) {
  link = to;
  page.linked = true; // until it says otherwise
  sound = createSound({ page: name, post: request, send });
  to.listen({
    hear,
    linked(up) {
      page.linked = up;
      watching = "";
      render();
    },
    ended() {
      instead = snap?.phase === "gone" ? "gone" : "closed";
      answered();
      render();
    },
  });
  void word?.then((e) => e && !snap && hear(e));
}

/** @param {{ type: string, body?: any }} e */
function hear(e) {
  switch (e.type) {
    case "snapshot":
      snap = /** @type {Snapshot} */ (e.body);
      if (snap.phase === "gone") instead = "gone";
      sound?.show(snap);
      crm.show(snap, page.owner);
      void headset.show(snap, page.owner);
      applyLook(snap);
      followLanguage();
      answered();
      return render();
    case "floor":
      floor = /** @type {Floor} */ (e.body);
      views?.mailbox.showFloor(floor);
      return views?.seats.showFloor(floor);
    case "sound.order":
      page.owner = e.body.owner;
      page.taken = e.body.taken === true;
      sound?.order(e.body);
      if (snap) void headset.show(snap, page.owner);
      return render();
  }
}

/** Brings everything to what is known now. */
function render() {
  if (!views) return;
  const phase = instead || snap?.phase || "wait";
  const inside = ["in", "leaving"].includes(phase);
  entered ||= inside;
  page.ringing = entered && ring.able();
  views.tabs.seats.hidden = !!snap?.local || snap?.desk?.view === false; // a policy may keep it from agents (PRODUCT E4)
  const shown = isTab(place) && views.tabs[place].hidden ? "phone" : place;
  attr(views.root, "data-phase", phase);
  attr(views.root, "data-tab", shown);
  views.lost.hidden = page.linked || phase === "closed" || phase === "gone" || phase === "wait";
  views.phone.hidden = views.nav.hidden = !inside;
  views.message.hidden = !["closed", "gone", "wait"].includes(phase);
  put(views.message, { closed: t("page.closed"), gone: t("page.gone"), wait: t("page.wait") }[phase] ?? "");
  views.handbook.show(inside, place === "help" && views.message.hidden);
  views.signIn.root.hidden = inside || !views.message.hidden || !views.outer.hidden;
  views.more.hidden = !views.message.hidden;
  views.gear.hidden = !inside;
  attr(views.gear, "aria-expanded", String(shown === "settings"));
  views.settings.open(inside && shown === "settings");
  for (const [name, a] of Object.entries(views.tabs)) attr(a, "aria-current", name === shown ? "page" : undefined);
  attr(views.stage, "data-tools", hasTools(snap?.policy) ? "true" : undefined);
  attr(views.stage, "data-keys", ["answer", "hangup", "mute", "hold"].some((what) => chordOf(snap, what)) ? "true" : undefined);
  views.update.show(snap ?? /** @type {any} */ ({}));
  put(views.leaving, phase === "leaving" ? t("page.leaving") : "");
  attr(views.inbox, "aria-expanded", String(shown === "messages"));
  const calls = snap?.supervised ? snap.calls?.filter((c) => c.id !== snap?.supervised?.call) : snap?.calls; // that one has a card of its own
  const seen = snap && { ...snap, calls };
  if (seen) for (const v of entered ? views.all : views.outside) v.show(seen, page);
  views.mailbox.look(inside && shown === "messages");
  const there = inside && !document.hidden && Date.now() - looking.since < LOOKING;
  views.past.look(there && (shown === "calls" || (shown === "phone" && !/narrow/.test(document.documentElement.dataset.width ?? ""))));
  views.contacts.look(inside && shown === "contacts");
  views.badge(inside ? (snap?.missed ?? 0) : 0);
  if (wanted && inside) arrive();
  ring.use(snap?.devices);
  const rings = instead ? undefined : ringOf(snap, page);
  ring.play(rings, loudnessOf(snap, rings));
  title();
  watch();
}

const title = () => void (document.title = titleOf(instead ? undefined : snap, Date.now()));

/** Brings the keyboard where the address wanted it, once, and takes the wish out of the address. */
function arrive() {
  const to = wanted;
  wanted = "";
  granted();
  if (askedCall()) views.why.open({ id: askedCall(), number: "" });
  if (to === "dial" || to === "notes") views.lower.turn(to === "dial" ? "dial" : "memo");
  if (to === "dial") /** @type {HTMLElement | null} */ (views.root.querySelector("#number"))?.focus();
}

/** Asks for the seat view while it is looked at, and for all of it while somebody chooses to whom to write. */
function watch() {
  const there = page.linked && snap?.phase === "in" && !document.hidden;
  const on = there && place === "seats" ? "seats" : there && place === "messages" && views.mailbox.choosing() ? "people" : "";
  if (on === watching || !page.linked) return;
  watching = on;
  send("floor.watch", { on: on !== "", ...(on === "seats" ? views.seats.wants() : {}) });
}

/** @param {Place} to @returns {to is Tab} */
const isTab = (to) => to in views.tabs;

function tick() {
  const now = Date.now();
  for (const v of views.all) v.tick?.(now);
  title();
}

/** @param {Place} to @param {string} [chapter] of the settings */
function go(to, chapter) {
  if (!isTab(to) && isTab(place)) before = place;
  place = to;
  keepAddress(to);
  render();
  if (chapter) views.settings.open(true, chapter);
}

/** Out of the settings again, with the keyboard where it was. */
function leave() {
  const from = place;
  go(before);
  ({ help: views.more, messages: views.inbox }[/** @type {string} */ (from)] ?? views.gear).focus();
}

/** @param {{ x: number, y: number } | Element} where */
const menu = (where) => phoneMenu(snap?.phase === "in" && !instead ? snap : undefined, send, go, where);

/** Whether a place opens our own menu: a field keeps the browser's, paste lives there. @param {EventTarget | null} on */
const opens = (on) => views.message.hidden && !(on instanceof Element && on.closest("input, textarea, select, dialog"));

function listen() {
  longPress((at, on) => {
    if (opens(on) && !menuOpen()) menu(at);
  });
  addEventListener("contextmenu", (e) => {
    if (!opens(e.target)) return;
    e.preventDefault();
    if (menuOpen() && e.button !== 2) return; // the key's own event follows its keydown
    menu({ x: e.clientX, y: e.clientY });
  });
  addEventListener("keydown", (e) => {
    if (e.key !== "ContextMenu" && !(e.key === "F10" && e.shiftKey)) return;
    if (!views.message.hidden || document.querySelector("dialog[open]")) return;
    e.preventDefault();
    const box = (document.activeElement ?? document.body).getBoundingClientRect();
    const inBody = document.activeElement === document.body;
    menu(inBody ? views.more : { x: box.left + 8, y: Math.min(box.bottom, innerHeight - 40) });
  });
  for (const touch of ["pointerdown", "keydown"]) {
    addEventListener(touch, () => {
      if (ring.able()) return;
      ring.unlock();
      sound?.unlock();
    }, { capture: true });
  }
  for (const sign of ["pointerdown", "pointermove", "keydown", "wheel"]) addEventListener(sign, looks, { capture: true, passive: true });
  for (const then of [keepNotes, render]) document.addEventListener("visibilitychange", then);
  addEventListener("pagehide", (e) => {
    keepNotes();
    if (!e.persisted) link?.close(), sound?.close(), ring.close(), devices.close();
  });
  addEventListener("pageshow", (e) => e.persisted && location.reload());
}

/** Somebody is here: what they see counts as seen. */
function looks() {
  if (Date.now() - looking.since < LOOKING / 3) return; // a pointer moves often
  looking.since = Date.now();
  if (snap?.missed) render();
}

/** What is being written is kept before the page goes. */
function keepNotes() {
  views.lower.flush();
  views.past.flush();
}

/** Everything on the page, in the language spoken now. */
function build() {
  const signIn = signInView(send, ask), identity = identityView(), gap = gapView(), mail = mailView(send), status = statusView(send), ready = readyView(claim);
  const why = laterWhy(read, (call) => keepAddress(place, call)), calls = callsView(send, claim, why.open, () => go("settings", "devices"), book), past = historyView(send, why.open, undefined, read);
  const lower = lowerView(dialView(send, (key) => ring.beep(key)), send), contacts = contactsView(send, book);
  const settings = settingsView(send, devices, leave, { read, ask }, headset), seats = laterSeats(send, { write: (to) => toMailbox(to) }), notices = noticesView(send), question = askView(send), update = updateView(send), attended = attendedView(send);
  const seen = new Set(), mailbox = mailboxView(send, { close: leave, people: render, seen, notices: notices.root }), inbox = inboxView(send, toMailbox, seen);
  const { nav, tabs, badge } = tabsView(go);
  const lost = h("p", { className: "lost", role: "status", hidden: true }, t("page.lost"));
  const leaving = h("p", { className: "lost", role: "status" });
  const more = h("button", { type: "button", className: "round more", "aria-label": t("menu.open"), title: t("menu.open"), "aria-haspopup": "menu",
    "aria-expanded": "false", onclick: () => menu(more) }, icon("more"));
  const gear = h("button", { type: "button", className: "round gear", "aria-label": t("settings.title"), title: t("settings.title"), "aria-expanded": "false",
    onclick: () => (place === "settings" ? leave() : go("settings")) }, icon("gear"));
  const head = h("header", { className: "top" }, h("img", { src: "/icons/zaseki.svg", alt: "" }), h("span", { className: "brand" }, t("app.name")), nav, lost, leaving, gap.root, mail.root, update.root, inbox.root, gear, more);
  const message = h("main", { className: "message", role: "status" });
  const stage = h("div", { className: "stage" }, attended.root, calls.root, ready.root);
  const phone = h("main", { className: "phone", hidden: true },
    h("div", { className: "column" }, identity.root, status.root, stage, lower.root),
    h("div", { className: "side" }, past.root, contacts.root, seats.root, settings.root, mailbox.root));
  const aside = /** @type {HTMLElement} */ (phone.lastElementChild), outer = h("main", { className: "outer", hidden: true }), handbook = handbookView(aside, outer, leave);
  const foot = h("footer", { className: "foot" }, ...LANGUAGES.map(languageButton));
  const root = h("div", { className: "app" }, head, message, signIn.root, outer, phone, foot, notices.root, inbox.urgent, why.root, update.dialog, question.root);
  /** @type {View[]} */
  const outside = [signIn, notices, question], all = [...outside, identity, gap, mail, status, ready, calls, lower, past, contacts, seats, settings, why, inbox, mailbox, attended];
  return { root, outside, all, badge, why, inbox: inbox.root, mailbox, lower, contacts, signIn, past, seats, settings, update, outer, handbook, nav, tabs, lost, leaving, gear, more, message, phone, stage };
}

/** The mailbox, or out of it again; with somebody, where one writes to them. @param {{ account: string, name: string }} [to] */
function toMailbox(to) {
  if (!to && place === "messages") return leave();
  go("messages");
  views.mailbox.write(to);
}

/** @param {string} l */
function languageButton(l) {
  return h("button", { type: "button", lang: l, "aria-pressed": String(l === language()), onclick: () => {
    localStorage.setItem("zaseki.lang", l);
    if (valueOf(snap, "page.lang") !== l) send("setting.change", { name: "page.lang", value: l });
    void change(l);
  } }, { en: "English", ja: "日本語" }[l] ?? l);
}

/** Speaks what the settings name, when they name something new; an address that names a language has the last word. */
function followLanguage() {
  const named = String(valueOf(snap, "page.lang"));
  if (named === chosen) return;
  const first = chosen === "";
  chosen = named;
  if (first && named === "system") return;
  if (named === "system") localStorage.removeItem("zaseki.lang");
  else localStorage.setItem("zaseki.lang", named);
  const l = first || named === "system" ? preferred() : named;
  if (views && l !== language()) void change(l);
}

/** Speaks another language: the page is built anew, what was typed is carried over, the sound goes on. @param {string} l */
async function change(l) {
  const address = new URL(location.href);
  if (address.searchParams.has("lang")) {
    address.searchParams.set("lang", l);
    history.replaceState(null, "", address);
  }
  await speak(l);
  closeMenu();
  const fields = () => /** @type {NodeListOf<HTMLInputElement>} */ (views.root.querySelectorAll("[id]:is(input, select):not(.settings-pane *, [type=file])"));
  const kept = new Map([...fields()].map((f) => [f.id, f])), way = views.signIn.way, chapter = views.settings.chapter();
  const held = document.activeElement, at = scrollY;
  views.settings.open(false);
  keepNotes();
  views.past.end();
  views.root.remove();
  raise(build());
  views.signIn.way = way;
  render();
  for (const f of fields()) {
    const was = kept.get(f.id);
    f.value = was?.value ?? "";
    f.checked = was?.checked ?? false;
  }
  if (place === "settings") views.settings.open(true, chapter);
  if (floor) views.seats.showFloor(floor);
  const again = held?.id ? document.getElementById(held.id) : views.root.querySelector(`.foot [lang="${l}"]`);
  if (again instanceof HTMLElement) again.focus();
  scrollTo(0, at);
}

void start();
