import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, ear, find, key, nameOf, page, snapshot, speak, texts } from "./page.js";
import { closeMenu, openMenu } from "../js/menu.js";
import { clean, number, span } from "../js/text.js";
import { askView } from "../js/view/ask.js";
import { callsView } from "../js/view/call.js";
import { dialView } from "../js/view/dial.js";
import { identityView, readyView } from "../js/view/head.js";
import { historyView } from "../js/view/history.js";
import { noticesView } from "../js/view/notices.js";
import { placed } from "../js/later/seatplan.js";
import { seatsView } from "../js/later/seats.js";
import { signInView } from "../js/view/signin.js";
import { statusView } from "../js/view/status.js";

/** Puts a view on an empty page. */
function mount(view) {
  document.body.replaceChildren(view.root);
  return view;
}
beforeEach(() => {
  closeMenu();
  speak("en");
});

const HOSTILE = [
  "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</bdi><button>Answer</button>", "\"><svg/onload=alert(1)>", "javascript:alert(1)", "{name}", "&lt;b&gt;",
  "\u202e4321\u202c", "a\u0000b\u0007c", "x".repeat(5000), "\u200b\u2066Boss\u2069",
];

test("a hostile caller name is text everywhere", () => {
  const { send } = ear();
  for (const evil of HOSTILE) {
    const snap = snapshot({
      calls: [call({ name: evil, number: evil, queue: evil, digits: evil }), call({ id: "c2", phase: "offered", number: evil })],
      history: [{ id: "h", inbound: true, outside: true, number: evil, name: evil, began: new Date().toISOString(), talked: 5e9, result: "failed", problem: { code: "call.failed", holes: { code: "1", reason: evil } } }],
      notices: [{ id: "n", level: "warn", at: new Date().toISOString(), problem: { code: evil, holes: { x: evil } } }],
      me: { account: evil, name: evil, role: "agent", terminal: { id: "1", extension: evil, type: evil }, encrypted: false }, center: { name: evil, url: evil, online: true },
    });
    const seats = seatsView(send);
    seats.showFloor({ rev: 1, floors: [{ id: "f", name: evil }], statuses: snap.statuses, at: "", seats: [{ id: evil, name: evil, floor: "f", x: 0, y: 0, account: "a", agent: evil, status: evil }] });
    for (const view of [callsView(send, () => {}, () => {}), historyView(send, () => {}), noticesView(send), identityView(), seats]) {
      mount(view).show(snap, page());
      assert.equal(view.root.querySelector("img, script, svg[onload], [onerror]"), null, evil);
      assert.equal(view.root.querySelector("a"), null, "no link out of a caller's text");
      assert.doesNotMatch(view.root.textContent, /[\u202a-\u202e\u2066-\u2069\u200b\u0000-\u0008]/, "no direction marks");
      assert.ok(view.root.textContent.length < 3000, "cut");
    }
    assert.equal(mount(callsView(send, () => {}, () => {})).root.querySelectorAll("button").length, 0);
  }
});

test("names are cleaned and numbers read as people paste them", () => {
  assert.equal(clean(" A\u202eB\r\nC\u200b "), "ABC");
  for (const [typed, want] of [["０３－１２３４ー５６７８", "0312345678"], ["+81 (3) 1234-5678", "+81312345678"], ["tel:03.1234.5678", "0312345678"], ["＊０＃", "*0#"], ["callto://117", "117"], ["\t117\r\n", "117"]]) {
    assert.equal(number(typed), want);
  }
  assert.deepEqual([0, 42_000, 725_000, 3_723_000].map(span), ["0:00", "0:42", "12:05", "1:02:03"]);
});

const choice = (more = {}) => ({
  center: "Tokyo", name: "Sato", seatView: true, terminal: "2001", status: "break", seat: "", profile: snapshot().profile, statuses: snapshot().statuses.filter((s) => s.pickable),
  terminals: [{ id: "2001", extension: "2001", type: "softphone" }, { id: "3001", extension: "3001", type: "desk" }], seats: [{ id: "s1", name: "A-1", floor: "1F", by: "Suzuki", since: new Date().toISOString() }, { id: "s2", name: "A-2", floor: "1F" }], ...more,
});
const out = (more = {}) => snapshot({ phase: "out", me: undefined, account: "", ...more });

