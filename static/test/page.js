// A page without a browser: jsdom's window under the names the views use, and both languages as they are.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html><body></body>", { url: "http://127.0.0.1:47355/", pretendToBeVisual: true });
for (const name of ["window", "document", "Node", "Element", "HTMLElement", "Event", "KeyboardEvent", "MouseEvent", "Audio", "innerWidth", "innerHeight", "location", "localStorage", "history", "getComputedStyle"]) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
globalThis.addEventListener = window.addEventListener.bind(window);
globalThis.removeEventListener = window.removeEventListener.bind(window);
window.HTMLDialogElement.prototype.showModal ??= function () { this.open = true; };
window.HTMLDialogElement.prototype.close ??= function () { this.open = false; };

/** A player whose clock is what it was set to: jsdom plays nothing. */
Object.defineProperties(window.HTMLMediaElement.prototype, {
  currentTime: { get() { return this.at ?? 0; }, set(s) { this.at = s; } },
  paused: { get() { return !this.going; } },
  play: { value() { this.going = true; this.dispatchEvent(new window.Event("play")); return Promise.resolve(); } },
  pause: { value() { this.going = false; this.dispatchEvent(new window.Event("pause")); } },
});

export const texts = (lang) => JSON.parse(readFileSync(new URL(`../i18n/${lang}.json`, import.meta.url), "utf8"));

const { setWords } = await import("../js/text.js");
export const speak = (lang) => setWords(lang, texts(lang));
speak("en");

/** What was said, and the function that says it. */
export function ear() {
  const said = [];
  return { said, send: (type, body = {}) => said.push([type, body]) };
}

/** The name a screen reader says, as far as these pages use names. */
export const nameOf = (el) => el.getAttribute("aria-label") || (el.id && document.querySelector(`label[for="${el.id}"]`)?.textContent) || el.textContent.trim();

/** The visible buttons, menu entries or tabs below root with that name. */
export function find(root, name) {
  const hits = [...root.querySelectorAll("button, a, input, select, [role]")].filter((e) => nameOf(e) === name && !e.closest("[hidden]"));
  if (hits.length !== 1) throw new Error(`${hits.length} controls named ${JSON.stringify(name)} in ${root.textContent}`);
  return hits[0];
}

export const key = (el, k, more = {}) => el.dispatchEvent(new window.KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true, ...more }));

const STATUSES = [
  ["available", "Available", "受付可", "available", "green", "●", true], ["acw", "After-call work", "後作業", "work", "blue", "✎", true],
  ["break", "On break", "休憩中", "pause", "amber", "☕", true], ["off", "Logged off", "ログオフ", "off", "grey", "○", false],
  ["ringing", "Ringing", "着信中", "system", "red", "♪", false], ["talking", "On a call", "通話中", "system", "red", "☎", false],
].map(([id, en, ja, cls, colour, sign, pickable]) => ({ id, name: { en, ja }, class: cls, colour, sign, pickable }));

/** A signed-in phone at rest, with changes. */
export const snapshot = (more = {}) => ({
  rev: 1, phase: "in", account: "sato", muted: false, mic: "open", sound: true,
  me: { account: "sato", name: "Sato Hanako", role: "agent", terminal: { id: "2001", extension: "2001", type: "softphone" }, encrypted: false },
  center: { name: "Tokyo", url: "http://center", online: true }, line: { state: "registered", proven: new Date(Date.now() - 42_000).toISOString() },
  status: { now: "available", shown: "available", since: new Date(Date.now() - 65_000).toISOString() }, statuses: STATUSES,
  seat: "s2", seatName: "A-2", profile: { name: "3.9", stripPasted: true, oneStep: false, seatAlways: false, leaveSeat: true, statusShown: true, refuseInCall: true },
  ...more,
});

export const call = (more = {}) => ({ id: "c1", phase: "talking", inbound: true, outside: true, number: "0312345678", began: new Date(Date.now() - 9000).toISOString(), secure: false, ...more });
export const page = (more = {}) => ({ owner: true, taken: false, linked: true, ringing: true, ...more });

/** Lets promises that are under way come to their end. */
export const settled = () => new Promise((done) => setTimeout(done, 5));
