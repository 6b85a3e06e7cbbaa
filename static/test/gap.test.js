import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ear, page, settled, snapshot, speak } from "./page.js";
import { gapView } from "../js/view/gap.js";
import { historyView } from "../js/view/history.js";
import { titleOf } from "../js/view/title.js";

afterEach(() => (document.body.replaceChildren(), speak("en")));
const at = (clock) => new Date(`2026-11-23T${clock}:00`).toISOString();
const away = (gap, more = {}) => snapshot({ center: { name: "Tokyo", url: "", online: false }, gap, ...more });

test("while the center is away the page says since when, and how much waits for it", () => {
  const view = gapView(), words = (snap) => (view.show(snap, page()), view.root.textContent);
  assert.equal(words(snapshot()), "");
  assert.equal(words(away({ since: at("10:02"), waiting: 0 })), "The center has been away since 10:02; calls go on.");
  assert.equal(words(away({ since: at("10:02"), waiting: 3 })), "The center has been away since 10:02; calls go on. 3 changes wait until it is back.");
  assert.match(words(away(undefined)), /center/i);
  const call = { id: "c", phase: "talking", inbound: true, outside: true, number: "117", began: at("10:00"), answered: at("10:01"), secure: false };
  assert.equal(words(away({ since: at("10:02"), waiting: 0 }, { calls: [call] })), "The center has been away since 10:02; calls go on.", "in a call too");
  assert.equal(words(away({ since: at("10:02"), waiting: 3 }, { local: true })), "", "who has no center misses none");
});

test("when it is back the page says what became of them, for a while", () => {
  const view = gapView(), until = Date.parse(at("10:12")), gap = { since: at("10:02"), until: at("10:12"), waiting: 0, lost: 2 };
  view.show(snapshot({ gap }), page());
  view.tick(until + 5000);
  assert.equal(view.root.textContent, "The center is back. It was away from 10:02 to 10:12; everything of that time was told. It refused 2; the notices say which.");
  assert.equal(view.root.dataset.level, "warn");
  view.tick(until + 121_000);
  assert.equal(view.root.textContent, "");
  view.show(snapshot({ gap: { ...gap, waiting: 2 } }), page());
  assert.equal(view.root.textContent, "The center is back; 2 changes are being told.");
});

test("the gap stands among the calls, where it was", async () => {
  const view = historyView(ear().send, () => {}), today = new Date().toISOString().slice(0, 11);
  document.body.append(view.root);
  const past = (id, clock) => ({ id, inbound: true, outside: true, number: id, began: `${today}${clock}:00.000Z`, talked: 0, result: "answered" });
  const gap = { since: `${today}10:02:00.000Z`, until: `${today}10:12:00.000Z`, waiting: 0 };
  const order = (history) => (view.show(snapshot({ history, gap, local: true }), page()), [...view.root.querySelectorAll(".history > li")].map((l) => l.querySelector(".history-peer")?.textContent ?? (/away/.test(l.textContent) ? "gap" : "day")));
  await settled();
  assert.deepEqual(order([past("3", "10:20"), past("2", "10:05"), past("1", "09:50")]), ["3", "2", "gap", "1"]);
  assert.deepEqual(order([]), ["gap"]);
});

test("the title of the tab tells the status, and blinks while it rings", () => {
  const ringing = snapshot({ missed: 2, calls: [{ id: "c", phase: "offered", inbound: true, outside: true, number: "117", began: at("10:00"), secure: false }] });
  assert.deepEqual([titleOf(ringing, 0), titleOf(ringing, 1000), titleOf(undefined, 0)], ["☎ Call from 117", "(2) Available · Zaseki", "Zaseki"]);
});