test("step one asks with what was typed and keeps it through a refusal", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(out(), page());
  const account = find(view.root, "Account"), password = find(view.root, "Password");
  assert.equal(document.activeElement, account);
  find(view.root, "Sign in").click();
  assert.deepEqual(said, [], "nothing is asked of empty fields");
  account.value = "sato";
  password.value = " two words ";
  find(view.root, "Sign in").click();
  assert.deepEqual(said, [["account.check", { account: "sato", password: " two words ", keep: false }]]);
  view.show(out({ phase: "checking", account: "sato" }), page());
  find(view.root, "Sign in").click();
  assert.equal(said.length, 1, "one question at a time");
  view.show(out({ account: "sato", problem: { code: "signin.refused" } }), page());
  assert.equal(view.root.querySelector("form:not([hidden]) [role=alert]").textContent, texts("en")["problem.signin.refused"]);
  assert.deepEqual([account.value, password.value], ["sato", " two words "]);
  find(view.root, "Show").click();
  assert.equal(password.type, "text");
  find(view.root, "Hide").click();
  assert.equal(password.type, "password");
});

test("step two offers the account's own data and takes over only when asked", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(out({ phase: "choosing", choice: choice() }), page());
  const [terminal, status, seat] = ["Terminal", "Status", "Seat"].map((n) => find(view.root, n));
  assert.deepEqual([...terminal.options].map((o) => o.value), ["2001", "3001"]);
  assert.equal(status.value, "break", "never available by itself");
  assert.equal(seat.options[0].textContent, "Not seated");
  assert.match(seat.options[1].textContent, /A-1 \(Suzuki since \d\d:\d\d\)/);
  seat.value = "s1";
  find(view.root, "Sign in").click();
  view.show(out({ phase: "entering", choice: choice() }), page());
  view.show(out({ phase: "choosing", choice: choice(), takeover: true, asked: { terminal: "2001", status: "break", seat: "s1", takeover: false }, problem: { code: "seat.taken", holes: { seat: "A-1", who: "Suzuki", since: "2026-01-02T09:12:00+09:00" } } }), page());
  assert.match(view.root.querySelector("form:not([hidden]) [role=alert]").textContent, /Seat A-1 is taken by Suzuki since \d\d:\d\d\./);
  assert.equal(seat.value, "s1", "what was chosen stays");
  find(view.root, "Take over from Suzuki").click();
  find(view.root, "Back").click();
  assert.deepEqual(said, [
    ["signin", { terminal: "2001", status: "break", seat: "s1", takeover: false }],
    ["signin", { terminal: "2001", status: "break", seat: "s1", takeover: true }], ["signin.back", {}],
  ]);
});

test("without a seat view there is no seat field, and a desk phone says where it rings", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(out({ phase: "choosing", choice: choice({ seatView: false, seat: "s9" }) }), page());
  assert.throws(() => find(view.root, "Seat"));
  const terminal = find(view.root, "Terminal");
  terminal.value = "3001";
  terminal.dispatchEvent(new window.Event("change"));
  assert.match(view.root.textContent, /Calls ring at that telephone/);
  find(view.root, "Sign in").click();
  assert.deepEqual(said.at(-1), ["signin", { terminal: "3001", status: "break", seat: "", takeover: false }]);
});

test("the status button is named by the status and opens the list", () => {
  const { said, send } = ear();
  const view = mount(statusView(send));
  view.show(snapshot(), page());
  const button = find(view.root, "Available");
  assert.match(button.textContent, /●.*Available1:05/);
  assert.equal(button.dataset.colour, "green");
  button.click();
  const items = [...document.querySelectorAll("[role=menuitemradio]")];
  assert.deepEqual(items.map((i) => [nameOf(i), i.getAttribute("aria-checked")]), [["Available", "true"], ["After-call work", "false"], ["On break", "false"]]);
  assert.equal(document.activeElement, items[0]);
  key(items[0], "ArrowDown");
  key(items[1], "ArrowDown");
  document.activeElement.click();
  assert.deepEqual(said, [["status.set", { to: "break" }]]);
  assert.equal(document.activeElement, button, "focus is back");
  view.show(snapshot({ status: { now: "available", shown: "available", wish: "break" } }), page());
  assert.equal(button.getAttribute("aria-busy"), "true");
  assert.match(view.root.textContent, /Changing to On break…/);
  assert.equal(nameOf(button), "Available", "not before the center says so");
});

