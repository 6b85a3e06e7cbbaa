import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, ear, find, key, nameOf, page, snapshot, speak } from "./page.js";
import { closeMenu } from "../js/menu.js";
import { askView } from "../js/view/ask.js";
import { callsView } from "../js/view/call.js";
import { contactsView } from "../js/view/contacts.js";
import { dialView } from "../js/view/dial.js";
import { identityView, mailView } from "../js/view/head.js";
import { historyView } from "../js/view/history.js";
import { signInView } from "../js/view/signin.js";
import { whyView } from "../js/later/why.js";

function mount(view) {
  document.body.replaceChildren(view.root);
  return view;
}
beforeEach(() => {
  closeMenu();
  speak("en");
});

/** The calls of a phone, and what it was told. */
function desk(...calls) {
  const { said, send } = ear();
  const asked = [];
  const view = mount(callsView(send, () => {}, (c) => asked.push(c.id)));
  const show = (more = {}) => view.show(snapshot(more), page());
  show({ calls });
  const cardOf = (name) => [...view.root.querySelectorAll("article")].find((a) => a.querySelector(".call-peer").textContent === name);
  const can = (name) => [...cardOf(name).querySelectorAll(".act")].filter((b) => !b.hidden && !b.disabled).map(nameOf);
  return { view, said, asked, show, cardOf, can };
}

const customer = (more) => call({ id: "c1", name: "Yamada", number: "0312345678", ...more });
const colleague = (more) => call({ id: "c2", name: "Suzuki", number: "2002", inbound: false, outside: false, ...more });

test("a call is transferred at once to a number that is offered by name", () => {
  const d = desk(customer());
  const button = find(d.view.root, "Transfer");
  assert.equal(button.getAttribute("aria-expanded"), "false");
  button.click();
  const field = find(d.view.root, "Transfer to");
  assert.equal(document.activeElement, field);
  assert.deepEqual(d.can("Yamada"), ["Hang up"], "only that and hanging up");
  d.show({
    calls: [customer()], contacts: [{ name: "Suzuki", number: "2002", watch: true }, { name: "Yamada", number: "0312345678" }], lamps: [{ number: "2002", state: "busy" }],
    history: [{ id: "h", number: "2003", name: "Mori", result: "missed" }, { id: "i", number: "2002", result: "missed" }],
  });
  const offered = () => [...d.view.root.querySelectorAll(".offers:not([hidden]) button")].map(nameOf);
  assert.deepEqual(offered(), [], "nothing lies over the buttons before one types");
  key(field, "ArrowDown");
  assert.deepEqual(offered(), ["Suzuki, 2002, On a call", "Mori, 2003"]);
  key(document.activeElement, "ArrowDown");
  assert.equal(nameOf(document.activeElement), "Mori, 2003");
  key(document.activeElement, "Escape");
  assert.deepEqual([offered(), document.activeElement], [[], field], "Escape closes the list, not the form");
  const type = (text) => {
    field.value = text;
    field.dispatchEvent(new window.Event("input"));
  };
  type("sUz");
  assert.deepEqual(offered(), ["Suzuki, 2002, On a call"]);
  find(d.view.root, "Suzuki, 2002, On a call").click();
  assert.deepEqual([field.value, offered(), document.activeElement], ["2002", [], field]);
  type("mo");
  key(field, "Enter");
  assert.deepEqual([field.value, d.said], ["2003", []], "half a name becomes a number and goes nowhere yet");
  type("200");
  assert.equal(offered().length, 2);
  type("");
  find(d.view.root, "Transfer now").click();
  assert.deepEqual(d.said, [], "nowhere is no place");
  field.value = "２００２";
  find(d.view.root, "Transfer now").click();
  assert.deepEqual(d.said, [["call.transfer", { call: "c1", number: "2002" }]]);
  d.show({ calls: [customer()] });
  assert.equal(field.value, "２００２", "a refused number stays");
  d.show({ calls: [customer()], notices: [{ id: "number.invalid", problem: { code: "number.invalid", holes: { number: "2002" } } }] });
  assert.equal(field.getAttribute("aria-invalid"), "true");
  d.show({ calls: [customer({ moving: "2002" })] });
  assert.match(d.cardOf("Yamada").textContent, /Transferring to 2002…/);
  assert.deepEqual(d.can("Yamada"), ["Hang up"]);
  assert.throws(() => find(d.view.root, "Transfer to"), "the form has closed");
  d.show({ calls: [customer()] });
  assert.deepEqual(d.can("Yamada"), ["Mute", "Hold", "Transfer", "Hang up"], "it came back");
});

