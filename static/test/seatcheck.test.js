import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ear, find, nameOf, page, settled, snapshot, speak } from "./page.js";

/** What the phone answers to GET /check: the answer, or an error. */
let answer = { id: "", seats: [] }, asked = [];
globalThis.fetch = async (path) => {
  asked.push(path);
  const a = await answer;
  return { ok: !a.status, status: a.status ?? 200, json: async () => a.body ?? a };
};
const { seatsView } = await import("../js/later/seats.js");

/** jsdom loads no sheets: they are there at once. */
const appended = document.head.append.bind(document.head);
document.head.append = (...nodes) => (appended(...nodes), nodes.forEach((n) => n.onload?.()));

beforeEach(() => {
  speak("en");
  localStorage.clear();
  [answer, asked] = [{ id: "", seats: [] }, []];
});
afterEach(() => document.body.replaceChildren());

const seat = (id, x, more = {}) => ({ id, name: id.toUpperCase(), floor: "f1", x, y: 0, ...more });
const sits = (id, x, agent, status = "available") => seat(id, x, { account: `acc-${id}`, agent, status, since: new Date().toISOString() });
const floor = (more = {}) => ({ rev: 1, floors: [{ id: "f1", name: "1F" }, { id: "f2", name: "2F" }], only: "f1", statuses: snapshot().statuses, at: new Date().toISOString(),
  seats: [sits("s1", 0, "Abe"), sits("s2", 1, "Ito"), sits("s3", 2, "Mori"), sits("s4", 3, "Ueda", "talking"), seat("s5", 4), sits("s6", 5, "Kato")], ...more });
const at = "2026-04-01T07:30:00Z", found = [
  { seat: "s1", state: "ok", ring: 120, delay: 84, lossThere: 0, lossBack: 0.4, jitter: 3.1, secure: true, heard: true, at },
  { seat: "s2", state: "weak", ring: 90, delay: 410, lossThere: 2.5, jitter: 12, heard: true, missing: ["mic"], why: "check.delay", at },
  { seat: "s3", state: "failed", ring: 95, why: "check.unheard", at }, { seat: "s4", state: "busy", why: "check.busy", at }, { seat: "s5", state: "absent", why: "check.absent", at }];
const last = (more = {}) => ({ id: "k1", at, ended: "2026-04-01T07:31:00Z", by: "suzuki", name: "Suzuki", seats: found, ...more });
const chief = (more = {}) => snapshot({ me: { ...snapshot().me, role: "supervisor", all: true }, ...more });

async function open(snap = chief(), f = floor()) {
  const { said, send } = ear(), view = seatsView(send);
  document.body.replaceChildren(view.root);
  view.show(snap, page());
  view.showFloor(f);
  const root = view.root, pane = root.querySelector(".check-pane"), of = (id) => root.querySelector(`[data-seat="${id}"] button`);
  const press = async (name) => (find(root, name).click(), await settled());
  return { root, pane, view, said, of, press, when: () => pane.querySelector(".check-when").textContent, legend: () => [...pane.querySelectorAll(".legend button")].map((b) => b.textContent).join(" · ") };
}

test("what a check found stands on the map with colour, sign and word, and goes with the check", async () => {
  answer = last();
  const d = await open();
  assert.equal(nameOf(d.of("s1")), "S1, Abe, Available");
  await d.press("Check seats");
  assert.deepEqual(asked, ["/check"]);
  assert.match(d.when(), /^Last check: .*\d\d:30, Suzuki$/);
  assert.deepEqual(["s1", "s2", "s3", "s4", "s5", "s6"].map((id) => nameOf(d.of(id)).split("Check: ")[1]), ["Good", "Weak", "Failed", "In a call", "Absent", "Not checked"]);
  assert.deepEqual(["s1", "s2", "s3", "s4", "s5", "s6"].map((id) => d.of(id).dataset.colour), ["green", "amber", "red", "violet", undefined, undefined]);
  assert.deepEqual([".seat-low .sign", ".seat-status", ".seat-figures"].map((c) => d.of("s1").querySelector(c).textContent), ["✓", "Good", "0.4 % · 84 ms"]);
  assert.equal(d.legend(), "×Failed 1 · !Weak 1 · –Absent 1 · ☎\ufe0eIn a call 1 · ✓Good 1");
  assert.equal(d.root.querySelectorAll(".legend:not([hidden])").length, 1, "one legend");
  assert.equal(find(d.root, "Save as CSV").getAttribute("href"), "/check?format=csv");
  await d.press("Close the check");
  assert.equal(nameOf(d.of("s1")), "S1, Abe, Available");
  assert.equal(d.of("s1").dataset.colour, "green");
  assert.match(d.of("s1").textContent, /●/);
});

