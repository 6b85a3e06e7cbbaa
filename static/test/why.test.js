import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { find, key, page, settled, snapshot, speak } from "./page.js";
import { rungs } from "../js/later/ladder.js";
import { whyView } from "../js/later/why.js";
import { lackName, sentence } from "../js/later/whyfacts.js";
import { parts } from "../js/later/whystrip.js";

afterEach(() => {
  document.body.replaceChildren();
  speak("en");
});

const begin = new Date("2026-11-23T10:31:02").getTime(), at = (ms) => new Date(begin + ms).toISOString();
const facts = (more = {}) => ({ id: "x", direction: "in", from: "0312345678", to: "9000", queue: "Reception", account: "sato", agent: "Sato", result: "answered", began: at(0), answered: at(7000), ended: at(190_000), hungUp: "caller",
  offers: [{ account: "ito", agent: "Ito", at: at(100), took: 2000, result: "silent", why: "idle", passed: { kato: "break" }, names: { kato: "Kato" } }, { account: "sato", agent: "Sato", at: at(2300), rang: at(2700), took: 4700, result: "answered", why: "only" }], ...more });
const line = (ms, kind, title, more = {}) => ({ at: at(ms), kind, title, ...more });
const sip = (ms, sent, title, text = title, peer = "10.0.0.5:5060") => line(ms, "sip", title, { sent, peer, network: "udp", text });
const holds = [line(60_000, "phone", "holds"), line(90_000, "phone", "resumes"), line(100_000, "phone", "holds"), line(110_000, "phone", "resumes")];

async function opened(timeline, call = { id: "c1", number: "" }) {
  const shown = [], view = whyView(async () => timeline, (id) => shown.push(id));
  document.body.append(view.root);
  view.show(snapshot(), page());
  view.open(call);
  await settled();
  return { view, shown, heads: () => [...view.root.querySelectorAll("h3")].filter((x) => !x.hidden).map((x) => x.textContent) };
}

test("a call in one sentence: how it came, why it went where it went, and who ended it", () => {
  assert.equal(sentence(facts(), holds),
    "0312345678 came by Reception at 10:31:02; offered to Ito (1 passed over), did not prove that it rings; offered to Sato, rang 0.4 s later; answered by Sato at 10:31:09; held 2 times; the caller hung up; talked for 3:03.");
  assert.equal(sentence(facts({ queue: "", offers: [], answered: undefined, ended: undefined, result: "missed", reason: "silent", hungUp: "" }), []), "0312345678 called 9000 at 10:31:02; not answered (did not prove that it rings).");
  assert.match(sentence(facts({ direction: "out", to: "117", offers: [] }), []), /^Sato called 117 at 10:31:02; answered/);
  assert.match(sentence(facts({ holds: 1, sentTo: "204" }), holds), /held once; transferred to 204;/, "the center's own count comes first");
  speak("ja");
  assert.match(sentence(facts(), []), /^10:31:02 に 0312345678 から「Reception」へ着信。Ito さんに案内\(ほか 1 人は対象外\)、呼出を確認できず。/);
});

test("what somebody lacked has a word, whether it is a status or something of the phone", () => {
  const defs = snapshot().statuses;
  assert.deepEqual(["break", "mic", "tried", "odd\u202E"].map((l) => lackName(l, defs)), ["On break", "not ready: microphone", "was offered it already", "odd"]);
});

test("the strip has no gap and no overlap, and a hold is part of the talk", () => {
  const all = parts(facts(), holds, begin);
  assert.deepEqual(all.map((p) => [p.kind, p.from - begin, p.to - begin]), [["wait", 0, 100], ["ring", 100, 2100], ["wait", 2100, 2700], ["ring", 2700, 7000], ["talk", 7000, 60_000],
    ["hold", 60_000, 90_000], ["talk", 90_000, 100_000], ["hold", 100_000, 110_000], ["talk", 110_000, 190_000]]);
  assert.deepEqual(parts(facts({ answered: undefined, ended: at(5000), offers: [] }), [], begin).map((p) => [p.kind, p.to - p.from]), [["wait", 5000]]);
  assert.equal(parts(facts({ answered: undefined, ended: undefined, offers: [] }), [], begin + 9000)[0].to - begin, 9000, "one that goes on lasts until now");
  assert.deepEqual(parts(facts({ began: "" }), [], begin), []);
});

test("a message that was sent again is one arrow with a count", () => {
  const again = rungs([sip(0, false, "INVITE", "a"), sip(500, false, "INVITE", "a"), sip(600, true, "INVITE", "a"), sip(700, false, "INVITE", "b"), sip(800, false, "INVITE", "a", "10.0.0.6:5060"), line(1, "phone", "rings")]);
  assert.deepEqual(again.map((r) => [r.line.title, !!r.line.sent, r.times]), [["INVITE", false, 2], ["INVITE", true, 1], ["INVITE", false, 1], ["INVITE", false, 1]]);
});