test("the transfer form is left with Escape, and one may ask there first", () => {
  const d = desk(customer());
  find(d.view.root, "Transfer").click();
  const field = find(d.view.root, "Transfer to");
  field.value = "2002";
  key(field, "Escape");
  assert.equal(nameOf(document.activeElement), "Transfer", "focus is back at the button");
  assert.deepEqual(d.said, []);
  find(d.view.root, "Transfer").click();
  assert.equal(field.value, "");
  find(d.view.root, "Close without transferring").click();
  find(d.view.root, "Transfer").click();
  field.value = "2002";
  find(d.view.root, "Ask first").click();
  assert.deepEqual(d.said, [["call.dial", { number: "2002" }]]);
  d.show({ calls: [customer({ phase: "held" }), colleague({ phase: "alerted", consult: "c1" })] });
  assert.throws(() => find(d.view.root, "Transfer to"));
  assert.deepEqual(d.can("Suzuki"), ["Connect them", "Hang up"], "also while it rings there");
  assert.deepEqual(d.can("Yamada"), ["Resume", "Transfer", "Hang up"]);
});

test("the consultation connects both, makes a conference or is swapped", () => {
  const d = desk(customer({ phase: "held" }), colleague({ consult: "c1" }));
  assert.deepEqual(d.can("Suzuki"), ["Mute", "Hold", "Transfer", "Connect them", "Conference", "Hang up"]);
  assert.deepEqual(d.can("Yamada"), ["Resume", "Transfer", "Hang up"]);
  const connect = find(d.cardOf("Suzuki"), "Connect them");
  assert.equal(connect.title, "Connect Yamada with Suzuki and leave the call");
  connect.click();
  find(d.cardOf("Suzuki"), "Conference").click();
  find(d.cardOf("Yamada"), "Resume").click();
  d.show({ calls: [customer(), colleague({ phase: "held", consult: "c1" })] });
  assert.deepEqual(d.can("Yamada"), ["Mute", "Hold", "Transfer", "Connect them", "Conference", "Hang up"], "offered where one talks");
  assert.deepEqual(d.can("Suzuki"), ["Resume", "Transfer", "Hang up"]);
  find(d.cardOf("Yamada"), "Connect them").click();
  assert.deepEqual(d.said, [
    ["call.connect", { call: "c1", other: "c2" }], ["call.conference", { on: true }], ["call.hold", { call: "c1", on: false }], ["call.connect", { call: "c1", other: "c2" }],
  ]);
  d.show({ calls: [customer({ phase: "held", moving: "2002" }), colleague({ phase: "held", consult: "c1", moving: "0312345678" })] });
  assert.match(d.cardOf("Yamada").textContent, /Connecting Yamada with Suzuki…/);
  assert.deepEqual([d.can("Yamada"), d.can("Suzuki")], [["Hang up"], ["Hang up"]]);
  d.show({ calls: [customer({ phase: "held" }), colleague({ phase: "held", consult: "c1" })] });
  assert.ok(d.can("Suzuki").includes("Connect them"));
  assert.equal(d.can("Yamada").includes("Connect them") || d.can("Yamada").includes("Conference"), false, "offered once");
  d.show({ calls: [customer({ phase: "held" }), call({ id: "c3", name: "Ito" })] });
  assert.deepEqual(d.can("Ito"), ["Mute", "Hold", "Transfer", "Conference", "Hang up"], "two callers are not connected by chance");
});

