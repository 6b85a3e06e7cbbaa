import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { call, ear, find, key, nameOf, page, settled, snapshot, speak } from "./page.js";
import { leads, seatItems } from "../js/later/acts.js";
import { supervisedView } from "../js/later/supervised.js";
import { closeMenu, openMenu } from "../js/menu.js";
import { callsView } from "../js/view/call.js";
import { noticesView } from "../js/view/notices.js";
import { part } from "../js/view/part.js";
import { handItems, statusView } from "../js/view/status.js";

globalThis.sessionStorage ??= window.sessionStorage;
afterEach(() => {
  closeMenu();
  document.body.replaceChildren();
  localStorage.clear();
  speak("en");
});

const chief = (more = {}) => snapshot({ me: { account: "suzuki", name: "Suzuki", role: "supervisor", leads: ["north"], terminal: { id: "2009", extension: "2009", type: "softphone" }, encrypted: false }, ...more });
const seat = (more = {}) => ({ id: "s2", name: "A-2", floor: "f", x: 1, y: 0, account: "sato", agent: "Sato Hanako", extension: "2001", status: "available", groups: ["north"], ...more });
const floor = { rev: 1, floors: [], seats: [seat(), seat({ id: "s3", account: "suzuki", groups: ["north"] })], statuses: snapshot().statuses, at: "" };
const names = (items) => items.map((i) => (i === "line" ? "-" : [i.label, i.note].filter(Boolean).join(" / ") + (i.disabled ? " (off)" : "")));
const pick = (items, label) => items.find((i) => i !== "line" && i.label === label);

test("a supervisor finds every act at the seat of an agent of the own group", () => {
  const { said, send } = ear(), wrote = [];
  const items = seatItems(seat({ call: "talking", status: "talking" }), floor, chief(), send, { write: (to) => wrote.push(to) });
  assert.deepEqual(names(items), ["Call Sato Hanako (2001)", "Message to Sato Hanako", "-", "Listen / nobody hears you", "Whisper / only Sato Hanako hears you",
    "Join / the caller hears you too", "Follow to the next call", "-", "Status after the call / in a call"]);
  pick(items, "Listen").act();
  pick(items, "Message to Sato Hanako").act();
  pick(items, "Status after the call").items.find((i) => i.label === "On break").act();
  assert.deepEqual(said, [["supervise", { account: "sato", mode: "listen", follow: false }], ["status.of", { account: "sato", to: "break", next: true }]]);
  assert.deepEqual(wrote, [{ account: "sato", name: "Sato Hanako" }]);
});

test("an agent's status can be changed at once where nobody is in a call, or where the center allows it in one", () => {
  const { said, send } = ear(), old = chief({ profile: { ...snapshot().profile, refuseInCall: false } });
  for (const [s, snap] of [[seat(), chief()], [seat({ call: "talking" }), old]]) {
    const change = pick(seatItems(s, floor, snap, send), "Change status");
    assert.deepEqual(change.items.map((i) => [i.label, i.sign[0], i.colour, i.checked]).at(0), ["Available", "●", "green", true]);
    change.items[1].act();
  }
  assert.deepEqual(said, [["status.of", { account: "sato", to: "acw" }], ["status.of", { account: "sato", to: "acw" }]]);
});

test("who does not lead gets no act, who sits there gets the own statuses", () => {
  const { send } = ear();
  assert.deepEqual(names(seatItems(seat({ account: "ito", agent: "Ito" }), floor, snapshot(), send, { write() {} })), ["Call Ito (2001)", "Message to Ito"]);
  assert.deepEqual(names(seatItems(seat({ account: "ito", agent: "Ito", groups: ["south"] }), floor, snapshot(), send, { write() {} })), ["Call Ito (2001)"]);
  assert.deepEqual(names(seatItems(seat(), floor, snapshot(), send)), ["Available", "After-call work", "On break"]);
  assert.deepEqual(names(seatItems(seat({ account: "" }), floor, chief(), send)), ["Nobody sits here (off)"]);
  assert.equal(leads(chief({ me: { ...chief().me, leads: ["south"] } }), seat()), false);
  assert.equal(leads(chief({ me: { ...chief().me, leads: [], all: true } }), seat()), true);
  assert.equal(leads(chief(), seat({ account: "suzuki" })), false);
});

