import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, key, nameOf, page, snapshot, speak } from "./page.js";
import { countsOf, filterOf } from "../js/later/seatfilter.js";
import { placed, towards } from "../js/later/seatplan.js";
import { sameAs, seatsView } from "../js/later/seats.js";

beforeEach(() => {
  speak("en");
  localStorage.clear();
  history.replaceState(null, "", "/seats");
});

const ago = (s) => new Date(Date.now() - s * 1000).toISOString();
const seat = (id, x, y, more = {}) => ({ id, name: id.toUpperCase(), floor: "f1", x, y, ...more });
const sits = (id, x, y, agent, status, more = {}) => seat(id, x, y, { account: `acc-${id}`, agent, status, since: ago(65), extension: `20${x}${y}`, ...more });
const people = () => [
  sits("s1", 0, 0, "鈴木 イチロー", "talking", { groups: ["orders"], call: "talking", queue: "Orders", talks: ago(42), attended: 1, next: "break" }),
  sits("s2", 1, 0, "サトウ ハナコ", "available", { groups: ["repairs"], ring: "silent" }),
  sits("s3", 2, 0, "Tanaka", "break", { groups: ["orders"], over: true }),
  sits("s4", 0, 1, "Mori", "available", { groups: ["repairs"], missing: ["mic"] }),
  sits("s5", 1, 1, "Abe", "talking", { groups: ["orders"], call: "held", talks: ago(5), hand: ago(9) }),
  seat("s6", 2, 1),
];
const floor = (seats = people(), more = {}) => ({
  rev: 1, floors: [{ id: "f1", name: "1F", width: 8, height: 4, shapes: [{ kind: "room", x: 4, y: 0, width: 3, height: 2, text: "Meeting" }] }, { id: "f2", name: "2F" }], only: "f1", statuses: snapshot().statuses,
  groups: [{ id: "orders", name: "Orders" }, { id: "repairs", name: "Repairs" }], queues: [{ id: "7000", name: "Orders", waiting: 2, since: ago(83), free: 1 }, { id: "7001", name: "Repairs", waiting: 0, free: 3 }], mine: "s2", at: new Date().toISOString(), seats, ...more,
});
const lead = (more = {}) => snapshot({ me: { ...snapshot().me, role: "supervisor", all: true }, ...more });

function open(f = floor(), { snap = lead(), places = {} } = {}) {
  const { said, send } = ear(), view = seatsView(send, places);
  document.body.replaceChildren(view.root);
  view.show(snap, page());
  view.showFloor(f);
  const type = (words) => {
    const box = find(view.root, "Name, seat or extension");
    box.value = words;
    box.dispatchEvent(new window.Event("input"));
  };
  const choose = (name, value) => {
    const box = view.root.querySelector(`select[aria-label="${name}"]`);
    box.value = value;
    box.dispatchEvent(new window.Event("change"));
  };
  const bright = () => [...view.root.querySelectorAll(".seat-cell:not([data-dim])")].map((c) => c.dataset.seat).join(" ");
  const rows = () => [...view.root.querySelectorAll("tbody tr")].map((r) => r.dataset.seat).join(" ");
  return { view, said, type, choose, bright, rows, root: view.root };
}