test("a conference stands under one heading, and each in it can be hung up", () => {
  const d = desk(call({ id: "c4", name: "Abe", phase: "offered" }), customer({ conference: true }), call({ id: "c3", name: "Ito", phase: "held" }), colleague({ conference: true }));
  assert.match(d.view.root.textContent, /Conference of 3/);
  const rows = [...d.view.root.children].map((r) => r.querySelector("h2, .call-peer").textContent);
  assert.deepEqual(rows, ["Abe", "Conference of 3", "Yamada", "Suzuki", "Ito"]);
  assert.deepEqual([d.can("Yamada"), d.can("Suzuki")], [["Hang up"], ["Hang up"]]);
  assert.equal(d.cardOf("Yamada").getAttribute("aria-label"), "In the conference: Yamada");
  assert.ok(d.can("Ito").includes("Conference"), "one more may come in");
  const heading = d.view.root.querySelector(".conference");
  find(heading, "Mute").click();
  find(heading, "End conference").click();
  find(d.cardOf("Suzuki"), "Hang up").click();
  d.show({ muted: true, calls: [customer({ conference: true }), colleague({ conference: true })] });
  assert.equal(find(heading, "Mute").getAttribute("aria-pressed"), "true", "the same heading, changed");
  assert.deepEqual(d.said, [["call.mute", { on: true }], ["call.conference", { on: false }], ["call.hangup", { call: "c2" }]]);
  d.show({ calls: [customer()] });
  assert.equal(d.view.root.querySelector(".conference"), null);
});

test("who sent a call here is said", () => {
  const d = desk(customer({ movedBy: "Suzuki" }));
  assert.match(d.cardOf("Yamada").querySelector(".call-number").textContent, /0312345678 · transferred by Suzuki/);
});

test("the lock tells the truth: the voice in a call, the terminal at rest", () => {
  const head = mount(identityView());
  const lock = () => [...head.root.querySelectorAll(".lock:not([hidden])")].map(nameOf);
  const me = { ...snapshot().me, encrypted: true }, secure = { ...snapshot().line, secure: true };
  head.show(snapshot({ me }), page());
  assert.deepEqual(lock(), [], "not without an encrypted line");
  head.show(snapshot({ line: secure }), page());
  assert.deepEqual(lock(), [], "not for another terminal");
  head.show(snapshot({ me, line: secure }), page());
  assert.deepEqual(lock(), ["Encrypted terminal"]);
  head.show(snapshot({ me, line: secure, calls: [customer()] }), page());
  assert.deepEqual(lock(), [], "this voice is not");
  head.show(snapshot({ me, line: secure, calls: [customer({ secure: true })] }), page());
  assert.deepEqual(lock(), ["Encrypted call"]);
  const d = desk(customer({ secure: true }), colleague({ phase: "held" }));
  const locks = (name) => d.cardOf(name).querySelectorAll(".lock:not([hidden])").length;
  assert.deepEqual([locks("Yamada"), locks("Suzuki")], [1, 0]);
});

test("voice mail that waits is one click away", () => {
  const { said, send } = ear();
  const head = mount(mailView(send));
  head.show(snapshot({ voicemail: { waiting: false, new: 0, old: 3 } }), page());
  assert.equal(head.root.hidden, true);
  head.show(snapshot({ voicemail: { waiting: true, new: 0, old: 0 } }), page());
  const mail = find(document.body, "Voice mail waiting");
  mail.click();
  assert.deepEqual([said, mail.getAttribute("aria-disabled")], [[], "true"], "nobody knows its number");
  head.show(snapshot({ voicemail: { waiting: true, new: 2, old: 1, number: "*97" } }), page());
  find(document.body, "Voice mail: 2 new").click();
  assert.deepEqual([said, mail.getAttribute("aria-disabled")], [[["call.dial", { number: "*97" }]], null]);
});