test("in no call it begins with the next one; following is remembered", () => {
  const { said, send } = ear();
  const items = seatItems(seat(), floor, chief(), send);
  assert.equal(pick(items, "Whisper").note, "from the next call on");
  pick(items, "Whisper").act();
  pick(seatItems(seat({ call: "talking" }), floor, chief(), send), "Follow to the next call").act();
  pick(seatItems(seat({ call: "talking" }), floor, chief(), send), "Join").act();
  assert.deepEqual(said, [["supervise", { account: "sato", mode: "whisper", follow: true }], ["supervise", { account: "sato", mode: "join", follow: true }]]);
});

test("what cannot be done now says why", () => {
  const { said, send } = ear(), talking = seat({ call: "talking" });
  const why = (more) => pick(seatItems(talking, floor, chief(more), send), "Listen");
  assert.deepEqual([why({ calls: [call()] }).note, why({ calls: [call()] }).disabled], ["end your own call first", true]);
  assert.equal(why({ me: { ...chief().me, terminal: { id: "d", extension: "3001", type: "desk" } } }).note, "needs a softphone as your terminal");
  assert.equal(why({ line: { state: "failed" } }).note, "your line is not registered");
  assert.equal(why({ supervised: { account: "ito", agent: "Ito", mode: "listen" } }).note, "you are with Ito");
  const here = seatItems(talking, floor, chief({ supervised: { account: "sato", agent: "Sato", mode: "whisper", call: "c9" }, calls: [call({ id: "c9" })] }), send);
  assert.deepEqual(["Listen", "Whisper", "Join"].map((m) => [pick(here, m).checked, pick(here, m).disabled]), [[false, false], [true, false], [false, false]]);
  pick(here, "Follow to the next call").act();
  pick(here, "End").act();
  assert.deepEqual(said, [["supervise", { account: "sato", mode: "whisper", follow: true }], ["supervise", { account: "sato", mode: "" }]]);
});

test("a raised hand says what it is about, lets one hear the last words, and is lowered", () => {
  const { said, send } = ear(), played = [];
  const since = (s) => new Date(Date.now() - s * 1000).toISOString();
  const up = seat({ hand: since(70), call: "talking", handCall: { queue: "受付", number: "0312345678", since: since(190), clip: "k1" } });
  const items = seatItems(up, floor, chief(), send, { play: (...a) => played.push(a) });
  assert.deepEqual(names(items).slice(0, 4), ["Hand raised for 1:10 / 受付 · 0312345678 · talking for 3:10 (off)", "Play the last 30 seconds", "Lower the hand", "-"]);
  items[1].act();
  items[2].act();
  assert.deepEqual([played, said], [[["k1", "Sato Hanako"]], [["hand.lower", { account: "sato" }]]]);
  assert.deepEqual(names(seatItems({ ...up, account: "ito", groups: ["south"] }, floor, snapshot(), send)).slice(0, 2), ["Hand raised for 1:10 / 受付 · 0312345678 · talking for 3:10 (off)", "-"]);
});

