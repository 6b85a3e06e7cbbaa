import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, ear, find, key, nameOf, page, snapshot, speak, texts } from "./page.js";
import { closeMenu } from "../js/menu.js";
import { callsView } from "../js/view/call.js";
import { path } from "../js/view/chart.js";
import { gradeOf } from "../js/view/grade.js";
import { identityView, readyView } from "../js/view/head.js";
import { hasTools } from "../js/view/tools.js";

beforeEach(() => {
  closeMenu();
  speak("en");
});

const flow = (more = {}) => ({ known: true, mos: 4.2, loss: 0.2, jitter: 4.25, concealed: 0, ...more });
const quality = (mos, more = {}) => ({ mos, in: flow({ mos }), out: flow({ known: false }), rtt: 48, delay: 142, trend: [4.1, 4, mos], ...more });
const ALL = { record: "asked", replay: true, hear: true };

/** One call on its card, and what was asked. */
function desk(more = {}, snap = {}) {
  const { said, send } = ear();
  let opened = 0;
  const view = callsView(send, () => {}, () => {}, () => opened++);
  document.body.replaceChildren(view.root);
  const show = (c = {}, s = {}) => view.show(snapshot({ policy: ALL, ...s, calls: s.calls ?? [call({ ...more, ...c })] }), page());
  show({}, snap);
  const seen = (css) => [...view.root.querySelectorAll(css)].filter((e) => !e.closest("[hidden]")).map((e) => e.textContent.trim()).filter(Boolean).join("|");
  return { view, root: view.root, said, show, seen, opened: () => opened };
}

test("a call says how it sounds with a sign, a word and a number", () => {
  assert.deepEqual([4.4, 3.01, 3, 2.01, 2, 1].map(gradeOf), ["good", "good", "fair", "fair", "poor", "poor"], "as the tray's icon turns");
  const d = desk();
  assert.equal(nameOf(find(d.root, "Measuring the sound…")), "Measuring the sound…");
  for (const [mos, lang, name, sign] of [[4.2, "en", "Sound quality: Good, MOS 4.2", "●"], [2.84, "en", "Sound quality: Fair, MOS 2.8", "▲"], [1.6, "en", "Sound quality: Poor, MOS 1.6", "✖"]]) {
    speak(lang);
    d.show({ quality: quality(mos) });
    assert.ok(find(d.root, name).textContent.startsWith(sign), name);
  }
  speak("ja");
  const ja = desk({ quality: quality(1.6) });
  assert.match(find(ja.root, "音質: 悪い、MOS 1.6").textContent, /悪い1\.6/);
});

test("only a turn for the worse is read out, and once", () => {
  const d = desk({ quality: quality(4.2) });
  const status = d.root.querySelector(".quality-box [role=status]");
  assert.equal(status.textContent, "");
  d.show({ quality: quality(2.9) });
  assert.equal(status.textContent, "Sound quality: Fair");
  const node = status.firstChild;
  d.show({ quality: quality(2.7) });
  assert.equal(status.firstChild, node, "nothing new is said while it stays so");
  d.show({ quality: quality(4) });
  assert.equal(status.textContent, "");
});

test("what the quality is made of shows by pointer, keyboard and click, and goes with Escape", () => {
  const d = desk({ quality: quality(2.4, { in: flow({ mos: 2.4, loss: 6.44, jitter: 41.2, concealed: 12.4 }) }), codec: "PCMU" });
  const button = d.root.querySelector(".quality"), details = d.root.querySelector(".quality-details");
  const open = () => [!details.hidden, button.getAttribute("aria-expanded") === "true"].every(Boolean);
  assert.equal(button.getAttribute("aria-controls"), details.id);
  assert.ok(!open());
  button.dispatchEvent(new window.Event("mouseenter"));
  assert.ok(open());
  button.parentElement.dispatchEvent(new window.Event("mouseleave"));
  assert.ok(!open(), "it goes with the pointer");
  button.focus();
  assert.ok(open());
  key(button, "Escape");
  assert.ok(!open());
  button.click();
  button.parentElement.dispatchEvent(new window.Event("mouseleave"));
  assert.ok(open(), "a click keeps it");
  const cells = [...details.querySelectorAll("tbody tr")].map((r) => [...r.cells].map((c) => c.textContent));
  assert.deepEqual(cells, [["MOS", "2.4", "unknown"], ["Loss", "6.4%", "unknown"], ["Jitter", "41 ms", "unknown"], ["Concealed", "12%", "unknown"]]);
  assert.match(details.textContent, /Delay from mouth to ear 142 ms · Round trip 48 ms · Codec PCMU/);
  d.show({}, { calls: [call({ quality: quality(2.4) }), call({ id: "c2", phase: "offered" })] });
  assert.ok(!open(), "a new call may stand where the details were");
});