const lines = [
  { at: "2026-03-04T05:06:07.089Z", kind: "sip", sent: false, peer: "192.0.2.7:5061", network: "tls", title: "INVITE", text: "INVITE sip:2001@pbx SIP/2.0\r\nAuthorization: ***\r\n\r\n" },
  { at: "2026-03-04T05:06:07.100Z", kind: "sip", sent: true, title: "180 Ringing", text: "SIP/2.0 180 Ringing\r\n\r\n" },
  { at: "2026-03-04T05:06:09.000Z", kind: "phone", title: "answered" },
];
/** Lets what was fetched arrive. */
const settled = () => new Promise((done) => setImmediate(done));

test("Why? shows every moment of a call, from its card and from the call list", async () => {
  const asked = [];
  const why = mount(whyView(async (path) => (asked.push(path), { call: "c 1", lines })));
  why.open({ id: "c 1&x", number: "117" });
  assert.equal(why.root.open, true);
  assert.match(why.root.textContent, /Fetching the record…/);
  await settled();
  assert.deepEqual(asked, ["/timeline?call=c%201%26x"]);
  assert.equal(why.root.querySelector("h2").textContent, "What happened: 117");
  const rows = [...why.root.querySelectorAll(".timeline li")];
  assert.match(rows[0].textContent, /^\d\d:\d\d:07\.089←INVITEtls 192\.0\.2\.7:5061/);
  assert.deepEqual(rows.map((r) => r.querySelector("[role=img]").getAttribute("aria-label")), ["Received", "Sent", "In the phone"]);
  assert.equal(rows[0].querySelector("details pre").textContent, "INVITE sip:2001@pbx SIP/2.0\nAuthorization: ***\n\n");
  assert.equal(rows[2].querySelector("details"), null, "nothing to open");
  const file = find(why.root, "Download support file");
  assert.deepEqual([file.getAttribute("href"), file.hasAttribute("download")], ["/support", true]);
  let copied = "";
  Object.defineProperty(globalThis, "navigator", { value: { clipboard: { writeText: async (s) => void (copied = s) } }, configurable: true });
  find(why.root, "Copy").click();
  await settled();
  assert.match(why.root.querySelector("[role=status]").textContent, /Copied/);
  assert.match(copied, /^2026-03-04T05:06:07\.089Z <- INVITE tls 192\.0\.2\.7:5061\nINVITE sip[^]*-> 180 Ringing[^]*· answered$/);
  find(why.root, "Close").click();
  assert.equal(why.root.open, false);

  const d = desk(customer());
  find(d.view.root, "More about this call").click();
  find(document.body, "Why? What happened in this call").click();
  const past = mount(historyView(ear().send, (c) => d.asked.push(c.id)));
  past.show(snapshot({ history: [{ id: "h1", inbound: true, number: "117", began: new Date().toISOString(), talked: 0, result: "missed" }] }), page());
  find(past.root, "What happened in the call with 117").click();
  assert.deepEqual(d.asked, ["c1", "h1"]);
});

test("what the phone noted is told in the page's language, and an unknown note as it is", async () => {
  const notes = ["person: hang up", "refused: Busy Here", "is transferred from out3", "person: digits ••", "first packet from the line", "something new"];
  for (const [lang, want] of [["en", ["You: hang up", "The phone refuses: Busy Here", "Transferred from call out3", "You: digits ••", "First sound received", "something new"]],
    ["ja", ["操作: 切断", "電話が着信を断りました: Busy Here", "通話 out3 から転送されました", "操作: トーン ••", "最初の音声を受信", "something new"]]]) {
    speak(lang);
    const why = mount(whyView(async () => ({ call: "a", lines: notes.map((title) => ({ at: "", kind: "phone", title })) })));
    why.open({ id: "a", number: "1" });
    await settled();
    assert.deepEqual([...why.root.querySelectorAll(".why-what")].map((e) => e.textContent), want);
  }
});

