// @ts-check
// The page as a whole: session, connection, what stands outside of sign-in, and the rest around one snapshot once it is there.
import { attr, h, put } from "./dom.js";
import { linked, session, words } from "./first.js";
import { icon } from "./icons.js";
import { ask } from "./link.js";
import { closeMenu, menuOpen } from "./menu.js";
import { granted, isTab, keepAddress, named, wish } from "./place.js";
import { longPress } from "./press.js";
import { applyLook, valueOf, watchWidth } from "./settings.js";
import { LANGUAGES, language, preferred, speak, t } from "./text.js";
import { askView } from "./view/ask.js";
import { handbookView } from "./view/handbook.js";
import { noticesView } from "./view/notices.js";
import { phoneMenu } from "./view/phonemenu.js";
import { signInView } from "./view/signin.js";
import { titleOf } from "./view/title.js";
import { updateView } from "./view/update.js";

/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {import("./types").Floor} Floor */
/** @typedef {import("./types").View} View */
/** @typedef {ReturnType<typeof import("./inside.js").createInside>} Inside */
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
/** What the sound of this page was told last. @type {import("./types").SoundOrder | undefined} */
let order;

/** @type {Inside | undefined} */
let inside;
/** Its views, once they are on the page. @type {ReturnType<Inside["build"]> | undefined} */
let rooms;
/** It is on its way. @type {Promise<void> | undefined} */
let coming;

/** @type {import("./types").Send} */
const send = (type, body) => (link ? link.send(type, body) : void linked.then((come) => come?.link.send(type, body)));

/** How long the page waits for the phone's first word before it shows that it waits, in milliseconds. */
const PATIENCE = 250;
/** Ends that wait. */
let answered = () => {};
const answer = new Promise((done) => setTimeout((answered = () => done(undefined)), PATIENCE));

/**
 * The picture is drawn once, with all that it shows. For who is signed in that is everything, and the sound comes before it: after a reload
 * somebody may be waiting on the line. Everybody else gets the form first.
 */
async function start() {
  watchWidth();
  await words;
  let made = build(); // while the phone answers
  const { open, word } = await session;
  if (open) join(word);
  else instead = "closed";
  if (open) await answer;
  if (language() !== preferred()) { // the phone's settings name another one
    await speak(preferred());
    made = build();
  }
  if (isInside()) await enter();
  raise(made);
  listen();
  setInterval(tick, 1000);
  render();
  if (open) requestAnimationFrame(() => setTimeout(enter)); // once this is seen, and before it is needed
}

/** Somebody is signed in, as far as this page may show it. */
const isInside = () => !instead && ["in", "leaving"].includes(snap?.phase ?? "");

/** Loads what stands inside; what fails is tried again with the next news. @returns {Promise<void>} */
const enter = () => (coming ??= (async () => {
  try {
    const [{ createInside }, come] = await Promise.all([import("./inside.js"), linked]);
    inside = createInside({ name: come?.name ?? "", send, render, place: () => place, go, leave });
    if (navigator.userActivation?.hasBeenActive) inside.touched();
    if (order) inside.order(order, snap);
    if (snap) inside.show(snap, page);
    if (!views) return;
    furnish();
    render();
  } catch (err) {
    console.warn("inside:", err);
    coming = undefined;
  }
})());

/** Puts up what was built. @param {ReturnType<typeof build>} made */
function raise(made) {
  views = made;
  furnish();
  document.body.prepend(views.root);
}

/** Puts the views of the inside to their places. */
function furnish() {
  if (!inside) return;
  rooms = inside.build(views.notices);
  views.brand.after(rooms.top.first);
  views.leaving.after(...rooms.top.middle);
  views.update.root.after(...rooms.top.last);
  views.outer.after(rooms.phone);
  views.notices.after(...rooms.over);
  if (floor) rooms.seats.showFloor(floor);
}

/** @param {Promise<import("./link.js").Envelope | undefined>} [word] the phone's first */
function join(word) {
  page.linked = true; // until it says otherwise
  void linked.then((come) => (link = come?.link)?.listen({
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
  }));
  void word?.then((e) => e && !snap && hear(e));
}

/** @param {{ type: string, body?: any }} e */
function hear(e) {
  switch (e.type) {
    case "snapshot":
      snap = /** @type {Snapshot} */ (e.body);
      if (snap.phase === "gone") instead = "gone";
      inside?.show(snap, page);
      applyLook(snap);
      followLanguage();
      answered();
      return render();
    case "floor":
      floor = /** @type {Floor} */ (e.body);
      rooms?.mailbox.showFloor(floor);
      return rooms?.seats.showFloor(floor);
    case "sound.order":
      order = e.body;
      page.owner = e.body.owner;
      page.taken = e.body.taken === true;
      inside?.order(e.body, snap);
      return render();
  }
}