test("a seat tells its figures and what to do for every reason", async () => {
  answer = last();
  const d = await open();
  await d.press("Check seats");
  const told = (id) => (d.of(id).dispatchEvent(new window.Event("focusin", { bubbles: true })), d.root.querySelector(".seat-detail").textContent);
  assert.match(told("s1"), /answers after 120 ms, sound heard both ways, loss there 0\.0 %, back 0\.4 %, delay 84 ms, jitter 3\.1 ms, encrypted · Checked at \d\d:30\./);
  assert.match(told("s2"), /Sound takes too long on the way\. · Look for a VPN.* · .*headset.*loss there 2\.5 %/);
  assert.match(told("s3"), /did not come back.*firewall and VPN.*answers after 95 ms, the test tone did not come back/);
  assert.doesNotMatch(told("s3"), /loss/, "what was not measured is not told");
  assert.match(told("s4"), /not disturbed.* · Check again after the call/);
  assert.match(told("s5"), /Nobody is signed in.* · Check again when somebody has signed in/);
  assert.match(d.of("s2").title, /Weak\nSound takes too long/, "where a pointer rests too");
  find(d.root, "Table").click();
  assert.match(d.root.querySelector('tr[data-seat="s2"] [data-column="notes"]').textContent, /Sound takes too long.*delay 410 ms/);
  assert.match(d.root.querySelector('tr[data-seat="s2"] .seat-chip').textContent, /!Weak/);
  [...d.root.querySelectorAll("th button")].find((b) => b.textContent.startsWith("Status")).click();
  assert.equal([...d.root.querySelectorAll("tbody tr")].map((r) => r.dataset.seat).join(" "), "s3 s2 s5 s4 s1 s6", "the worst first");
});

test("a check begins after it has said what it does, of this floor or of all, and can be stopped", async (t) => {
  const d = await open();
  await d.press("Check seats");
  assert.equal(d.when(), "No check has been made yet.");
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  const turn = async (ms) => {
    t.mock.timers.tick(ms);
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  find(d.root, "Start a check…").click();
  const says = d.root.querySelector("dialog");
  assert.match(says.textContent, /answer this test call by themselves, without ringing.*in a call is left alone.*real call that comes meanwhile/s);
  assert.deepEqual(d.said.filter(([w]) => w === "check"), [], "not yet");
  find(says, "Start the check").click();
  assert.deepEqual(d.said.at(-1), ["check", { floor: "f1" }]);
  answer = { id: "k2", at, by: "sato", name: "Sato", seats: [{ seat: "s1", state: "calling" }, { seat: "s2", state: "waiting" }] };
  await turn(300);
  assert.equal(d.pane.querySelector("progress").value, 0);
  answer = { ...answer, seats: [found[0], { seat: "s2", state: "calling" }] };
  await turn(1000);
  assert.deepEqual([d.pane.querySelector("progress").value, d.pane.querySelector(".check-far").textContent, d.of("s1").dataset.colour], [1, "1 of 2 seats", "green"]);
  assert.match(d.when(), /^Running since .*, Sato$/);
  find(d.root, "Stop").click();
  assert.deepEqual(d.said.at(-1), ["check", { stop: true }]);
  answer = { ...answer, ended: "2026-04-01T07:30:20Z", why: "check.stopped", seats: [found[0], { seat: "s2", state: "waiting" }] };
  await turn(1000);
  assert.match(d.pane.textContent, /The check was stopped/);
  assert.match([...d.pane.querySelectorAll("[role=status]")].at(-1).textContent, /The check has ended\. Waiting 1, Good 1/);
  find(d.root, "Start a check…").click();
  says.querySelector("#check-all").checked = true;
  find(says, "Start the check").click();
  assert.deepEqual(d.said.at(-1), ["check", {}]);
  const before = asked.length;
  find(d.root, "Close the check").click();
  await turn(60_000);
  assert.equal(asked.length, before, "nobody looks, nobody asks");
});

test("states can be looked for, and only what has changed is drawn anew", async () => {
  answer = last();
  const d = await open();
  await d.press("Check seats");
  const bright = () => [...d.root.querySelectorAll(".seat-cell:not([data-dim])")].map((c) => c.dataset.seat).join(" ");
  find(d.pane, "×Failed 1").click();
  find(d.pane, "!Weak 1").click();
  assert.equal(bright(), "s2 s3");
  find(d.pane, "!Weak 1").click();
  assert.equal(bright(), "s3");
  await d.press("Close the check");
  assert.equal(bright(), "s1 s2 s3 s4 s5 s6");
  await d.press("Check seats");
  const watch = new window.MutationObserver(() => {});
  watch.observe(d.root.querySelector(".seats"), { subtree: true, attributes: true, childList: true, characterData: true });
  const next = floor({ rev: 2 });
  next.seats[1] = { ...next.seats[1], status: "break" };
  d.view.showFloor(next);
  assert.ok(watch.takeRecords().length > 0);
  d.view.showFloor(JSON.parse(JSON.stringify(next)));
  assert.equal(watch.takeRecords().length, 0);
});

test("what cannot be asked is said; who does not lead has no button", async () => {
  answer = { status: 502, body: { code: "offline" } };
  const d = await open();
  await d.press("Check seats");
  assert.notEqual(d.pane.querySelector(".check-state").textContent, "");
  answer = { status: 500, body: {} };
  const other = await open();
  await other.press("Check seats");
  assert.match(other.pane.textContent, /The center cannot be asked for the check now/);
  const agent = await open(snapshot());
  assert.throws(() => find(agent.root, "Check seats"));
});

test("in Japanese it is 点検", async () => {
  speak("ja");
  answer = last({ by: "", name: "" });
  const d = await open();
  await d.press("点検");
  assert.match(d.when(), /^前回の点検：.*（スケジュール実行）$/);
  assert.equal(nameOf(d.of("s2")).split("、").at(-1).split(", ").at(-1), "点検：要注意");
  assert.match(d.legend(), /×不良 1 · !要注意 1 · –不在 1 · .*✓良好 1/);
  d.of("s2").dispatchEvent(new window.Event("focusin", { bubbles: true }));
  assert.match(d.root.querySelector(".seat-detail").textContent, /音声の遅延が大きすぎます。.*VPN.*損失 行き 2\.5%・帰り 0\.0%、遅延 410 ms/);
});