test("a row with a menu of its own opens by click and by arrow, and goes back; a check item keeps the menu open", () => {
  const done = [];
  openMenu("Seat", [{ label: "Follow", role: "menuitemcheckbox", act: () => done.push("follow") }, { label: "Change status", items: [{ label: "Available", role: "menuitemradio" }, { label: "On break", role: "menuitemradio", checked: true, act: () => done.push("break") }] }], { x: 5, y: 5 });
  const focus = () => nameOf(document.activeElement), menus = () => [...document.querySelectorAll("[role=menu]")].map(nameOf);
  find(document, "Follow").click();
  assert.equal(find(document, "Follow").getAttribute("aria-checked"), "true");
  key(document.activeElement, "ArrowDown");
  key(document.activeElement, "ArrowRight");
  assert.deepEqual([menus(), focus()], [["Seat", "Change status"], "On break"]);
  key(document.activeElement, "ArrowDown");
  assert.equal(focus(), "Available", "the arrows stay in the inner menu");
  key(document.activeElement, "ArrowLeft");
  assert.deepEqual([menus(), focus()], [["Seat"], "Change status"]);
  key(document.activeElement, "Enter");
  find(document, "Change status").click();
  key(document.activeElement, "Escape");
  assert.deepEqual(menus(), ["Seat"]);
  find(document, "Change status").click();
  find(document, "On break").click();
  assert.deepEqual([menus(), done], [[], ["follow", "break"]]);
});

test("the supervisor's card says who hears whom, and no mode changes by an arrow key", () => {
  const { said, send } = ear(), view = supervisedView(send);
  document.body.append(view.root);
  const show = (more, rest = {}) => view.show(chief({ supervised: { account: "sato", agent: "Sato", mode: "listen", since: new Date().toISOString(), ...more }, ...rest }), page());
  const words = () => view.root.querySelector(".attend-words").textContent, mic = () => view.root.querySelector(".attend-mic").textContent;
  view.show(chief(), page());
  assert.equal(view.root.hidden, true);
  show({ since: undefined });
  assert.equal(words(), "Connecting to Sato…");
  show({});
  assert.deepEqual([words(), mic(), view.root.querySelector("[aria-pressed=true]").textContent], ["You hear Sato and the caller. Nobody hears you.", "Microphone off", "Listen"]);
  show({ mode: "whisper" });
  assert.deepEqual([words(), mic()], ["Only Sato hears you. The caller does not.", "Microphone on"]);
  show({ mode: "join" }, { muted: true });
  assert.deepEqual([words(), mic(), find(view.root, "Mute").getAttribute("aria-pressed")], ["Sato and the caller hear you.", "Muted: nobody hears you", "true"]);
  show({ mode: "join", idle: true });
  assert.match(words(), /in no call/);
  assert.equal(mic(), "Microphone off", "between calls nobody hears anybody");
  find(view.root, "Listen").focus();
  key(document.activeElement, "ArrowRight");
  assert.deepEqual(said, []);
  find(view.root, "Whisper").click();
  view.root.querySelector("input").click();
  find(view.root, "End").click();
  assert.deepEqual(said.map(([, b]) => [b.mode, b.follow]), [["whisper", false], ["join", true], ["", false]]);
});

test("the agent sees in the call who takes part and how", () => {
  const view = callsView(ear().send, () => {}, () => {});
  document.body.append(view.root);
  const by = (more) => ({ account: "suzuki", name: "Suzuki", mode: "listen", since: new Date().toISOString(), ...more });
  const words = (attendants, c = {}) => (view.show(snapshot({ calls: [call(c)], attendants }), page()), view.root.querySelector(".call-attend").textContent);
  assert.equal(words(undefined), "");
  assert.equal(words([by({})]), "Suzuki (supervisor) is listening");
  assert.equal(words([by({ mode: "whisper" }), by({ name: "Ito", since: undefined })]), "Suzuki (supervisor) speaks to you only · Ito (supervisor) is joining…");
  assert.equal(words([by({})], { phase: "offered" }), "");
});

test("what comes later is shown what it missed, and is tried again when it could not be loaded", async () => {
  let fails = true;
  const shown = [], view = part(async () => {
    if (fails) throw new Error("gone");
    return { root: document.createElement("p"), show: (s) => shown.push(s.rev) };
  }, (s) => s.rev > 1);
  view.show(snapshot({ rev: 1 }), page());
  view.show(snapshot({ rev: 2 }), page());
  await settled();
  assert.equal(view.root.children.length, 0);
  fails = false;
  view.show(snapshot({ rev: 3 }), page());
  await settled();
  view.show(snapshot({ rev: 4 }), page());
  assert.deepEqual([shown, view.root.children.length], [[3, 4], 1]);
});

