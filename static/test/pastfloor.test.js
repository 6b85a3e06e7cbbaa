import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { find, key, settled, speak } from "./page.js";
import { newest, pastView } from "../js/later/past.js";
import { bounds, counted, drawing, gapAt } from "../js/later/pastday.js";

const from = new Date("2026-11-23T00:00:00").getTime(), iso = (minute) => new Date(from + minute * 60_000).toISOString();
const fill = (of) => Array.from({ length: 1440 }, (_, m) => (m < 480 || m >= 1080 ? -1 : of(m)));
const day = (more = {}) => ({ from: iso(0), until: iso(1440), minutes: 1440, kept: iso(480), counts: { system: fill(() => 1), available: fill((m) => (m < 600 ? 3 : 2)), off: fill(() => 9), work: fill(() => 0) },
  talking: fill((m) => (m === 600 ? 4 : 1)), waiting: fill((m) => (m === 601 ? 2 : 0)), gaps: [{ from: iso(700), until: iso(710) }], ...more });

afterEach(() => {
  document.body.replaceChildren();
  speak("en");
});
/** jsdom loads no sheets: they are there at once. */
const appended = document.head.append.bind(document.head);
document.head.append = (...nodes) => (appended(...nodes), nodes.forEach((n) => n.onload?.()));

function opened(answer = async (path) => (path.startsWith("/floor/day") ? day() : { at: decodeURIComponent(path.split("at=")[1]) })) {
  const asked = [], shown = [], view = pastView((f) => shown.push(f?.at), undefined, (path) => (asked.push(path), answer(path)));
  document.body.append(view.button, view.root);
  return { asked, shown, view, minutes: () => shown.map((s) => s && Math.round((Date.parse(s) - from) / 60_000)), slider: () => view.root.querySelector("#past-time"), words: () => [...view.root.querySelectorAll(".past-sign")].map((e) => e.textContent.trim()),
    state: () => view.root.querySelector(".past-state").textContent };
}

test("a day knows from when to when anything is known, and says it in words", () => {
  assert.deepEqual(bounds(day()), [480, 1079]);
  assert.deepEqual(bounds(day({ counts: { available: new Array(1440).fill(-1) } })), [0, -1]);
  assert.equal(counted(day(), 600), "Available 2 · Ringing, in a call or lost 1 · In a call 4");
  assert.equal(counted(day(), 601), "Available 2 · Ringing, in a call or lost 1 · In a call 1 · Callers waiting 2");
  assert.equal(counted(day(), 100), "Nothing is known of this minute.");
  assert.equal(gapAt(day(), from + 705 * 60_000)?.from, iso(700));
  assert.equal(gapAt(day(), from + 710 * 60_000), undefined);
});

test("the drawing stacks the classes and leaves gaps where nothing is known", () => {
  const svg = drawing(day()), of = (name) => svg.querySelector(`.past-${name}`)?.getAttribute("d");
  assert.equal(svg.querySelector(".past-off"), null);
  assert.match(of("talking"), /^M480 /);
  assert.doesNotMatch(of("talking"), /NaN|undefined/);
  assert.equal(of("waiting"), "M601.5 0V20.0");
  assert.equal(svg.querySelector(".past-gap").getAttribute("width"), "10");
  for (const path of svg.querySelectorAll("path")) assert.doesNotMatch(path.getAttribute("d"), /NaN|undefined/);
});

test("the slider goes by minutes and hours within what is known, and is marked as the past", async () => {
  const io = opened();
  io.view.button.click();
  await settled();
  assert.equal(io.view.root.hidden, false);
  assert.match(io.asked[0], /^\/floor\/day\?day=\d{4}-\d\d-\d\d$/);
  const slider = io.slider();
  slider.value = "600";
  slider.dispatchEvent(new window.Event("input"));
  await settled();
  assert.equal(io.minutes().at(-1), 600);
  assert.equal(slider.getAttribute("aria-valuetext"), "10:00: Available 2 · Ringing, in a call or lost 1 · In a call 4");
  assert.deepEqual(io.words(), ["Available 2", "After-call work 0", "Ringing, in a call or lost 1", "In a call 4", "Callers waiting 0", "The center was away"]);
  key(slider, "PageUp");
  await settled();
  assert.equal(io.minutes().at(-1), 660);
  key(slider, "PageDown");
  find(io.view.root, "+1 min").click();
  await settled();
  assert.equal(io.minutes().at(-1), 601);
  slider.value = "20";
  slider.dispatchEvent(new window.Event("input"));
  await settled();
  assert.deepEqual([io.minutes().at(-1), slider.value], [480, "480"], "before that nothing is known");
  slider.value = "705";
  slider.dispatchEvent(new window.Event("input"));
  await settled();
  assert.equal(io.state(), "The center was away from 11:40 to 11:50: what is shown is what the phones told afterwards.");
  find(io.view.root, "Back to now").click();
  assert.deepEqual([io.minutes().at(-1), io.view.root.hidden, document.activeElement], [undefined, true, io.view.button]);
});

test("it plays at the speed that was chosen, and stops at the end of what is known", async (t) => {
  const io = opened();
  io.view.button.click();
  await settled();
  io.slider().value = "1060";
  io.slider().dispatchEvent(new window.Event("input"));
  await settled();
  t.mock.timers.enable({ apis: ["Date", "setInterval"], now: Date.now() });
  window.setInterval = globalThis.setInterval;
  const speed = io.view.root.querySelector("#past-speed");
  speed.value = "600";
  speed.dispatchEvent(new window.Event("change"));
  find(io.view.root, "Play").click();
  t.mock.timers.tick(1000);
  assert.equal(io.slider().value, "1070");
  t.mock.timers.tick(2000);
  assert.equal(io.slider().value, "1079");
  assert.equal(find(io.view.root, "Play").textContent, "Play", "it has stopped");
});

test("who drags asks as often as is answered, and sees the newest", async () => {
  const asked = [], told = [], waits = [];
  const ask = newest((q) => (asked.push(q), new Promise((ok) => waits.push(() => ok(q)))), (a) => told.push(a));
  for (const q of [1, 2, 3, 4]) ask(q);
  assert.deepEqual(asked, [1]);
  waits.shift()();
  await settled();
  assert.deepEqual(asked, [1, 4]);
  waits.shift()();
  await settled();
  assert.deepEqual(told, [1, 4]);
  ask(5);
  assert.deepEqual(asked, [1, 4, 5], "the next is asked at once");
});

test("what cannot be fetched says why; an answer that comes after one went back to now shows nothing", async () => {
  const io = opened(async () => Promise.reject(Object.assign(new Error(""), { status: 403, problem: { code: "forbidden" } })));
  io.view.button.click();
  await settled();
  assert.match(io.state(), /does not allow/);
  io.view.root.remove();
  let late;
  const slow = opened((path) => (path.startsWith("/floor/day") ? Promise.resolve(day()) : new Promise((ok) => (late = () => ok({ at: iso(600) })))));
  slow.view.button.click();
  await settled();
  slow.view.close();
  late();
  await settled();
  assert.deepEqual(slow.shown, [undefined]);
});
