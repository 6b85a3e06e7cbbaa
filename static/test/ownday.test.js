import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, settled, snapshot, speak } from "./page.js";
import { historyView } from "../js/view/history.js";

/** jsdom loads no sheets: they are there at once. */
const appended = document.head.append.bind(document.head);
document.head.append = (...nodes) => (appended(...nodes), nodes.forEach((n) => n.onload?.()));

beforeEach(() => speak("en"));

const figures = (more = {}) => ({ asOf: new Date().toISOString(), day: "2026-04-02", today: "2026-04-02", taken: 12, made: 3, talk: 3725, average: 248.3, work: 600, pause: 1800, signedIn: 28800,
  missed: { silent: 2, declined: 1, "odd\u202e": 1 }, ...more });

/** The calls of somebody whose center answers so. */
function pane(answer = async () => figures()) {
  const asked = [], { send } = ear();
  const view = historyView(send, () => {}, undefined, async (path) => {
    if (!path.startsWith("/history/day")) return { calls: [] };
    asked.push(path);
    return answer(path);
  });
  document.body.replaceChildren(view.root);
  const show = (more = {}) => view.show(snapshot(more));
  show();
  return { view, asked, show, button: () => find(view.root, "My day"), words: () => [...view.root.querySelectorAll(".own-day dl div")].map((e) => [...e.children].map((c) => c.textContent).join(": ")),
    state: () => view.root.querySelector(".own-day p").textContent, date: () => view.root.querySelector("#own-day") };
}

/** What is loaded late is there after some turns. */
async function until(so) {
  for (let i = 0; i < 200 && !so(); i++) await settled();
  assert.ok(so());
}

test("the agent's own day in figures, with why calls were missed", async () => {
  const d = pane();
  assert.deepEqual(d.asked, [], "nobody has asked for it");
  d.button().click();
  await until(() => d.words().length > 0);
  assert.deepEqual(d.words(), ["Calls taken: 12", "Calls made: 3", "Talk time: 1:02:05", "Average call: 4:08", "After-call work: 10:00", "Breaks and away: 30:00", "Signed in: 8:00:00",
    "Missed calls: 4: this phone did not ring 2 · declined 1 · odd 1"]);
  assert.match(d.state(), /^As of .*Supervisors see the same figures\.$/);
  assert.deepEqual([d.date().value, d.date().max, d.asked], ["2026-04-02", "2026-04-02", ["/history/day"]]);
  d.show({ history: [{ id: "c1", inbound: true, outside: true, number: "1", began: new Date().toISOString(), talked: 0, result: "missed" }] });
  await until(() => d.asked.length === 2);
  d.show({ history: [{ id: "c1", inbound: true, outside: true, number: "1", began: new Date().toISOString(), talked: 0, result: "missed" }] });
  await settled();
  assert.equal(d.asked.length, 2, "only when a call is over");
});

test("another day is asked for, and a late answer of the day before does not stand there", async () => {
  const waiting = [];
  const d = pane((path) => (path.includes("?") ? new Promise((done) => waiting.push(done)) : Promise.resolve(figures())));
  d.button().click();
  await until(() => d.words().length > 0);
  for (const day of ["2026-04-01", "2026-03-31"]) {
    d.date().value = day;
    d.date().dispatchEvent(new window.Event("change"));
  }
  assert.deepEqual(d.asked.slice(1), ["/history/day?day=2026-04-01", "/history/day?day=2026-03-31"]);
  waiting[1](figures({ day: "2026-03-31", taken: 0, made: 0, talk: 0, average: 0, work: 0, pause: 0, signedIn: 0, missed: undefined }));
  await until(() => d.state() === "Nothing on that day.");
  waiting[0](figures({ day: "2026-04-01" }));
  await settled();
  assert.deepEqual([d.words(), d.date().value], [[], "2026-03-31"]);
});

test("without an answer no figures stand there, and after sign-out nobody else sees them", async () => {
  let lost = false;
  const d = pane(async () => {
    if (lost) throw Object.assign(new Error("404"), { status: 404 });
    return figures();
  });
  d.button().click();
  await until(() => d.words().length > 0);
  lost = true;
  d.date().dispatchEvent(new window.Event("change"));
  await until(() => d.words().length === 0);
  assert.equal(d.state(), "The center does not give these figures just now.");
  lost = false;
  d.date().dispatchEvent(new window.Event("change"));
  await until(() => d.words().length > 0);
  d.show({ phase: "out", me: undefined });
  assert.equal(d.view.root.querySelector(".own-day"), null);
  d.show();
  assert.equal(d.button().getAttribute("aria-expanded"), "false");
  assert.equal(d.view.root.querySelector(".own-day"), null, "closed, and empty");
});