test("a hand that is raised may bring the last words, where policy and call allow it", () => {
  const { said, send } = ear(), labels = (more) => handItems(snapshot(more), send).map((i) => i.label);
  const plain = "Raise hand (ask a supervisor to come)", both = [plain, "Raise hand, with the last 30 seconds of the call"];
  assert.deepEqual(labels({ calls: [call()] }), [plain]);
  assert.deepEqual(labels({ policy: { clip: true } }), [plain]);
  assert.deepEqual(labels({ policy: { clip: true }, calls: [call({ card: true })] }), [plain]);
  assert.deepEqual(labels({ policy: { clip: true }, calls: [call()] }), both);
  assert.deepEqual(labels({ local: true }), []);
  const view = statusView(send);
  document.body.append(view.root);
  view.show(snapshot({ policy: { clip: true }, calls: [call()] }), page());
  view.root.querySelector(".hand").click();
  find(document, both[1]).click();
  view.show(snapshot({ hand: new Date().toISOString() }), page());
  view.root.querySelector(".hand").click();
  assert.deepEqual(said, [["hand.raise", { on: true, clip: true }], ["hand.raise", { on: false }]]);
});

test("a notice of a raised hand says what it is about; the seat's menu knows the number from there", () => {
  const { said, send } = ear(), view = noticesView(send), hand = { queue: "Reception", number: "0312345678", name: "Mori", clip: "k1" };
  const notices = [{ id: "hand.sato", level: "warn", problem: { code: "hand.raised", holes: { who: "Sato" } }, at: new Date().toISOString(), account: "sato", hand }];
  document.body.append(view.root);
  view.show(chief({ notices }), page());
  assert.equal(view.root.querySelector(".notice-about").textContent, "Reception · Mori 0312345678");
  assert.equal(find(view.root, "Play the last 30 seconds").hidden, false);
  find(view.root, "Lower the hand").click();
  assert.deepEqual(said, [["hand.lower", { account: "sato" }]]);
  const up = seat({ hand: new Date().toISOString(), handCall: { queue: "Reception" } });
  assert.match(names(seatItems(up, floor, chief({ notices }), send))[0], /Reception · Mori 0312345678/);
  view.show(chief({ notices: [{ ...notices[0], account: undefined, hand: undefined }] }), page());
  assert.deepEqual([...view.root.querySelectorAll(".notice-about, .notice-acts")].map((e) => e.hidden), [true, true]);
});

test("a hand that is up hides no other, however many there are and whatever else there is to know", () => {
  const { send } = ear(), view = noticesView(send), at = new Date().toISOString();
  const hands = ["Sato", "Ito", "Abe", "Mori", "Ueda", "Kato"].map((who) => ({ id: `hand.${who}`, level: "warn", account: who, at, problem: { code: "hand.raised", holes: { who } } }));
  const other = [1, 2, 3, 4, 5].map((n) => ({ id: `other${n}`, level: "info", at, problem: { code: "internal" } }));
  const said = () => [...view.root.querySelectorAll(".notice-list .notice")].map((n) => n.querySelector("div > p").textContent.match(/(\w+) has raised/)?.[1] ?? "other");
  view.show(chief({ notices: [hands[0]] }), page());
  const first = view.root.querySelector(".notice-list .notice");
  view.show(chief({ notices: hands.slice(0, 2).reverse() }), page());
  assert.deepEqual(said(), ["Ito", "Sato"]);
  assert.equal(view.root.querySelectorAll(".notice-list .notice")[1], first, "the first stands where it stood");
  view.show(chief({ notices: [...other, ...hands] }), page());
  assert.deepEqual(said(), ["other", "other", "other", "other", "Sato", "Ito", "Abe", "Mori", "Ueda", "Kato"]);
});