test("after-call work counts down, is extended or ended; a refused status is offered as the next", () => {
  const { said, send } = ear();
  const view = mount(statusView(send));
  view.show(snapshot({ status: { now: "acw", shown: "acw", until: new Date(Date.now() + 42_000).toISOString() } }), page());
  assert.match(view.root.textContent, /0:42/);
  find(view.root, "Extend").click();
  find(view.root, "Ready").click();
  view.show(snapshot({ status: { now: "available", shown: "talking", offer: "break" } }), page());
  find(view.root, "On break after the call").click();
  view.show(snapshot({ status: { now: "available", shown: "talking", next: "break" } }), page());
  assert.match(view.root.textContent, /After the call: On break/);
  find(view.root, "Cancel the next status").click();
  assert.deepEqual(said, [["work.extend", {}], ["status.set", { to: "available" }], ["status.next", { to: "break" }], ["status.next", { to: "" }]]);
  view.show(snapshot({ profile: { ...snapshot().profile, statusShown: false } }), page());
  assert.equal(find(view.root, "Available").disabled, true, "before 3.6 the shown status opens nothing (D7)");
});

test("a ringing call takes no focus; its two buttons and only they answer it", () => {
  const { said, send } = ear();
  const box = document.createElement("div");
  const dial = dialView(send, () => {}), calls = callsView(send, () => {}, () => {});
  box.append(calls.root, dial.root);
  mount({ root: box });
  for (const v of [dial, calls]) v.show(snapshot(), page());
  const field = find(box, "Number");
  field.focus();
  const ringing = snapshot({ calls: [call({ phase: "offered", name: "Yamada", queue: "Orders" })] });
  for (const v of [dial, calls]) v.show(ringing, page());
  assert.equal(document.activeElement, field);
  assert.equal(box.querySelector("article").getAttribute("aria-label"), "Incoming call: Yamada");
  assert.throws(() => find(box, "Hang up"));
  find(box, "Decline").click();
  find(box, "Answer").click();
  assert.deepEqual(said, [["call.decline", { call: "c1" }], ["call.answer", { call: "c1" }]]);
});

test("in a call the buttons do what they are called and show how it is", () => {
  const { said, send } = ear();
  const view = mount(callsView(send, () => {}, () => {}));
  view.show(snapshot({ calls: [call({ answered: new Date(Date.now() - 61_000).toISOString() })] }), page());
  assert.match(view.root.textContent, /1:01/);
  const mute = find(view.root, "Mute"), hold = find(view.root, "Hold");
  mute.click();
  view.show(snapshot({ muted: true, calls: [call()] }), page());
  assert.equal(mute.getAttribute("aria-pressed"), "true");
  assert.match(view.root.textContent, /You are muted/);
  mute.click();
  hold.click();
  view.show(snapshot({ calls: [call({ phase: "held" })] }), page());
  assert.equal(nameOf(hold), "Resume", "the same button, changed and not replaced");
  hold.click();
  find(view.root, "Hang up").click();
  view.show(snapshot({ calls: [call({ phase: "ending" })] }), page());
  assert.equal(find(view.root, "Hang up").disabled, true);
  assert.deepEqual(said, [["call.mute", { on: true }], ["call.mute", { on: false }], ["call.hold", { call: "c1", on: true }], ["call.hold", { call: "c1", on: false }], ["call.hangup", { call: "c1" }]]);
});

test("what is wrong with the sound is said where one looks", () => {
  let claimed = 0;
  const view = mount(callsView(ear().send, () => claimed++, () => {})), ready = readyView(() => claimed++);
  const talking = snapshot({ calls: [call()] });
  view.show(talking, page({ owner: false, taken: true }));
  assert.match(view.root.textContent, /another tab/);
  find(view.root, "Move the sound here").click();
  view.show(snapshot({ calls: [call()], mic: "denied" }), page());
  assert.match(view.root.textContent, /may not use the microphone/);
  assert.throws(() => find(view.root, "Move the sound here"));
  view.show(snapshot({ calls: [call({ silent: true })] }), page());
  assert.match(view.root.textContent, /No sound from the other side/);
  mount(ready).show(snapshot(), page({ owner: false, taken: true }));
  find(ready.root, "Move the sound here").click();
  assert.equal(claimed, 2);
  ready.show(snapshot({ line: { state: "failed", problem: { code: "sip.unreachable", holes: { server: "pbx" } } } }), page());
  assert.match(ready.root.textContent, /The telephone server pbx does not answer/);
  ready.show(snapshot(), page());
  assert.match(ready.root.textContent, /Line registered 42 sec\. ago/);
});