test("a seat says all that is known of it, and at a glance what matters", () => {
  const d = open(), at = (id) => d.root.querySelector(`[data-seat="${id}"] button`);
  assert.match(at("s1").textContent, /S11?1:05/, "who attends is a sign, not a word");
  assert.match(at("s1").textContent, /☎.*Orders0:42→ On break/);
  assert.match(at("s1").getAttribute("aria-description"), /Talking since \d\d:\d\d, by Orders\. Next status: On break\. Listened to or helped by 1/);
  assert.match(at("s2").getAttribute("aria-description"), /did not prove that the last call rang/);
  assert.deepEqual([at("s2").querySelector(".seat-ring").textContent, at("s2").querySelector(".seat-ring").dataset.colour], ["!", "amber"]);
  assert.match(at("s3").getAttribute("aria-description"), /Longer than this status may last/);
  assert.equal(nameOf(at("s4")), "S4, Mori, Available, Preparing: microphone");
  assert.match(at("s4").getAttribute("aria-description"), /Allow it in the browser, or check the headset/);
  assert.match(at("s5").textContent, /‖.*On hold0:05.*Hand0:09/);
  assert.equal(at("s2").getAttribute("aria-current"), "true");
  at("s4").dispatchEvent(new window.Event("focusin", { bubbles: true }));
  assert.match(d.root.querySelector(".seat-detail").textContent, /S4, Mori.*Allow it in the browser/, "where a finger gets at it too");
  assert.match(at("s4").title, /Preparing: microphone\n.*headset/s);
});

test("people are found by name in any kana and in romaji, by group, by status and by their hands", () => {
  const d = open();
  assert.equal(d.bright(), "s1 s2 s3 s4 s5 s6");
  for (const [typed, want] of [["ichiro", "s1"], ["いちろう", "s1"], ["satou", "s2"], ["ﾊﾅｺ", "s2"], ["tana", "s3"], ["S5", "s5"], ["2001", "s4"], ["nobody", ""]]) {
    d.type(typed);
    assert.equal(d.bright(), want, typed);
  }
  d.type("");
  d.choose("Group", "orders");
  assert.equal(d.bright(), "s1 s3 s5");
  find(d.root, "☎\ufe0eOn a call 2").click();
  assert.equal(d.bright(), "s1 s5");
  assert.match(d.root.querySelector(".seat-matches").textContent, /2 of 6 seats/);
  assert.match([...d.root.querySelectorAll("[role=status]")].at(-1).textContent, /2 of 6 seats/);
  find(d.root, "Raised hands1").click();
  assert.equal(d.bright(), "s5");
  find(d.root, "Show all").click();
  assert.equal(d.bright(), "s1 s2 s3 s4 s5 s6");
  find(d.root, "□\ufe0eEmpty 1").click();
  assert.equal(d.bright(), "s6");
});

test("counts are of those that are looked for, whatever their status", () => {
  const wish = { name: "", group: "orders", statuses: ["break"], hands: false }, n = countsOf(people(), wish);
  assert.deepEqual(Object.fromEntries(n), { talking: 2, break: 1 });
  assert.deepEqual(people().filter(filterOf(wish)).map((s) => s.id), ["s3"]);
});

test("who waits is told by queue, with the longest, which goes on", () => {
  const d = open(), list = d.root.querySelector(".seat-queues");
  assert.match(list.children[0].textContent, /Orders 2 waiting longest 1:23 1 free/);
  d.view.tick(Date.now() + 10_000);
  assert.match(list.children[0].textContent, /longest 1:33/);
  assert.match(list.children[1].textContent, /Repairs 0 waiting.*3 free/);
  assert.equal(list.children[1].querySelector(".time").textContent, "");
});

test("a newer floor changes what has changed, and nothing else", () => {
  const first = floor(), d = open(first), before = [...d.root.querySelectorAll(".seat-cell")], own = d.root.querySelector('[data-seat="s2"] button');
  own.focus();
  const watch = new window.MutationObserver(() => {});
  watch.observe(d.root.querySelector(".seats"), { subtree: true, attributes: true, childList: true });
  const f = floor(JSON.parse(JSON.stringify(first.seats)), { rev: 2 });
  f.seats[3] = { ...f.seats[3], status: "break", missing: undefined };
  d.view.showFloor(f);
  assert.deepEqual([...new Set(watch.takeRecords().map((r) => r.target.closest(".seat-cell")?.dataset.seat))], ["s4"]);
  assert.equal(nameOf(d.root.querySelector('[data-seat="s4"] button')), "S4, Mori, On break");
  assert.deepEqual([...d.root.querySelectorAll(".seat-cell")], before, "none is made anew");
  assert.equal(document.activeElement, own);
});