test("Why? says in words why there is nothing, and never shows another call's answer", async () => {
  const waiting = [];
  const why = mount(whyView(() => new Promise((ok, bad) => waiting.push({ ok, bad }))));
  const words = () => why.root.querySelector("[role=status]").textContent;
  why.open({ id: "a", number: "1" });
  waiting[0].bad(Object.assign(new Error("404"), { status: 404 }));
  await settled();
  assert.match(words(), /no record of this call/);
  assert.equal(find(why.root, "Copy").disabled, true);
  find(why.root, "Update").click();
  waiting[1].bad(new TypeError("network"));
  await settled();
  assert.match(words(), /The phone does not answer/);
  find(why.root, "Update").click();
  why.open({ id: "b", number: "2" });
  waiting[2].ok({ call: "a", lines });
  await settled();
  assert.equal(why.root.querySelectorAll(".timeline li").length, 0);
  waiting[3].ok({ call: "b", lines: null });
  await settled();
  assert.match(words(), /no record of this call/);
});

test("a link asks before it dials, with the keyboard at No", () => {
  const { said, send } = ear();
  const view = mount(askView(send));
  view.show(snapshot({ ask: { kind: "dial", number: "0312345678", name: "Yamada" } }), page());
  assert.equal(view.root.querySelector("h2").textContent, "Call Yamada (0312345678)?");
  assert.equal(nameOf(view.root.querySelector("button")), "Do not call", "first in order, so the dialog focuses it");
  assert.deepEqual(said, []);
  find(view.root, "Call").click();
  find(view.root, "Do not call").click();
  assert.deepEqual(said, [["call.dial", { number: "0312345678" }], ["dismiss", {}]]);
  view.show(snapshot({ ask: { kind: "dial", number: "117" } }), page());
  assert.equal(nameOf(document.activeElement), "Do not call", "another question begins at No again");
});

test("a far side that sends us elsewhere is followed only by a person", () => {
  const { said, send } = ear();
  const view = mount(askView(send));
  const ask = { kind: "transfer", call: "c1", number: "2003" };
  view.show(snapshot({ calls: [customer()], ask }), page());
  assert.equal(view.root.querySelector("h2").textContent, "Yamada wants you to call 2003 instead.");
  find(view.root, "Call 2003").click();
  find(view.root, "Stay in this call").click();
  view.root.dispatchEvent(new window.Event("cancel", { cancelable: true }));
  assert.deepEqual(said, [["call.follow", { call: "c1", on: true }], ["call.follow", { call: "c1", on: false }], ["call.follow", { call: "c1", on: false }]]);
  view.show(snapshot(), page());
  assert.equal(view.root.open, false);
});

test("a pasted link becomes its number, and nothing dials by itself", () => {
  const { said, send } = ear();
  window.history.pushState(null, "", "/?dial=117");
  const view = mount(dialView(send, () => {}));
  view.show(snapshot(), page());
  const field = find(view.root, "Number");
  assert.equal(field.value, "", "the address dials nothing");
  window.history.pushState(null, "", "/");
  for (const [pasted, want] of [
    ["tel:+81-3-1234-5678", "+81312345678"], ["callto:０３ １２３４ ５６７８\r\n", "0312345678"], ["sip:taro.y@pbx.example.com\n", "sip:taro.y@pbx.example.com"],
    ["tel:0312345678;ext=12", "tel:0312345678;ext=12"], ["taro@pbx.example.com", "taro@pbx.example.com"],
  ]) {
    field.value = "";
    const paste = new window.Event("paste", { cancelable: true });
    paste.clipboardData = { getData: () => pasted };
    field.dispatchEvent(paste);
    assert.equal(field.value, want);
  }
  assert.deepEqual(said, []);
  find(view.root, "Dial").click();
  assert.deepEqual(said, [["call.dial", { number: "taro@pbx.example.com" }]]);
});