test("the keys write the number, and in a call they send tones", () => {
  const { said, send } = ear();
  const beeps = [];
  const view = mount(dialView(send, (k) => beeps.push(k)));
  view.show(snapshot({ dialled: "117" }), page());
  const field = find(view.root, "Number");
  for (const k of ["1", "*", "#"]) find(view.root, k).click();
  assert.equal(field.value, "1*#");
  find(view.root, "Erase the last digit").click();
  find(view.root, "Dial").click();
  assert.deepEqual(said, [["call.dial", { number: "1*" }]]);
  assert.equal(field.value, "1*", "kept until it is a call");
  view.show(snapshot({ calls: [call({ id: "o", inbound: false, phase: "dialing" })] }), page());
  assert.equal(field.value, "");
  view.show(snapshot({ calls: [call()], dialled: "1*" }), page());
  find(view.root, "5").click();
  assert.deepEqual(said.at(-1), ["call.digits", { call: "c1", digits: "5" }]);
  assert.equal(field.value, "");
  find(view.root, "Dial").click();
  assert.equal(field.value, "1*", "an empty field brings back the last number");
  assert.deepEqual(beeps, ["1", "*", "#", "5"]);
});

test("the call list keeps its lines and calls back", () => {
  const { said, send } = ear();
  const view = mount(historyView(send, () => {}));
  view.show(snapshot(), page());
  assert.match(view.root.textContent, /No calls since sign-in/);
  const past = (id, more) => ({ id, inbound: true, outside: true, number: "117", began: new Date(Date.now() - (id === "a" ? 60_000 : 0)).toISOString(), talked: 0, result: "missed", ...more });
  view.show(snapshot({ history: [past("a")] }), page());
  const back = find(view.root, "Call 117 back");
  back.focus();
  view.show(snapshot({ history: [past("b", { name: "Yamada", talked: 75e9, result: "answered" }), past("a")] }), page());
  assert.equal(document.activeElement, back, "a new line does not take the focus away");
  assert.match(view.root.querySelector("li").textContent, /Yamada117Answered\d\d:\d\d1:15/);
  back.click();
  assert.deepEqual(said, [["call.dial", { number: "117" }]]);
});

test("the menu is worked by keyboard and gives the focus back", () => {
  const origin = document.createElement("button");
  document.body.replaceChildren(origin);
  origin.focus();
  const done = [];
  const items = ["Available", "On break", "Exit"].map((label) => ({ label, act: () => done.push(label) }));
  openMenu("Phone menu", ["line", ...items], { x: 5, y: 5 });
  const menu = document.querySelector("[role=menu]"), at = () => nameOf(document.activeElement);
  assert.equal(nameOf(menu), "Phone menu");
  assert.equal(at(), "Available");
  for (const [k, want] of [["ArrowUp", "Exit"], ["ArrowDown", "Available"], ["End", "Exit"], ["Home", "Available"], ["o", "On break"]]) {
    key(document.activeElement, k);
    assert.equal(at(), want, k);
  }
  document.activeElement.click();
  assert.deepEqual(done, ["On break"]);
  assert.equal(document.activeElement, origin);
  openMenu("Phone menu", items, origin);
  key(document.activeElement, "Escape");
  assert.equal(document.querySelector("[role=menu]"), null);
  assert.equal(document.activeElement, origin);
  openMenu("Phone menu", items, origin);
  document.body.dispatchEvent(new window.Event("pointerdown", { bubbles: true }));
  assert.equal(document.querySelector("[role=menu]"), null, "a click elsewhere closes it");
});

test("a question is asked and answered by the snapshot", () => {
  const { said, send } = ear();
  const view = mount(askView(send));
  view.show(snapshot({ ask: { kind: "exit" } }), page());
  assert.equal(view.root.open, true);
  find(view.root, "End the call and exit").click();
  find(view.root, "Stay in the call").click();
  view.root.dispatchEvent(new window.Event("cancel", { cancelable: true }));
  assert.deepEqual(said, [["exit", { sure: true }], ["dismiss", {}], ["dismiss", {}]]);
  view.show(snapshot(), page());
  assert.equal(view.root.open, false);
});

const floor = (seats, more = {}) => ({ rev: 1, floors: [{ id: "f1", name: "1F" }, { id: "f2", name: "2F" }], statuses: snapshot().statuses, mine: "s2", at: "", seats, ...more });
const seat = (id, x, y, more = {}) => ({ id, name: id.toUpperCase(), floor: "f1", x, y, ...more });