test("seats that are as they were are the same objects", () => {
  const one = floor(), two = { ...floor(JSON.parse(JSON.stringify(one.seats))), rev: 2 };
  two.seats[0].status = "break";
  const both = sameAs(one, two);
  assert.deepEqual(both.seats.map((s, i) => s === one.seats[i]), [false, true, true, true, true, true]);
  delete two.seats[1].ring;
  assert.equal(sameAs(one, two).seats[1] === one.seats[1], false, "less is different too");
});

test("arrows go to the nearest seat that way, at the edge nowhere; the menu opens by keys", () => {
  const d = open(), at = (id) => d.root.querySelector(`[data-seat="${id}"] button`);
  at("s2").focus();
  const go = (k, more) => (key(document.activeElement, k, more), document.activeElement.closest("[data-seat]")?.dataset.seat);
  assert.deepEqual(["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp", "End", "Home"].map((k) => go(k)), ["s3", "s6", "s5", "s4", "s1", "s1", "s3", "s1"]);
  assert.equal(d.root.querySelectorAll("[role=grid] [tabindex='0']").length, 1);
  assert.equal(at("s1").tabIndex, 0);
  key(document.activeElement, "F10", { shiftKey: true });
  find(document.body, "Call 鈴木 イチロー (2000)");
  document.querySelector(".menu").remove();
  const far = [{ x: 0, y: 0 }, { x: 6, y: 1 }, { x: 2, y: 6 }, { x: 9, y: 0 }];
  assert.deepEqual(towards(far, far[0], "ArrowRight"), far[3], "straight ahead before aside");
  assert.equal(towards(far, far[3], "ArrowRight"), undefined);
});

test("the table is sorted by any column, keeps to what is looked for, and does not move under the keyboard", () => {
  const d = open();
  find(d.root, "Table").click();
  assert.equal(d.root.querySelector(".seat-map").hidden, true);
  assert.equal(d.rows(), "s1 s2 s3 s4 s5 s6");
  const sort = (name) => [...d.root.querySelectorAll("th button")].find((b) => b.textContent.startsWith(name)).click();
  const head = (name) => [...d.root.querySelectorAll("th")].find((t) => t.textContent.startsWith(name));
  sort("Agent");
  assert.deepEqual([head("Agent").getAttribute("aria-sort"), head("Seat").getAttribute("aria-sort")], ["ascending", "none"]);
  assert.match(d.rows(), /^s5 s4 s3 .*s6$/);
  sort("Hand");
  assert.match(d.rows(), /^s5 /, "raised hands first");
  d.choose("Group", "repairs");
  assert.equal(d.rows(), "s2 s4");
  find(d.root, "Show all").click();
  find(d.root, "S1, 鈴木 イチロー, On a call").focus();
  const f = floor(people(), { rev: 2 });
  f.seats[2].hand = ago(30);
  d.view.showFloor(f);
  assert.match(d.rows(), /^s5 /, "not while somebody is in it");
  document.activeElement.blur();
  assert.match(d.rows(), /^s3 s5 /);
  find(d.root, "S3, Tanaka, On break, Over, Hand").focus();
  key(document.activeElement, "ArrowDown");
  assert.equal(document.activeElement.closest("tr").dataset.seat, "s5");
  assert.match(d.root.querySelector('tr[data-seat="s5"]').textContent, /‖\ufe0e On hold/);
});

test("what one has chosen is there again, for this person and no other", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const d = open();
  find(d.root, "Table").click();
  d.choose("Group", "orders");
  t.mock.timers.tick(1000);
  const again = open();
  assert.equal(again.rows(), "s1 s3 s5");
  assert.equal(again.root.querySelector("#seat-group").value, "orders");
  const other = open(floor(), { snap: lead({ me: { ...lead().me, account: "mori" } }) });
  assert.equal(other.root.querySelector(".seat-table-box").hidden, true);
  assert.equal(other.bright(), "s1 s2 s3 s4 s5 s6");
  localStorage.setItem("zaseki.seats.sato", "{broken");
  assert.equal(open().bright(), "s1 s2 s3 s4 s5 s6", "what cannot be read is left out");
});

