import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, ear, find, key, nameOf, page, settled, snapshot, speak } from "./page.js";
import { createBook } from "../js/book.js";
import { askView } from "../js/view/ask.js";
import { contactsView } from "../js/view/contacts.js";
import { dialView } from "../js/view/dial.js";
import { historyView } from "../js/view/history.js";
import { lowerView } from "../js/view/lower.js";
import { seatsView } from "../js/later/seats.js";
import { statusView } from "../js/view/status.js";

beforeEach(() => speak("en"));

const desk = { keep: true, view: true, outcomes: [{ id: "order", name: { en: "Order", ja: "受注" } }, { id: "claim", name: { en: "Complaint", ja: "クレーム" } }, { id: "lost", name: { en: "Only loans", ja: "" }, queues: ["Loans"] }] };
const past = (more = {}) => ({ id: "c1", inbound: true, outside: true, number: "0312345678", name: "Tanaka", began: new Date().toISOString(), talked: 5e9, result: "answered", ...more });

function lower(first) {
  const { said, send } = ear(), view = lowerView(dialView(send, () => {}), send);
  document.body.replaceChildren(view.root);
  const show = (more = {}) => view.show(snapshot({ desk, ...more }), page());
  show(first);
  const on = () => view.root.querySelector("[role=tab][aria-selected=true]").id;
  return { view, said, show, on, text: () => view.root.querySelector("textarea"), state: () => view.root.querySelector(".memo-state").textContent };
}
const input = (el, value) => {
  el.value = value;
  el.dispatchEvent(new window.Event("input", { bubbles: true }));
};

test("notes are said when the keyboard goes elsewhere, again until the phone has them, and never written over", () => {
  const d = lower({ calls: [call({ queue: "Orders", name: "Tanaka" })] });
  find(d.view.root, "Notes").click();
  assert.equal(d.on(), "lower-memo");
  assert.match(d.view.root.querySelector(".memo-who").textContent, /^Tanaka · /);
  assert.throws(() => find(d.view.root, "3 Only loans"), "of another queue");
  d.text().focus();
  input(d.text(), "calls back\non Monday");
  assert.equal(d.state(), "Saving…");
  d.show({ calls: [call({ queue: "Orders", note: "calls" })] });
  assert.equal(d.text().value, "calls back\non Monday", "an older one from the phone");
  d.text().blur();
  assert.deepEqual(d.said.map(([type, b]) => [type, b.call, b.text, b.outcome]), [["call.note", "c1", "calls back\non Monday", undefined]]);
  d.view.tick(Date.now() + 3000);
  assert.equal(d.said.length, 1);
  d.view.tick(Date.now() + 5000);
  assert.equal(d.said.length, 2, "lost on the way: once more");
  d.show({ history: [past({ note: "calls back\non Monday", unsent: true })] });
  assert.equal(d.state(), "Saved here, waiting for the center");
  d.show({ history: [past({ note: "calls back\non Monday" })] });
  assert.equal(d.state(), "Saved");
  input(d.text(), "x");
  d.view.flush();
  for (let i = 1; i < 9; i++) d.view.tick(Date.now() + 1e6 * i);
  assert.match(d.state(), /Not saved/);
  assert.equal(d.text().value, "x", "what was typed stays");
});

test("what was typed and taken back is not said", () => {
  const d = lower({ history: [past({ note: "a" })] });
  d.view.turn("memo");
  input(d.text(), "ab");
  input(d.text(), "a");
  d.view.flush();
  assert.deepEqual([d.said, d.state()], [[], "Saved"]);
});

test("an outcome is chosen by digit, by click, and taken back", () => {
  const d = lower({ history: [past()] });
  d.view.turn("memo");
  const order = d.view.root.querySelector("input[value=order]"), claim = d.view.root.querySelector("input[value=claim]");
  order.focus();
  key(order, "2");
  assert.deepEqual([d.said.at(-1)[1].outcome, claim.checked, document.activeElement], ["claim", true, claim]);
  key(claim, "Delete");
  assert.deepEqual([d.said.at(-1)[1].outcome, claim.checked], [undefined, false]);
  order.click();
  assert.equal(d.said.at(-1)[1].outcome, "order");
  const label = order.nextElementSibling;
  label.dispatchEvent(new window.Event("mousedown", { bubbles: true }));
  label.click();
  assert.deepEqual([d.said.at(-1)[1].outcome, order.checked], [undefined, false]);
});

