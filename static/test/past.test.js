import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, nameOf, settled, snapshot, speak } from "./page.js";
import { merge, waits } from "../js/past.js";
import { historyView } from "../js/view/history.js";

beforeEach(() => {
  speak("en");
  localStorage.clear();
});

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const own = (more = {}) => ({ id: "c1", inbound: true, outside: true, number: "0312345678", began: ago(5), talked: 0, result: "missed", ...more });
const far = (more = {}) => ({ id: "x1", at: ago(5), inbound: true, outside: true, peer: "0312345678", dial: "0312345678", wait: 12, talk: 0, result: "missed", reason: "unanswered", ...more });

test("a call that both know is one row, the newest first", () => {
  const rows = merge([own(), own({ id: "c2", inbound: false, number: "81312345678", began: ago(9), result: "answered" })],
    [far({ peer: "+81312345678", at: ago(5.5) }), far({ id: "x2", inbound: false, at: ago(9.2), result: "answered" }), far({ id: "x3", at: ago(3) }), far({ id: "x4", at: ago(60), peer: "anonymous", dial: "" })]);
  assert.deepEqual(rows.map((r) => [r.id, r.far?.id, r.here]), [["center x3", "x3", false], ["c1", "x1", true], ["c2", "x2", true], ["center x4", "x4", false]]);
  assert.deepEqual(rows.map(waits), [true, true, false, true]);
  assert.deepEqual(merge([], [far({ back: true })]).map(waits), [false], "somebody has called back");
});

/** A history whose center gives these pages. */
function list(pages, snap = {}) {
  const { said, send } = ear(), asked = [];
  const view = historyView(send, () => {}, undefined, async (path) => {
    asked.push(path);
    const page = pages.shift();
    if (page instanceof Error) throw page;
    return page;
  });
  document.body.replaceChildren(view.root);
  const show = (more = {}) => view.show(snapshot({ ...snap, ...more }));
  show();
  return { view, root: view.root, said, asked, show };
}

test("the center's list comes page by page, with reasons in words, and calls back", async () => {
  const d = list([{ calls: [far({ queue: "Orders" }), far({ id: "x2", at: ago(60 * 30), back: true, reason: "left" })], next: "k/1" }, { calls: [far({ id: "x3", at: ago(60 * 60), inbound: false, result: "failed", code: 486, reason: "" })] }]);
  await settled();
  assert.match(d.root.textContent, /0312345678Orders.*Missed · not answered · rang 12 s/);
  assert.match(d.root.textContent, /the caller gave up · rang 12 s · called back/);
  find(d.root, "Show earlier calls").click();
  await settled();
  assert.deepEqual(d.asked, ["/history", "/history?cursor=k%2F1"]);
  assert.match(d.root.textContent, /Failed · code 486/);
  assert.throws(() => find(d.root, "Show earlier calls"), "that was all");
  d.root.querySelector(".history-back").click();
  assert.deepEqual(d.said.pop(), ["call.dial", { number: "0312345678" }]);
  assert.equal(d.root.querySelectorAll(".history-day").length >= 1, true, "other days have headings");
  find(d.root, "Missed").click();
  assert.equal(d.root.querySelectorAll(".history li:not(.history-day)").length, 2);
  d.show({ history: [own({ id: "c9", began: ago(0) })] });
  await settled();
  assert.equal(d.asked.length, 3, "again after a call");
});

test("a call that only the center knows can be noted for a day, by the center's name for it", async () => {
  const d = list([{ calls: [far({ queue: "Orders" }), far({ id: "x2", at: ago(60 * 25), note: "long ago" })] }], { desk: { keep: true, outcomes: [{ id: "sold", name: { en: "Sold" }, queues: ["Orders"] }, { id: "no", name: { en: "No" }, queues: ["Sales"] }] } });
  await settled();
  const lines = [...d.root.querySelectorAll(".history li:not(.history-day)")];
  assert.deepEqual(lines.map((l) => l.querySelector(".history-write").hidden), [false, true]);
  assert.match(lines[1].textContent, /long ago/);
  lines[0].querySelector(".history-write").click();
  const text = d.root.querySelector("textarea");
  assert.deepEqual([...d.root.querySelectorAll(".memo-chip")].map((c) => c.textContent.replace(/^\d/, "")), ["Sold"], "the results of its queue");
  text.value = "calls again";
  text.dispatchEvent(new window.Event("input"));
  d.view.flush();
  const [type, said] = d.said.pop();
  assert.deepEqual([type, said.call, said.text], ["call.note", "center x1", "calls again"]);
  lines[0].querySelector(".history-write").click();
  d.show({ remarks: [{ call: "center x1", text: "calls again", unsent: true }] });
  assert.match(lines[0].textContent, /calls again · .+/, "shown at once, with the word that the center does not have it");
});

test("missed calls are missed until somebody looks at the list", () => {
  const d = list([], { local: true, missed: 2, history: [own()] });
  assert.deepEqual(d.said, [], "nobody has looked");
  d.view.look(true);
  assert.deepEqual(d.said, [["calls.seen", {}]]);
  d.show({ missed: 0 });
  d.show({ missed: 0 });
  assert.equal(d.said.length, 1);
  d.view.look(false);
  d.show({ missed: 1 });
  assert.equal(d.said.length, 1, "behind another page it stays");
});

test("without a center there is the phone's own list, and a center that cannot answer is said", async () => {
  const d = list([Object.assign(new Error(), { status: 404 })], { history: [own()] });
  await settled();
  assert.throws(() => find(d.root, "Try again"));
  const e = list([Object.assign(new Error(), { status: 502 }), { calls: [far()] }]);
  await settled();
  assert.match(e.root.textContent, /cannot be read just now/);
  find(e.root, "Try again").click();
  await settled();
  assert.doesNotMatch(e.root.textContent, /cannot be read/);
  const local = list([], { local: true, history: [own()] });
  assert.deepEqual(local.asked, []);
  assert.equal(nameOf(local.root.querySelector(".history-back")), "Call 0312345678 back");
});