test("a raised hand is said once; what else changes is not", () => {
  const d = open(), spoken = [...d.root.querySelectorAll("[role=status]")].at(-1);
  assert.match(spoken.textContent, /Raised hands: 1\. New: S5 Abe/);
  const f = floor(people(), { rev: 2 });
  f.seats[0].status = "break";
  d.view.showFloor(f);
  assert.match(spoken.textContent, /New: S5 Abe/);
  const g = floor(people(), { rev: 3 });
  g.seats[2].hand = ago(1);
  d.view.showFloor(g);
  assert.match(spoken.textContent, /Raised hands: 2\. New: S3 Tanaka/);
});

test("a floor of the past is looked at, and nothing is done there", () => {
  const d = open(), was = people().map((s) => ({ ...s, hand: undefined, status: s.account && "break", since: "2026-01-05T10:30:00Z" }));
  d.view.showFloor(floor(was, { at: "2026-01-05T10:32:00Z" }), { past: true });
  const s1 = find(d.root, "S1, 鈴木 イチロー, On break");
  assert.match(s1.textContent, /2:00/, "as long as it was then");
  d.view.tick(Date.now());
  assert.match(s1.textContent, /2:00/, "time stands");
  s1.click();
  assert.throws(() => find(document.body, "Call 鈴木 イチロー (2000)"));
  find(document.body, "This is the past: nothing can be changed.");
  document.querySelector(".menu").remove();
  d.view.showFloor(floor(people(), { rev: 5 }));
  find(d.root, "S1, 鈴木 イチロー, On break");
  d.view.showFloor(undefined, { past: true });
  find(d.root, "S1, 鈴木 イチロー, On a call");
});

test("an old floor says since when", () => {
  const d = open(), stale = d.root.querySelector(".seat-stale");
  assert.equal(stale.textContent, "");
  d.view.show(lead(), page({ linked: false }));
  assert.match(stale.textContent, /The connection is lost\. This is as of \d\d:\d\d\./);
  d.view.show(lead(), page());
  assert.match(stale.textContent, /as of/, "until the floor has come anew");
  d.view.showFloor(floor());
  assert.equal(stale.textContent, "");
  d.view.show(lead({ center: { name: "", url: "", online: false } }), page());
  assert.match(stale.textContent, /as of/, "the center is what is known of");
});

test("the wallboard counts all floors, changes them if wished, and has no menu", () => {
  const d = open(), all = [...people(), sits("t1", 0, 0, "Ueda", "available", { floor: "f2", hand: ago(70) })];
  d.said.length = 0;
  find(d.root, "Wallboard").click();
  assert.deepEqual(d.said, [["floor.watch", { on: true }]], "all floors");
  assert.match(location.search, /wallboard/);
  d.view.showFloor(floor(all, { only: undefined, rev: 2 }));
  const board = d.root.querySelector(".wallboard");
  const count = (name) => [...board.querySelectorAll(".board-counts li")].find((l) => l.textContent.endsWith(name)).querySelector("b").textContent;
  assert.deepEqual([count("Available"), count("On a call"), board.querySelector("h2").textContent], ["3", "2", "All floors"]);
  assert.match(board.querySelector(".board-hands").textContent, /^T1Ueda1:10S5Abe0:09$/, "the longest first");
  assert.match(board.querySelector(".board-queues").textContent, /Orders2 waiting1:231 free/);
  assert.equal(board.querySelector("[aria-haspopup]"), null);
  find(board, "Change floors every 15 s").click();
  const now = Date.now();
  for (const [ms, name, available] of [[0, "All floors", "3"], [15_001, "1F", "2"], [30_002, "2F", "1"], [45_003, "All floors", "3"]]) {
    d.view.tick(now + ms);
    assert.deepEqual([board.querySelector("h2").textContent, count("Available")], [name, available]);
  }
  d.view.show(lead(), page({ linked: false }));
  assert.match(board.querySelector(".board-stale").textContent, /as of/);
  key(board, "Escape");
  assert.deepEqual([board.hidden, location.search], [true, ""]);
  assert.deepEqual(d.said.at(-1), ["floor.watch", { on: true, floor: "f1" }]);
});