/** Brings everything to what is known now. */
function render() {
  if (!views) return;
  const within = isInside() && !!rooms;
  if (isInside() && !rooms) {
    void enter();
    if (entered || views.root.dataset.phase) return; // the last picture stays until the next one is whole
  }
  const phase = instead || (isInside() && !within ? "" : snap?.phase) || "wait";
  entered ||= within;
  page.ringing = entered && !!inside?.able();
  const shown = rooms?.shown(place, snap) ?? place;
  attr(views.root, "data-phase", phase);
  attr(views.root, "data-tab", shown);
  views.lost.hidden = page.linked || phase === "closed" || phase === "gone" || phase === "wait";
  views.message.hidden = !["closed", "gone", "wait"].includes(phase);
  put(views.message, { closed: t("page.closed"), gone: t("page.gone"), wait: t("page.wait") }[phase] ?? "");
  views.handbook.show(within ? rooms?.aside : undefined, place === "help" && views.message.hidden);
  views.signIn.root.hidden = within || !views.message.hidden || !views.outer.hidden;
  views.more.hidden = !views.message.hidden;
  views.update.show(snap ?? /** @type {any} */ ({}));
  put(views.leaving, phase === "leaving" ? t("page.leaving") : "");
  const calls = snap?.supervised ? snap.calls?.filter((c) => c.id !== snap?.supervised?.call) : snap?.calls; // that one has a card of its own
  const seen = snap && { ...snap, calls };
  if (seen) for (const v of [...views.outside, ...(entered && rooms ? rooms.all : [])]) v.show(seen, page);
  rooms?.frame(snap, within, shown, within && !document.hidden && Date.now() - looking.since < LOOKING);
  if (wanted && within) arrive();
  inside?.rings(instead ? undefined : snap, page);
  title();
  watch();
}

const title = () => void (document.title = titleOf(instead ? undefined : snap, Date.now()));

/** Brings the keyboard where the address wanted it, once, and takes the wish out of the address. */
function arrive() {
  const to = wanted;
  wanted = "";
  granted();
  rooms?.arrive(to);
}

/** Asks for the seat view while it is looked at, and for all of it while somebody chooses to whom to write. */
function watch() {
  const there = page.linked && snap?.phase === "in" && !document.hidden;
  const on = there && place === "seats" ? "seats" : there && place === "messages" && rooms?.mailbox.choosing() ? "people" : "";
  if (on === watching || !page.linked) return;
  watching = on;
  send("floor.watch", { on: on !== "", ...(on === "seats" ? rooms?.seats.wants() : {}) });
}

function tick() {
  const now = Date.now();
  for (const v of [...views.outside, ...(rooms?.all ?? [])]) v.tick?.(now);
  title();
}

/** @param {Place} to @param {string} [chapter] of the settings */
function go(to, chapter) {
  if (!isTab(to) && isTab(place)) before = place;
  place = to;
  keepAddress(to);
  render();
  if (chapter) rooms?.settings.open(true, chapter);
}

/** Out of the settings again, with the keyboard where it was. */
function leave() {
  const from = place;
  go(before);
  ({ help: views.more, messages: rooms?.inbox }[/** @type {string} */ (from)] ?? rooms?.gear)?.focus();
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
  for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => inside?.touched(), { capture: true });
  for (const sign of ["pointerdown", "pointermove", "keydown", "wheel"]) addEventListener(sign, looks, { capture: true, passive: true });
  for (const then of [() => rooms?.keep(), render]) document.addEventListener("visibilitychange", then);
  addEventListener("pagehide", (e) => {
    rooms?.keep();
    if (!e.persisted) link?.close(), inside?.close();
  });
  addEventListener("pageshow", (e) => e.persisted && location.reload());
}

/** Somebody is here: what they see counts as seen. */
function looks() {
  if (Date.now() - looking.since < LOOKING / 3) return; // a pointer moves often
  looking.since = Date.now();
  if (snap?.missed) render();
}

/** What stands there whoever looks, in the language spoken now. */
function build() {
  const signIn = signInView(send, ask), notices = noticesView(send), question = askView(send), update = updateView(send);
  const lost = h("p", { className: "lost", role: "status", hidden: true }, t("page.lost"));
  const leaving = h("p", { className: "lost", role: "status" });
  const more = h("button", { type: "button", className: "round more", "aria-label": t("menu.open"), title: t("menu.open"), "aria-haspopup": "menu",
    "aria-expanded": "false", onclick: () => menu(more) }, icon("more"));
  const brand = h("span", { className: "brand" }, t("app.name"));
  const head = h("header", { className: "top" }, h("img", { src: "/icons/zaseki.svg", alt: "" }), brand, lost, leaving, update.root, more);
  const message = h("main", { className: "message", role: "status" }), outer = h("main", { className: "outer", hidden: true }), handbook = handbookView(outer, leave);
  const foot = h("footer", { className: "foot" }, ...LANGUAGES.map(languageButton));
  const root = h("div", { className: "app" }, head, message, signIn.root, outer, foot, notices.root, update.dialog, question.root);
  /** @type {View[]} */
  const outside = [signIn, notices, question];
  return { root, outside, signIn, update, outer, handbook, lost, leaving, more, brand, message, notices: notices.root };
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
  const kept = new Map([...fields()].map((f) => [f.id, f])), way = views.signIn.way, chapter = rooms?.settings.chapter();
  const held = document.activeElement, at = scrollY;
  rooms?.settings.open(false);
  rooms?.keep();
  rooms?.past.end();
  views.root.remove();
  raise(build());
  views.signIn.way = way;
  render();
  for (const f of fields()) {
    const was = kept.get(f.id);
    f.value = was?.value ?? "";
    f.checked = was?.checked ?? false;
  }
  if (place === "settings") rooms?.settings.open(true, chapter);
  const again = held?.id ? document.getElementById(held.id) : views.root.querySelector(`.foot [lang="${l}"]`);
  if (again instanceof HTMLElement) again.focus();
  scrollTo(0, at);
}

void start();
