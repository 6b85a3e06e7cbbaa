// @ts-check
// The page as a whole: session, connection, sound, and the views around one snapshot.
import { attr, h, put } from "./dom.js";
import { icon } from "./icons.js";
import { connect, openSession, pageName, read, request } from "./link.js";
import { closeMenu, menuOpen, openMenu } from "./menu.js";
import { createRing } from "./ring.js";
import { createSound } from "./sound.js";
import { LANGUAGES, language, preferred, speak, t, word } from "./text.js";
import { askView } from "./view/ask.js";
import { callsView } from "./view/call.js";
import { peerOf } from "./view/card.js";
import { contactsView } from "./view/contacts.js";
import { dialView } from "./view/dial.js";
import { identityView, mailView, readyView } from "./view/head.js";
import { historyView } from "./view/history.js";
import { noticesView } from "./view/notices.js";
import { seatsView } from "./view/seats.js";
import { signInView } from "./view/signin.js";
import { defOf, statusItems, statusView } from "./view/status.js";
import { whyView } from "./view/why.js";

/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {import("./types").Floor} Floor */
/** @typedef {import("./types").View} View */
/** @typedef {"phone" | "calls" | "contacts" | "seats"} Tab */

/** @type {Snapshot | undefined} */
let snap;
/** @type {Floor | undefined} */
let floor;
const page = { owner: false, taken: false, linked: false, ringing: false };
/** @type {Tab} */
let tab = location.pathname === "/seats" ? "seats" : "phone";
/** What stands instead of the phone: no session, or the phone has ended. @type {"" | "closed" | "gone"} */
let instead = "";
let watching = false;
let heard = ""; // the call whose ring was reported

/** @type {ReturnType<typeof build>} */
let views;
/** @type {ReturnType<typeof connect> | undefined} */
let link;
/** @type {import("./types").Sound | undefined} */
let sound;

const ring = createRing(() => render());
/** @type {import("./types").Send} */
const send = (type, body) => link?.send(type, body);
const claim = () => sound?.claim();

async function start() {
  const session = openSession(); // first of all: the secret leaves the address
  await speak(preferred());
  views = build();
  listen();
  setInterval(tick, 1000);
  if (!(await session)) {
    instead = "closed";
    return render();
  }
  render();
  const name = await pageName();
  sound = createSound({ page: name, post: request, send });
  link = connect(name, {
    hear,
    linked(up) {
      page.linked = up;
      watching = false;
      render();
    },
    ended() {
      instead = snap?.phase === "gone" ? "gone" : "closed";
      render();
    },
  });
}

/** @param {{ type: string, body?: any }} e */
function hear(e) {
  switch (e.type) {
    case "snapshot":
      snap = /** @type {Snapshot} */ (e.body);
      if (snap.phase === "gone") instead = "gone";
      sound?.show(snap);
      return render();
    case "floor":
      floor = /** @type {Floor} */ (e.body);
      return views.seats.showFloor(floor);
    case "sound.order":
      page.owner = e.body.owner;
      page.taken = e.body.taken === true;
      sound?.order(e.body);
      return render();
  }
}

/** Brings everything to what is known now. */
function render() {
  if (!views) return;
  const phase = instead || snap?.phase || "wait";
  const inside = ["in", "leaving"].includes(phase);
  page.ringing = ring.able();
  views.tabs.contacts.hidden = !snap?.local && !snap?.contacts?.length;
  views.tabs.seats.hidden = !!snap?.local;
  const shown = views.tabs[tab].hidden ? "phone" : tab;
  attr(views.root, "data-phase", phase);
  attr(views.root, "data-tab", shown);
  views.lost.hidden = page.linked || phase === "closed" || phase === "gone" || phase === "wait";
  views.phone.hidden = views.nav.hidden = !inside;
  views.message.hidden = !["closed", "gone", "wait"].includes(phase);
  put(views.message, { closed: t("page.closed"), gone: t("page.gone"), wait: t("page.wait") }[phase] ?? "");
  views.signIn.root.hidden = inside || !views.message.hidden;
  views.more.hidden = !views.message.hidden;
  for (const [name, a] of Object.entries(views.tabs)) attr(a, "aria-current", name === shown ? "page" : undefined);
  put(views.leaving, phase === "leaving" ? t("page.leaving") : "");
  if (snap) for (const v of views.all) v.show(snap, page);
  ringFor();
  title();
  watch();
}

/** Rings in the one page that has the sound, and says so only when it is heard (PRODUCT G3). */
function ringFor() {
  const calls = (!instead && snap?.calls) || [];
  const offered = calls.find((c) => c.phase === "offered");
  const busy = calls.some((c) => c.phase === "talking" || c.phase === "joining");
  ring.play(offered && page.owner ? (busy ? "waiting" : offered.outside ? "outside" : "inside") : undefined);
  if (offered && page.owner && page.linked && heard !== offered.id && ring.able()) {
    heard = offered.id;
    send("ring.heard", { call: offered.id });
  }
}

/** The title says what a glance at the tab should tell; it blinks while it rings. */
function title() {
  const call = !instead && snap?.calls?.find((c) => c.phase === "offered");
  const status = snap?.phase === "in" && !instead ? `${word(defOf(snap.statuses, snap.status.shown || snap.status.now).name)} · ` : "";
  const bright = Math.floor(Date.now() / 1000) % 2 === 0;
  document.title = call && bright ? t("title.ringing", { name: peerOf(call) }) : status + t("app.name");
}