test("after a call that wants an outcome the notes come by themselves, once, unless a number is being typed", () => {
  const work = { now: "acw", shown: "acw", since: new Date().toISOString() };
  const d = lower({ calls: [call()] });
  assert.equal(d.on(), "lower-dial");
  d.show({ history: [past()], status: work });
  assert.equal(d.on(), "lower-memo");
  d.view.root.querySelector("#lower-dial").click();
  d.show({ history: [past()], status: work });
  assert.equal(d.on(), "lower-dial", "not again");
  const back = lower({ calls: [call()] });
  back.show({ history: [past()], status: work });
  assert.equal(back.on(), "lower-memo");
  back.show({ history: [past()] });
  assert.equal(back.on(), "lower-dial", "after-call work is over: the keys again");
  find(back.view.root, "Notes").click();
  back.show({ history: [past()] });
  assert.equal(back.on(), "lower-memo", "chosen by hand it stays");
  const e = lower({ calls: [call()] });
  e.view.root.querySelector("#number").value = "03";
  e.show({ history: [past()], status: work });
  assert.equal(e.on(), "lower-dial");
  assert.equal(e.view.root.querySelector("#lower-memo").dataset.wanted, "true");
  const g = lower({ calls: [call()] });
  g.show({ history: [past({ id: "c2", name: "Sato", outside: false }), past()], status: work });
  assert.match(g.view.root.querySelector(".memo-who").textContent, /^Tanaka/, "a colleague was asked, who stayed longer");
  assert.equal(g.on(), "lower-memo");
  const f = lower({ calls: [call()], desk: { keep: true, view: true } });
  f.show({ history: [past()], status: work, desk: { keep: true, view: true } });
  assert.equal(f.on(), "lower-dial", "no outcomes are asked for");
});

test("notes stay with their call while somebody writes, and go to the customer's call rather than the colleague's", () => {
  const d = lower({ calls: [call({ phase: "held", name: "Tanaka" }), call({ id: "c2", name: "Sato", outside: false, consult: "c1" })] });
  const who = () => d.view.root.querySelector(".memo-who").textContent;
  assert.match(who(), /^Tanaka/);
  d.view.turn("memo");
  d.text().focus();
  input(d.text(), "a");
  d.show({ calls: [call({ id: "c3", name: "Next" })], history: [past()] });
  assert.match(who(), /^Tanaka/);
  d.text().blur();
  d.show({ calls: [call({ id: "c3", name: "Next" })], history: [past({ note: "a" })] });
  assert.match(who(), /^Next/);
  assert.equal(d.text().value, "");
});

test("the list of calls shows notes and opens the same card for a call of this phone", () => {
  const { said, send } = ear(), view = historyView(send, () => {});
  document.body.replaceChildren(view.root);
  const show = (one) => view.show(snapshot({ desk, history: [past(one), past({ id: "c0", name: "Abe" })] }), page());
  show({ outcome: "order", note: "two\nboxes", unsent: true });
  assert.equal(view.root.querySelector(".history-note").textContent, "Order · two boxes · Saved here, waiting for the center");
  const open = find(view.root, "Notes on the call with Tanaka");
  open.click();
  assert.deepEqual([open.getAttribute("aria-expanded"), view.root.querySelector("input[value=order]").checked, view.root.querySelector("textarea").value], ["true", true, "two\nboxes"]);
  input(view.root.querySelector("textarea"), "three");
  find(view.root, "Notes on the call with Abe").click();
  assert.deepEqual([said.at(-1)[0], said.at(-1)[1].call, said.at(-1)[1].text], ["call.note", "c1", "three"], "kept when another is opened");
  const text = view.root.querySelector("textarea");
  assert.equal(text.value, "");
  text.focus();
  key(text, "Escape");
  assert.equal(view.root.querySelector("textarea"), null);
  assert.equal(nameOf(document.activeElement), "Notes on the call with Abe");
});

const shared = (n) => Array.from({ length: n }, (_, i) => ({ name: i === 7 ? "斎藤 花子" : `Person ${i}`, number: String(10000 + i), ...(i === 7 ? { reading: "さいとう はなこ", company: "座席商事" } : {}) }));
const until = async (ready) => {
  for (let i = 0; i < 2000 && !ready(); i++) await settled();
  assert.ok(ready());
};