test("the small chart grows from the right, keeps its size and leaves gaps", () => {
  assert.equal(path([]), "");
  assert.equal(path([4.5]), "M35 2h.5");
  assert.equal(path([1, 4.5]), "M34 22L35 2");
  assert.equal(path([4.5, 0, 4.5, 9]), "M32 2h.5M34 2L35 2", "not measured is a gap, too much is the edge");
  const d = desk({ quality: quality(4, { trend: Array(90).fill(4) }) }), svg = d.root.querySelector(".chart");
  assert.equal(svg.querySelector(".chart-line").getAttribute("d").match(/[ML]/g).length, 36, "three minutes");
  assert.deepEqual([svg.getAttribute("viewBox"), svg.getAttribute("aria-hidden")], ["0 0 35 24", "true"]);
});

test("muted and talking is said beside Mute, with one click to unmute", () => {
  const d = desk({}, { muted: true });
  assert.equal(d.seen(".call-warn"), "You are muted: the other side hears silence.");
  assert.throws(() => find(d.root, "Unmute"));
  d.show({}, { muted: true, mutedTalk: true });
  assert.equal(d.seen(".call-warn"), "You are talking while muted.");
  assert.equal(d.root.querySelector(".call-warn").getAttribute("role"), "status");
  find(d.root, "Unmute").click();
  assert.deepEqual(d.said, [["call.mute", { on: false }]]);
  d.show({}, { muted: false, mutedTalk: true });
  assert.throws(() => find(d.root, "Unmute"), "nothing to unmute");
  d.show({}, { muted: true, mutedTalk: true, calls: [call({ conference: true }), call({ id: "c2", conference: true, number: "2002" })] });
  const heading = d.root.querySelector(".conference");
  assert.match(heading.textContent, /You are talking while muted\./, "in a conference beside its Mute");
  [...heading.querySelectorAll("button")].find((b) => b.textContent === "Unmute").click();
  assert.equal(d.said.length, 2);
});

test("the one thing most worth knowing is shown, and what mends it", () => {
  const d = desk();
  const rows = [
    [{ silent: true, unheard: true }, {}, texts("en")["call.silent"], ""],
    [{ unheard: true }, {}, texts("en")["call.unheard"], "Microphone"],
    [{ unheard: true }, { muted: true }, texts("en")["call.muted"], ""],
    [{ still: true }, {}, texts("en")["call.still"], ""],
    [{ received: "12#", digits: "9" }, {}, "Tones received: 12# · Tones sent: 9", ""],
    [{}, { micLabel: "Headset\u202e" }, "Microphone: Headset", ""],
    [{ digits: "9" }, { micLabel: "Headset" }, "Tones sent: 9", ""],
    [{ phase: "held", still: true, unheard: true }, {}, "", ""],
    [{}, { mic: "silent" }, texts("en")["call.mic.silent"], "Microphone"],
    [{}, { mic: "denied" }, texts("en")["problem.mic.denied"], ""],
  ];
  for (const [c, s, words, button] of rows) {
    d.show(c, s);
    assert.deepEqual([d.seen(".call-warn"), d.seen(".call-notes button")], [words, button], JSON.stringify([c, s]));
  }
  d.show({ unheard: true });
  find(d.root, "Microphone").click();
  assert.equal(d.opened(), 1);
});