/** Asks for the seat view while it is looked at. */
function watch() {
  const on = page.linked && tab === "seats" && snap?.phase === "in" && !document.hidden;
  if (on === watching || !page.linked) return;
  watching = on;
  send("floor.watch", { on });
}

function tick() {
  const now = Date.now();
  for (const v of views.all) v.tick?.(now);
  title();
}

/** @param {Tab} to */
function go(to) {
  tab = to;
  history.replaceState(null, "", (to === "seats" ? "/seats" : "/") + location.search);
  render();
}

/** The menu of PRODUCT C2: statuses, sign-out, and last of all Exit. @param {{ x: number, y: number } | Element} where */
function menu(where) {
  const inside = snap?.phase === "in" && !instead;
  /** @type {import("./menu.js").Item[]} */
  const items = inside && snap ? [...statusItems(snap, send), "line", { label: t("menu.signout"), act: () => send("signout") }] : [];
  openMenu(t("menu.title"), [...items, { label: t("menu.exit"), act: () => send("exit") }], where);
}

function listen() {
  addEventListener("contextmenu", (e) => {
    const field = e.target instanceof Element && e.target.closest("input, textarea, select, dialog");
    if (field || !views.message.hidden) return; // a field keeps the browser's menu: paste lives there
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
  document.addEventListener("visibilitychange", render);
  addEventListener("pagehide", (e) => {
    if (!e.persisted) link?.close(), sound?.close(), ring.close();
  });
  addEventListener("pageshow", (e) => e.persisted && location.reload());
}

/** Everything on the page, in the language spoken now. */
function build() {
  const signIn = signInView(send), identity = identityView(), mail = mailView(send), status = statusView(send), ready = readyView(claim);
  const why = whyView(read), calls = callsView(send, claim, why.open), past = historyView(send, why.open);
  const dial = dialView(send, (key) => ring.beep(key)), contacts = contactsView(send);
  const seats = seatsView(send), notices = noticesView(send), ask = askView(send);
  const link = (/** @type {Tab} */ to, /** @type {string} */ name, /** @type {string} */ href) =>
    h("a", { href, className: `tab tab-${to}`, onclick: (/** @type {MouseEvent} */ e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      go(to);
    } }, name);
  const tabs = { phone: link("phone", t("tab.phone"), "/"), calls: link("calls", t("tab.calls"), "/"), contacts: link("contacts", t("tab.contacts"), "/"), seats: link("seats", t("tab.seats"), "/seats") };
  const nav = h("nav", { "aria-label": t("tab.title"), hidden: true }, ...Object.values(tabs));
  const lost = h("p", { className: "lost", role: "status", hidden: true }, t("page.lost"));
  const leaving = h("p", { className: "lost", role: "status" });
  const more = h("button", { type: "button", className: "round more", "aria-label": t("menu.open"), title: t("menu.open"), "aria-haspopup": "menu",
    "aria-expanded": "false", onclick: () => menu(more) }, icon("more"));
  const head = h("header", { className: "top" }, h("img", { src: "/icons/zaseki.svg", alt: "" }), h("span", { className: "brand" }, t("app.name")), nav, lost, leaving, mail.root, more);
  const message = h("main", { className: "message", role: "status" });
  const phone = h("main", { className: "phone", hidden: true },
    h("div", { className: "column" }, identity.root, status.root, h("div", { className: "stage" }, calls.root, ready.root), dial.root),
    h("div", { className: "side" }, past.root, contacts.root, seats.root));
  const foot = h("footer", { className: "foot" }, ...LANGUAGES.map(languageButton));
  const root = h("div", { className: "app" }, head, message, signIn.root, phone, foot, notices.root, why.root, ask.root);
  document.body.prepend(root);
  /** @type {View[]} */
  const all = [signIn, identity, mail, status, ready, calls, dial, past, contacts, seats, notices, ask];
  return { root, all, signIn, seats, nav, tabs, lost, leaving, more, message, phone };
}

/** @param {string} l */
function languageButton(l) {
  return h("button", { type: "button", lang: l, "aria-pressed": String(l === language()), onclick: () => change(l) }, { en: "English", ja: "日本語" }[l] ?? l);
}

/** Speaks another language: the page is built anew, what was typed is carried over, the sound goes on. @param {string} l */
async function change(l) {
  localStorage.setItem("zaseki.lang", l);
  const address = new URL(location.href);
  if (address.searchParams.has("lang")) {
    address.searchParams.set("lang", l);
    history.replaceState(null, "", address);
  }
  await speak(l);
  closeMenu();
  const fields = () => /** @type {NodeListOf<HTMLInputElement>} */ (views.root.querySelectorAll("input, select"));
  const kept = new Map([...fields()].map((f) => [f.name, f])), way = views.signIn.way;
  views.root.remove();
  views = build();
  views.signIn.way = way;
  render();
  for (const f of fields()) {
    const was = kept.get(f.name);
    f.value = was?.value ?? "";
    f.checked = was?.checked ?? false;
  }
  if (floor) views.seats.showFloor(floor);
  /** @type {HTMLElement | null} */ (views.root.querySelector(`.foot [lang="${l}"]`))?.focus();
}

void start();