test("an address brings the wallboard by itself", () => {
  history.replaceState(null, "", "/seats?wallboard");
  const d = open();
  assert.equal(d.root.querySelector(".wallboard").hidden, false);
  assert.deepEqual(d.view.wants(), {});
});

test("a floor as it is drawn has its rooms and its size", () => {
  const d = open();
  assert.equal(d.root.querySelector(".ground.room") !== null, true);
  assert.match(d.root.querySelector(".seat-ground").textContent, /Meeting/);
  assert.equal(d.root.querySelector(".seat-ground").getAttribute("aria-hidden"), "true");
  const p = placed(people(), floor().floors[0]);
  assert.deepEqual([p.width, p.height, p.places.length], [8, 4, 6]);
});

test("floors are turned by their tabs, by keys too, and tell how many sit there as far as it is known", () => {
  const d = open(), tabs = d.root.querySelectorAll("[role=tab]");
  assert.deepEqual([...tabs].map((t) => t.getAttribute("aria-description")), ["5 of 6 seats taken, 1 ready for calls, 1 with a raised hand", null]);
  assert.deepEqual([...tabs].map((t) => t.tabIndex), [0, -1]);
  tabs[0].focus();
  key(tabs[0], "ArrowRight");
  assert.deepEqual(d.said.at(-1), ["floor.watch", { on: true, floor: "f2" }]);
  assert.equal(document.activeElement, tabs[1]);
  assert.equal(d.root.querySelector(".empty").hidden, false, "until it has come");
});

test("the tabs of floors that are not shown tell what the center counts there, and change with it", () => {
  const counts = [{ floor: "f1", seats: 9, in: 9, free: 9, hands: 9 }, { floor: "f2", seats: 40, in: 21, free: 3, hands: 2 }];
  const d = open(floor(people(), { counts })), tabs = [...d.root.querySelectorAll("[role=tab]")], seen = (t) => [...t.querySelectorAll(".count:not([hidden])")].map((c) => c.textContent).join(" ");
  assert.deepEqual(tabs.map(seen), ["5/6 ● 1 1", "21/40 ● 3 2"], "of the floor that is shown the seats themselves");
  assert.match(tabs[1].getAttribute("aria-description"), /^21 of 40 seats taken, 3 ready for calls, 2 with a raised hand$/);
  d.view.showFloor(floor(people(), { rev: 2, counts: [counts[0], { floor: "f2", seats: 40, in: 20, free: 0, hands: 0 }] }));
  assert.equal(seen(tabs[1]), "20/40 ● 0");
  d.view.showFloor(floor(people(), { rev: 3, counts: [counts[0], { floor: "f2", seats: 0, in: 0, free: 0, hands: 0 }] }));
  assert.equal(seen(tabs[1]).trim(), "");
});

test("in Japanese it is Japanese", () => {
  speak("ja");
  const d = open();
  find(d.root, "S4, Mori, 受付可, 準備中：マイク");
  assert.match(d.root.querySelector(".seat-queues").textContent, /待ち 2件 最長 1:23 応答可 1名/);
  find(d.root, "一覧表").click();
  assert.match(d.root.querySelector("thead").textContent, /座席.*エージェント.*ステータス.*経過.*通話.*手上げ/);
});