test("record, card number and replay are there as the center allows", () => {
  const d = desk();
  const tools = () => [...d.root.querySelectorAll(".tool")].filter((b) => !b.closest("[hidden]")).map(nameOf);
  for (const [policy, want] of [[undefined, []], [{}, []], [{ hear: true }, []], [{ record: "asked" }, ["Record", "Card number"]], [{ record: "always" }, ["Card number"]], [{ replay: true }, ["Card number", "Replay"]], [ALL, ["Record", "Card number", "Replay"]]]) {
    d.show({}, { policy });
    assert.deepEqual(tools(), want, JSON.stringify(policy));
    assert.equal(hasTools(policy), want.length > 0, "the place is kept for them, or not at all");
  }
  for (const name of ["Record", "Card number", "Replay"]) find(d.root, name).click();
  d.show({ recording: "on", replaying: true });
  assert.equal(d.seen(".recording"), "Recording", "a word, not only a dot");
  assert.deepEqual(["Record", "Card number", "Replay"].map((n) => find(d.root, n).getAttribute("aria-pressed")), ["true", "false", "true"]);
  for (const name of ["Record", "Replay"]) find(d.root, name).click();
  assert.deepEqual(d.said, [
    ["call.record", { call: "c1", on: true }], ["call.card", { call: "c1", on: true }], ["call.replay", { call: "c1", on: true }],
    ["call.record", { call: "c1", on: false }], ["call.replay", { call: "c1", on: false }],
  ]);
  for (const phase of ["offered", "dialing", "alerted", "joining", "ending"]) {
    d.show({ phase });
    assert.deepEqual(tools(), [], phase);
  }
  d.show({ phase: "held" });
  assert.equal(tools().length, 3, "also while it is held");
});

test("card-number mode says what it does and ends with one click", () => {
  const d = desk({ card: true, recording: "paused", received: "4111", digits: "1" });
  assert.match(d.seen(".call-warn"), /no recording, listening or replay/);
  assert.doesNotMatch(d.root.textContent, /4111/, "what was pressed is not shown meanwhile");
  assert.equal(d.root.querySelector("article").dataset.card, "true");
  assert.equal(d.seen(".recording"), "Recording paused");
  assert.deepEqual(["Record", "Replay"].map((n) => find(d.root, n).disabled), [true, true]);
  find(d.root, "Card-number mode: End").click();
  find(d.root, "Card number").click();
  assert.deepEqual(d.said, Array(2).fill(["call.card", { call: "c1", on: false }]));
  d.show({}, { muted: true, mutedTalk: true });
  assert.match(d.seen(".call-warn"), /no recording/, "it stays visible whatever else is to be said");
});

test("a small card has recording and its tools too: in words and in its menu", () => {
  const d = desk({}, { calls: [call({ conference: true, recording: "on" }), call({ id: "c2", number: "2002", conference: true })] });
  const [first] = d.root.querySelectorAll("article");
  assert.match(first.querySelector(".call-sound").textContent, /Recording/);
  find(first, "More about this call").click();
  const items = [...document.querySelectorAll("[role=menuitem]")].map(nameOf);
  assert.deepEqual(items, ["Stop recording", "Card-number mode", "Replay", "Why? What happened in this call"]);
  find(document.body, "Stop recording").click();
  assert.deepEqual(d.said, [["call.record", { call: "c1", on: false }]]);
});

test("sound by websocket is shown with why", () => {
  const ready = readyView(() => {}), identity = identityView();
  document.body.replaceChildren(ready.root, identity.root);
  for (const view of [ready, identity]) view.show(snapshot({ way: "webrtc" }), page());
  const words = () => [...ready.root.querySelectorAll(".fact-text, .fact-why")].map((e) => e.textContent).slice(2);
  assert.deepEqual(words(), ["Sound is in this tab", ""]);
  for (const view of [ready, identity]) view.show(snapshot({ way: "websocket" }), page());
  assert.deepEqual(words(), ["Sound is in this tab, by websocket", texts("en")["sound.websocket.why"]]);
  const note = identity.root.querySelector(".way-note");
  assert.deepEqual([note.hidden, note.textContent, note.title], [false, "Sound by websocket", texts("en")["sound.websocket.why"]]);
});