test("what is wrong with a number stands at it until it is changed", () => {
  const { said, send } = ear();
  const view = mount(dialView(send, () => {}));
  view.show(snapshot(), page());
  const field = find(view.root, "Number");
  field.value = "abc";
  find(view.root, "Dial").click();
  const bad = { id: "number.invalid", level: "warn", at: new Date().toISOString(), problem: { code: "number.invalid", holes: { number: "abc" } } };
  view.show(snapshot({ notices: [bad] }), page());
  assert.match(document.getElementById(field.getAttribute("aria-describedby")).textContent, /“abc” is not a telephone number/);
  assert.equal(field.getAttribute("aria-invalid"), "true");
  assert.equal(field.value, "abc");
  field.value = "1";
  field.dispatchEvent(new window.Event("input"));
  field.dispatchEvent(new window.Event("input"));
  assert.deepEqual(said, [["call.dial", { number: "abc" }], ["dismiss", { notice: "number.invalid" }]], "said once");
  view.show(snapshot({ notices: [bad] }), page());
  assert.equal(field.hasAttribute("aria-invalid"), false);
});

test("every control has a name", () => {
  const box = document.createElement("div"), send = () => {}, snap = snapshot({
    local: true, calls: [customer({ phase: "held" }), colleague({ consult: "c1" }), call({ id: "c3", phase: "offered" }), call({ id: "c4", conference: true })],
    contacts: [{ name: "Suzuki", number: "2002", watch: true }], history: [{ id: "h", inbound: true, number: "117", began: new Date().toISOString(), talked: 0, result: "missed" }],
    ask: { kind: "dial", number: "117" }, voicemail: { waiting: true, new: 1, old: 0 },
  });
  const views = [callsView(send, () => {}, () => {}), historyView(send, () => {}), dialView(send, () => {}), contactsView(send), mailView(send), askView(send), whyView(async () => ({})), signInView(send)];
  box.append(...views.map((v) => v.root));
  mount({ root: box });
  for (const v of views) v.show(v === views.at(-1) ? { ...snap, phase: "out" } : snap, page());
  const controls = [...box.querySelectorAll("button, a, input, select, summary, [role=region]")];
  assert.ok(controls.length > 60);
  for (const c of controls) if (!c.hidden && !c.hasAttribute("aria-labelledby")) assert.ok(nameOf(c), c.outerHTML);
  const ids = [...box.querySelectorAll("[id]")].map((e) => e.id);
  assert.equal(new Set(ids).size, ids.length, "no id twice");
  for (const e of box.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls], label[for], input[list]")) {
    for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for", "list"]) assert.ok(!e.hasAttribute(name) || ids.includes(e.getAttribute(name)), e.outerHTML);
  }
});

test("what comes from outside is text in the new places too", async () => {
  for (const evil of ["<img src=x onerror=alert(1)>", "</pre><script>alert(1)</script>", "\u202e4321\u202c", "x".repeat(5000), "{number}"]) {
    const d = desk(customer({ moving: evil, movedBy: evil, consult: evil, conference: true }), colleague({ name: evil, number: evil }));
    const ask = askView(ear().send), why = whyView(async () => ({ lines: [{ at: evil, kind: evil, title: evil, peer: evil, network: evil, text: evil + "\r\nb" }] }));
    const box = document.createElement("div");
    box.append(d.view.root, ask.root, why.root);
    mount({ root: box });
    ask.show(snapshot({ ask: { kind: "transfer", number: evil, name: evil, call: "x" } }), page());
    why.open({ id: evil, number: evil, name: evil });
    await settled();
    assert.equal(box.querySelector("img, script, [onerror]"), null);
    const pre = box.querySelector("pre").textContent;
    assert.match(pre, /\nb$/, "lines stay lines");
    assert.doesNotMatch(box.textContent, /[\u202a-\u202e]/);
    box.querySelector("pre").remove();
    assert.ok(box.textContent.length < 3000);
  }
});