test("what phone and center know stands on one page; the address says which call it is", async () => {
  const quality = { mos: 4.1, in: { known: true, mos: 4.1, loss: 0.01, jitter: 12, concealed: 0 }, out: { known: false, mos: 0, loss: 0, jitter: 0, concealed: 0 }, rtt: 1, delay: 1, trend: [4.1, 0, 4] };
  const { view, shown, heads } = await opened({ call: "c1", facts: facts(), quality, lines: [sip(310, false, "INVITE", "INVITE sip:x\r\nAuthorization: •••"), sip(320, true, "180 Ringing"), ...holds] }, { id: "c1", number: "", note: "called back", outcome: "sold" });
  assert.deepEqual(heads(), ["To whom it was offered, and why", "How it sounded", "Outcome and notes", "SIP messages", "Moment by moment"]);
  assert.equal(view.root.querySelector("h2").textContent, "What happened: 0312345678");
  assert.deepEqual([...view.root.querySelectorAll(".why-offers tbody tr")].map((r) => [...r.cells].slice(1).map((c) => c.textContent)),
    [["Ito", "free for the longest time", "no proof", "did not prove that it rings after 2 s", "Kato: On break"], ["Sato", "nobody else was free", "0.4 s", "answered after 4.7 s", ""]]);
  assert.deepEqual([...view.root.querySelectorAll(".why-strip li")].map((l) => l.textContent), ["Waiting 0:00", "Ringing 0:06", "Talking 2:23", "On hold 0:40"]);
  assert.equal(view.root.querySelector(".why-note").textContent, "sold · called back");
  const rung = [...view.root.querySelectorAll(".ladder-rung")];
  assert.deepEqual(rung.map((g) => g.getAttribute("aria-label").replace(/^[\d:.]+ /, "")), ["received INVITE from udp 10.0.0.5:5060", "sent 180 Ringing to udp 10.0.0.5:5060"]);
  const message = view.root.querySelector(".ladder-text");
  assert.equal(message.hidden, true);
  key(rung[0], "Enter");
  assert.deepEqual([message.hidden, message.querySelector("pre").textContent, rung[0].getAttribute("aria-pressed")], [false, "INVITE sip:x\nAuthorization: •••", "true"]);
  assert.deepEqual(shown, ["c1"]);
  view.root.dispatchEvent(new window.Event("close"));
  assert.deepEqual(shown, ["c1", ""]);
});

test("it works with the phone's part alone, and with the center's alone", async () => {
  const near = await opened({ call: "c1", lines: [sip(0, true, "INVITE"), line(1, "phone", "dials")], problem: { code: "center.offline" } }, { id: "c1", number: "117" });
  assert.deepEqual(near.heads(), ["SIP messages", "Moment by moment"]);
  assert.match(near.view.root.querySelector(".why-state").textContent, /center/i);
  near.view.root.remove();
  const far = await opened({ call: "c1", facts: facts(), lines: null });
  assert.deepEqual(far.heads(), ["To whom it was offered, and why"]);
  assert.equal(find(far.view.root, "Copy").disabled, false);
  assert.equal(far.view.root.querySelectorAll(".timeline li").length, 0);
});

test("a refusal is said in the center's words", async () => {
  const view = whyView(async () => Promise.reject(Object.assign(new Error("no"), { status: 403, problem: { code: "forbidden" } })));
  document.body.append(view.root);
  view.open({ id: "c1", number: "1" });
  await settled();
  assert.match(view.root.querySelector(".why-state").textContent, /does not allow/);
});

test("the center's moments are said in the page's language, with names for what has them", async () => {
  const lines = [line(0, "center", "call queued", { holes: { queue: "Reception", place: "2" } }), line(1, "center", "offered: idle", { holes: { who: "Sato\u202E" } }), line(2, "center", "status", { holes: { who: "Sato", status: "break" } }),
    line(3, "center", "attended", { holes: { by: "Suzuki", who: "Sato", mode: "whisper" } }), line(4, "center", "something new")];
  const { view } = await opened({ call: "c1", facts: facts({ sound: { mos: 4.14, loss: 0.25, jitter: 3.6, delay: 80 } }), lines });
  assert.deepEqual([...view.root.querySelectorAll(".why-what")].map((e) => e.textContent), ["In the queue Reception, at place 2", "Offered to Sato: free for the longest", "Sato: On break", "Suzuki takes part with Sato: Whisper", "something new"]);
  assert.match(view.root.textContent, /MOS 4\.1, 0\.3 % lost, 4 ms jitter, 80 ms delay/);
});
