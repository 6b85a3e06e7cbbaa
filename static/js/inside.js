// @ts-check
// What the page is for who has signed in: sound and ring, and the views of the phone. It comes behind the first picture; for who is signed
// in already, with it.
import { createBook } from "./book.js";
import { createCrm } from "./crm.js";
import { createDevices } from "./devices.js";
import { attr, h } from "./dom.js";
import { headsets } from "./headsets.js";
import { icon } from "./icons.js";
import { ask, read, request } from "./link.js";
import { askedCall, isTab, keepAddress } from "./place.js";
import { createRing, loudnessOf, ringOf } from "./ring.js";
import { chordOf } from "./settings.js";
import { createSound } from "./sound.js";
import { t } from "./text.js";
import { attendedView } from "./view/attended.js";
import { callsView } from "./view/call.js";
import { contactsView } from "./view/contacts.js";
import { dialView } from "./view/dial.js";
import { gapView } from "./view/gap.js";
import { identityView, mailView, readyView } from "./view/head.js";
import { historyView } from "./view/history.js";
import { inboxView } from "./view/inbox.js";
import { lowerView } from "./view/lower.js";
import { mailboxView } from "./view/mailbox.js";
import { laterSeats } from "./view/seats.js";
import { laterSettings } from "./view/settings.js";
import { statusView } from "./view/status.js";
import { tabsView } from "./view/tabs.js";
import { hasTools } from "./view/tools.js";
import { laterWhy } from "./view/why.js";

/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {import("./types").Page} Page */
/** @typedef {import("./types").View} View */
/** @typedef {import("./place.js").Place} Place */
/**
 * What the page does for its inside. Name is what this tab is called, place where one is now.
 * @typedef {{ name: string, send: import("./types").Send, render(): void, place(): Place, go(to: Place, chapter?: string): void, leave(): void }} Io
 */

/** @param {Io} io */
export function createInside(io) {
  const { send, render, go, leave } = io;
  const sound = createSound({ page: io.name, post: request, send }), devices = createDevices(), headset = headsets(send), crm = createCrm(send), book = createBook(read, render);
  const ring = createRing(render, (call) => send("ring.heard", { call })); // heard, not only asked for (PRODUCT G3)
  const settingsView = laterSettings();
  const claim = () => sound.claim();

  /** The views in the language spoken now. @param {HTMLElement} notices which lie over the page's lower edge */
  function build(notices) {
    const why = laterWhy(read, (call) => keepAddress(io.place(), call)), identity = identityView(), status = statusView(send), ready = readyView(claim), attended = attendedView(send);
    const calls = callsView(send, claim, why.open, () => go("settings", "devices"), book), past = historyView(send, why.open, undefined, read);
    const lower = lowerView(dialView(send, (key) => ring.beep(key)), send), contacts = contactsView(send, book);
    const settings = settingsView(send, devices, leave, { read, ask }, headset), seats = laterSeats(send, { write: (to) => write(to) });
    const seen = new Set(), mailbox = mailboxView(send, { close: leave, people: render, seen, notices }), inbox = inboxView(send, write, seen);
    const gap = gapView(), mail = mailView(send), { nav, tabs, badge } = tabsView(go);
    const gear = h("button", { type: "button", className: "round gear", "aria-label": t("settings.title"), title: t("settings.title"), "aria-expanded": "false",
      onclick: () => (io.place() === "settings" ? leave() : go("settings")) }, icon("gear"));
    const stage = h("div", { className: "stage" }, attended.root, calls.root, ready.root);
    const aside = h("div", { className: "side" }, past.root, contacts.root, seats.root, settings.root, mailbox.root);
    const phone = h("main", { className: "phone", hidden: true }, h("div", { className: "column" }, identity.root, status.root, stage, lower.root), aside);
    /** @type {View[]} */
    const all = [identity, gap, mail, status, ready, calls, lower, past, contacts, seats, settings, why, inbox, mailbox, attended];

    /** The mailbox, or out of it again; with somebody, where one writes to them. @param {{ account: string, name: string }} [to] */
    function write(to) {
      if (!to && io.place() === "messages") return leave();
      go("messages");
      mailbox.write(to);
    }
    return {
      all, why, mailbox, lower, past, seats, settings, phone, aside, gear, inbox: inbox.root,
      /** In the line on top, from left to right: at its beginning, before the news of the program, and behind. */
      top: { first: nav, middle: [gap.root, mail.root], last: [inbox.root, gear] },
      over: [inbox.urgent, why.root],
      /** A place that a policy keeps from agents is none (PRODUCT E4). @param {Place} place @param {Snapshot | undefined} snap @returns {Place} */
      shown(place, snap) {
        tabs.seats.hidden = !!snap?.local || snap?.desk?.view === false;
        return isTab(place) && tabs[place].hidden ? "phone" : place;
      },
      /** What stands around the views. @param {Snapshot | undefined} snap @param {boolean} inside @param {Place} shown @param {boolean} there somebody looks */
      frame(snap, inside, shown, there) {
        phone.hidden = nav.hidden = gear.hidden = !inside;
        attr(gear, "aria-expanded", String(shown === "settings"));
        attr(inbox.root, "aria-expanded", String(shown === "messages"));
        settings.open(inside && shown === "settings");
        for (const [name, a] of Object.entries(tabs)) attr(a, "aria-current", name === shown ? "page" : undefined);
        attr(stage, "data-tools", hasTools(snap?.policy) ? "true" : undefined);
        attr(stage, "data-keys", ["answer", "hangup", "mute", "hold"].some((what) => chordOf(snap, what)) ? "true" : undefined);
        mailbox.look(inside && shown === "messages");
        past.look(there && (shown === "calls" || (shown === "phone" && !/narrow/.test(document.documentElement.dataset.width ?? ""))));
        contacts.look(inside && shown === "contacts");
        badge(inside ? (snap?.missed ?? 0) : 0);
      },
      /** Brings the keyboard where the address wanted it. @param {string} to */
      arrive(to) {
        if (askedCall()) why.open({ id: askedCall(), number: "" });
        if (to === "dial" || to === "notes") lower.turn(to === "dial" ? "dial" : "memo");
        if (to === "dial") /** @type {HTMLElement | null} */ (phone.querySelector("#number"))?.focus();
      },
      /** What is being written is kept before the page goes. */
      keep() {
        lower.flush();
        past.flush();
      },
    };
  }

  return {
    build,
    /** Whether a ring can be heard. */
    able: () => ring.able(),
    /** @param {Snapshot} snap @param {Page} page */
    show(snap, page) {
      sound.show(snap);
      crm.show(snap, page.owner);
      void headset.show(snap, page.owner);
    },
    /** @param {import("./types").SoundOrder} o @param {Snapshot} [snap] */
    order(o, snap) {
      sound.order(o);
      if (snap) void headset.show(snap, o.owner);
    },
    /** Somebody has touched the page: only from then on browsers let it sound. */
    touched() {
      if (ring.able()) return;
      ring.unlock();
      sound.unlock();
    },
    /** What rings now. @param {Snapshot | undefined} snap undefined: nothing may @param {Page} page */
    rings(snap, page) {
      ring.use(snap?.devices);
      const rings = ringOf(snap, page);
      ring.play(rings, loudnessOf(snap, rings));
    },
    close() {
      sound.close();
      ring.close();
      devices.close();
    },
  };
}