test("twenty thousand shared contacts are found in every way of typing, quickly, and shown a hundred at a time", async () => {
  const asked = [], { said, send } = ear();
  let view;
  const book = createBook(async (path) => (asked.push(path), { rev: 4, contacts: shared(20_000) }), () => view?.show(snap, page()));
  const snap = snapshot({ book: 4, contacts: [{ name: "Mine", number: "900", favourite: true }, { name: "Old name", number: "10007", watch: true }] });
  view = contactsView(send, book);
  document.body.replaceChildren(view.root);
  view.show(snap, page());
  assert.match(view.root.querySelector(".contacts").textContent, /^Mine/);
  await until(() => !book.busy());
  view.show(snap, page());
  assert.deepEqual(asked, ["/phonebook"]);
  assert.equal(view.root.querySelectorAll(".contacts > li").length, 100);
  assert.match(view.root.querySelectorAll(".contacts > li")[1].textContent, /斎藤 花子/, "the center says who it is");
  find(view.root, "Show more (19901)").click();
  assert.equal(view.root.querySelectorAll(".contacts > li").length, 200);
  for (const typed of ["さいとう", "ｻｲﾄｳ", "saitou", "斎藤", "10007", "座席商事"]) {
    const field = view.root.querySelector("#contact-search"), before = process.cpuUsage(); // others may have the processor meanwhile
    input(field, typed);
    const { user, system } = process.cpuUsage(before), took = (user + system) / 1000;
    assert.match(view.root.querySelector(".contacts").textContent, /斎藤/, typed);
    assert.ok(took < 1000, `${typed} took ${took} ms`);
  }
  find(view.root, "Favourite: 斎藤 花子").click();
  assert.deepEqual([said.at(-1)[0], said.at(-1)[1].number, said.at(-1)[1].favourite, said.at(-1)[1].watch], ["contact.save", "10007", true, true]);
  find(view.root, "斎藤 花子: shared, settings").click();
  assert.equal(find(view.root, "Name").readOnly, true);
  find(view.root, "Show whether the extension is busy").click();
  find(view.root, "Save").click();
  assert.deepEqual(said.at(-1), ["contact.remove", { number: "10007" }], "nothing of one's own is left");
  book.want(snapshot({ book: 5 }));
  assert.equal(asked.length, 2, "a newer one");
  book.want(snapshot({ phase: "out", book: 0 }));
  assert.equal(book.size(), 0, "nobody else's");
});

test("a raised hand is on the own seat and in the seat view, with how long, and so is a status that lasts too long", () => {
  const { said, send } = ear(), status = statusView(send);
  document.body.replaceChildren(status.root);
  status.show(snapshot(), page());
  const hand = find(status.root, "Hand raised");
  hand.click();
  status.show(snapshot({ hand: new Date(Date.now() - 62_000).toISOString() }), page());
  assert.deepEqual([hand.getAttribute("aria-pressed"), hand.textContent], ["true", "1:02"]);
  assert.match(status.root.querySelector(".status-note").textContent, /Hand raised/);
  hand.click();
  assert.deepEqual(said, [["hand.raise", { on: true }], ["hand.raise", { on: false }]]);
  status.show(snapshot({ local: true }), page());
  assert.throws(() => find(status.root, "Hand raised"), "nobody would see it");
  const seats = seatsView(send);
  document.body.replaceChildren(seats.root);
  const seat = (more) => ({ id: "s1", name: "A-1", floor: "f", x: 0, y: 0, account: "abe", agent: "Abe", status: "break", ...more });
  const floor = (more, floors = [{ id: "f", name: "1F" }]) => seats.showFloor({ rev: 1, floors, statuses: snapshot().statuses, at: "", seats: [seat(more)] });
  floor({ hand: new Date(Date.now() - 5000).toISOString(), over: true });
  assert.ok(find(seats.root, "A-1, Abe, On break, Over, Hand"));
  assert.match(seats.root.textContent, /OverHand0:05/);
  floor({});
  assert.ok(find(seats.root, "A-1, Abe, On break"));
});

test("when the floor that is looked at is removed, another one is", () => {
  const { said, send } = ear(), seats = seatsView(send);
  document.body.replaceChildren(seats.root);
  const floor = (floors, more = {}) => seats.showFloor({ rev: 1, floors: floors.map((id) => ({ id, name: id })), statuses: [], seats: [], at: "", ...more });
  floor(["a", "b"], { only: "a" });
  find(seats.root, "b").click();
  floor(["a", "b"], { only: "b" });
  said.length = 0;
  floor(["a"], { only: "b" });
  assert.deepEqual(said, [["floor.watch", { on: true, floor: "a" }]]);
  assert.deepEqual(seats.wants(), { floor: "a" });
});

test("a site that wants to dial is asked about by its origin", () => {
  const { said, send } = ear(), view = askView(send);
  document.body.replaceChildren(view.root);
  view.show(snapshot({ ask: { kind: "origin", origin: "https://crm.example" } }), page());
  assert.match(view.root.textContent, /https:\/\/crm\.example/);
  find(view.root, "Allow").click();
  find(view.root, "Do not allow").click();
  assert.deepEqual(said, [["origin.allow", { origin: "https://crm.example" }], ["dismiss", {}]]);
});