test("a seat is named by seat, agent and status, and its menu knows whose it is", () => {
  const { said, send } = ear();
  const view = mount(seatsView(send));
  view.show(snapshot(), page());
  view.showFloor(floor([seat("s1", 0, 0, { account: "suzuki", agent: "Suzuki", extension: "2002", status: "break" }), seat("s2", 1, 0, { account: "sato", agent: "Sato", status: "available" }), seat("s3", 3, 1), seat("t1", 0, 0, { floor: "f2" })]));
  assert.equal(view.root.querySelector("[role=grid] [role=row] [role=gridcell] button") !== null, true);
  find(view.root, "S1, Suzuki, On break").click();
  find(document.body, "Call Suzuki (2002)").click();
  find(view.root, "S2, Sato, Available").click();
  find(document.body, "On break").click();
  assert.deepEqual(said, [["call.dial", { number: "2002" }], ["status.set", { to: "break" }]]);
  assert.equal(find(view.root, "S2, Sato, Available").getAttribute("aria-current"), "true");
  find(view.root, "S3, empty");
  find(view.root, "2F").click();
  find(view.root, "T1, empty");
  assert.throws(() => find(view.root, "S3, empty"));
});

test("a newer floor changes the seats in place, and the arrows walk them", () => {
  const view = mount(seatsView(ear().send));
  view.show(snapshot(), page());
  const seats = [seat("s1", 0, 0), seat("s2", 2, 0), seat("s3", 0, 5)];
  view.showFloor(floor(seats));
  const own = find(view.root, "S2, empty");
  assert.equal(own.tabIndex, 0, "Tab reaches the own seat");
  own.focus();
  view.showFloor(floor([seats[0], { ...seats[1], account: "a", agent: "A", status: "talking" }, seats[2]]));
  assert.equal(document.activeElement, own);
  assert.equal(nameOf(own), "S2, A, On a call");
  key(own, "ArrowLeft");
  assert.equal(nameOf(document.activeElement), "S1, empty");
  key(document.activeElement, "ArrowDown");
  assert.equal(nameOf(document.activeElement), "S3, empty");
  assert.equal(view.root.querySelectorAll("[role=grid] [tabindex='0']").length, 1);
});

test("seats with odd places are all shown", () => {
  const odd = [seat("a", 0, 0), seat("b", 0, 0), seat("c", -5, 3), seat("d", 100000, 2), seat("e", 3, 1e9)];
  const { places, width, height } = placed(odd, undefined);
  assert.deepEqual(places.map((p) => p.seat.id).sort(), ["a", "b", "c", "d", "e"]);
  assert.equal(new Set(places.map((p) => `${p.x},${p.y}`)).size, 5, "each has a place of its own");
  assert.ok(width < 20 && height < 20);
  assert.deepEqual(placed([], undefined).places, []);
  const plan = { id: "f", name: "F", width: 10, height: 6, shapes: [{ kind: "wall", x: 0, y: 7, width: 12, height: 1 }] };
  assert.deepEqual(placed([seat("a", 3, 2)], plan), { places: [{ seat: seat("a", 3, 2), x: 3, y: 2 }], left: 0, top: 0, width: 12, height: 8 }, "a floor that is drawn is as large as it was drawn, or as what is on it");
});

test("a hundred seats are painted in time", () => {
  const view = mount(seatsView(ear().send));
  view.show(snapshot(), page());
  const many = (rev) => floor(Array.from({ length: 100 }, (_, i) => seat(`s${i}`, i % 10, Math.floor(i / 10), { account: "a", agent: `A${i}`, status: (i + rev) % 2 ? "talking" : "break" })), { rev });
  view.showFloor(many(0));
  const kept = view.root.querySelector("button.seat");
  const before = process.cpuUsage(); // ours alone: others may have the processor meanwhile
  for (let rev = 1; rev <= 20; rev++) view.showFloor(many(rev));
  const { user, system } = process.cpuUsage(before); // µs
  assert.ok((user + system) / 1000 / 20 < 100);
  assert.equal(view.root.querySelector("button.seat"), kept);
});

test("Japanese is Japanese", () => {
  speak("ja");
  const view = mount(statusView(ear().send));
  view.show(snapshot(), page());
  find(view.root, "受付可").click();
  find(document.body, "休憩中");
});

test("a seat that would get no call though its status takes them says why", () => {
  const seats = seatsView(() => {});
  const taken = { id: "1", name: "1", floor: "f", x: 0, y: 0, account: "a", agent: "Sato", status: "available" };
  const show = (more) => seats.showFloor({ rev: 1, floors: [{ id: "f", name: "F" }], statuses: snapshot().statuses, at: "", seats: [{ ...taken, ...more }] });
  show({ missing: ["mic", "page", "later"] });
  const button = seats.root.querySelector("button.seat");
  assert.match(button.textContent, /Preparing: microphone, sound, later/);
  assert.match(button.getAttribute("aria-label"), /Sato, Available, Preparing/);
  assert.equal(button.getAttribute("data-colour"), "grey");
  show({});
  assert.doesNotMatch(seats.root.textContent, /Preparing/);
});
