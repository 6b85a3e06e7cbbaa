import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ear, find, key, page, snapshot, speak } from "./page.js";
globalThis.sessionStorage = window.sessionStorage;
const { messagesView } = await import("../js/later/messages.js");
const { marks, threads } = await import("../js/later/threads.js");
const { inboxView } = await import("../js/view/inbox.js");

afterEach(() => {
  document.body.replaceChildren();
  sessionStorage.clear();
  speak("en");
});

let n = 0;
const message = (more = {}) => ({ id: `m${++n}`, from: "suzuki", name: "Suzuki", to: "sato", text: `text ${n}`, at: new Date(Date.now() - 60_000 + n).toISOString(), ...more });
const mine = (more = {}) => message({ from: "sato", name: "Sato", to: "suzuki", toName: "Suzuki", mine: true, sent: 1, ...more });
const box = (...list) => snapshot({ messages: { rev: n, list, each: true }, unread: list.filter((m) => !m.read && !m.mine).length });
const chief = { me: { ...snapshot().me, leads: ["north"], role: "supervisor" } };

function mailbox(more = {}) {
  const { said, send } = ear(), view = messagesView(send, { close: () => said.push(["close", {}]), people: () => said.push(["people", {}]), seen: new Set(), ...more });
  document.body.append(view.root);
  view.look(true);
  return { said, view };
}
const field = (view) => view.root.querySelector("textarea");
function type(view, words) {
  field(view).value = words;
  field(view).dispatchEvent(new window.Event("input", { bubbles: true }));
}
const opened = (view, name) => [...view.root.querySelectorAll(".msg-list button")].find((b) => b.getAttribute("aria-label").startsWith(name)).click();

test("messages stand by conversation, the newest first", () => {
  const list = [message(), message({ from: "ito", name: "Ito" }), message({ to: "", group: "north" }), message({ to: "" }), mine()];
  assert.deepEqual(threads(list, (m) => !m.mine).map((t) => [t.key, t.list.length, t.fresh]), [["u:suzuki", 2, 1], ["all", 1, 1], ["g:north", 1, 1], ["u:ito", 1, 1]]);
});

test("each conversation is marked by itself, also that with everybody", () => {
  const a = message(), b = message({ from: "ito", name: "Ito" }), all = message({ to: "", from: "root", name: "Root" }), c = message(), list = [a, b, all, c];
  const saying = (...ids) => marks({ rev: 1, list, each: true }, new Set(ids));
  assert.deepEqual(saying(c.id), [], "a is seen before c");
  assert.deepEqual(saying(a.id, c.id), [{ upTo: c.id, with: "u:suzuki" }]);
  assert.deepEqual(saying(all.id, b.id), [{ upTo: all.id, with: "all" }, { upTo: b.id, with: "u:ito" }]);
  assert.deepEqual(marks({ rev: 1, list: [{ ...a, read: true }, mine()], each: true }, new Set([a.id])), []);
  assert.deepEqual(marks(undefined, new Set()), []);
  const { said, view } = mailbox(), counts = () => [...view.root.querySelectorAll(".msg-list .tab-badge")].map((b) => b.textContent);
  view.show(box(...list), page());
  assert.deepEqual(counts(), ["2", "1", "1"]);
  opened(view, "Messages with Suzuki");
  opened(view, "Messages with Suzuki");
  assert.deepEqual([said, counts()], [[["message.read", { upTo: c.id, with: "u:suzuki" }]], ["", "1", "1"]]);
  opened(view, "Messages with Everybody");
  assert.deepEqual(said.slice(1), [["message.read", { upTo: all.id, with: "all" }]]);
  const rest = [{ ...a, read: true }, b, { ...all, read: true }, { ...c, read: true }];
  view.show(box(...rest), page());
  assert.deepEqual([counts(), said.length], [["", "", "1"], 2], "the order stays, and the older one is new still");
});

test("a center that keeps one mark is never told to pass what nobody has opened", () => {
  const a = message(), b = message({ from: "ito", name: "Ito" }), c = message(), old = (...list) => snapshot({ messages: { rev: n, list }, unread: list.length });
  const { said, view } = mailbox();
  view.show(old(a, b, c), page());
  opened(view, "Messages with Suzuki");
  opened(view, "Messages with Suzuki");
  assert.deepEqual(said, [["message.read", { upTo: a.id }]]);
  view.show(old({ ...a, read: true }, b, c), page());
  opened(view, "Messages with Ito");
  assert.deepEqual(said.slice(1), [["message.read", { upTo: c.id }]]);
});

test("what was said while the center was away is said again when somebody looks again", () => {
  const { said, view } = mailbox();
  view.show(box(message()), page());
  opened(view, "Messages with Suzuki");
  view.look(true);
  assert.equal(said.length, 1, "nobody looked away");
  view.look(false);
  view.look(true);
  assert.deepEqual(said, [said[0], said[0]]);
});

test("nothing is marked while nobody looks", () => {
  const { said, view } = mailbox();
  view.show(box(message()), page());
  opened(view, "Messages with Suzuki");
  view.look(false);
  view.show(box(message(), message()), page());
  assert.equal(said.length, 1);
});

test("Enter sends, Shift+Enter and an input method do not; what was sent stays until the mailbox has it", () => {
  const { said, view } = mailbox(), first = message({ read: true });
  view.show(box(first), page());
  opened(view, "Messages with Suzuki");
  type(view, "了解しました");
  key(field(view), "Enter", { shiftKey: true });
  key(field(view), "Enter", { isComposing: true });
  key(field(view), "Enter", { keyCode: 229 });
  assert.deepEqual(said, []);
  key(field(view), "Enter");
  assert.deepEqual([said, field(view).value], [[["message.send", { to: "suzuki", text: "了解しました", replyTo: first.id }]], ""]);
  const pending = view.root.querySelector(".msg-pending");
  assert.deepEqual([pending.hidden, /Sending…/.test(pending.textContent)], [false, true]);
  key(field(view), "Enter");
  assert.equal(said.length, 1);
  view.show(box(first, mine({ text: "了解しました" })), page());
  assert.equal(pending.hidden, true);
  assert.equal(sessionStorage.length, 0);
});

test("what the center does not confirm comes back to be sent again", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { said, view } = mailbox();
  view.show(box(message({ read: true })), page());
  opened(view, "Messages with Suzuki");
  type(view, "one");
  find(view.root, "Send").click();
  t.mock.timers.tick(9000);
  view.tick(Date.now());
  assert.match(view.root.querySelector(".msg-pending").textContent, /Not confirmed/);
  find(view.root, "Edit again").click();
  assert.equal(field(view).value, "one");
  key(field(view), "Enter");
  assert.equal(said.filter(([w]) => w === "message.send").length, 2);
});

test("a thousand characters are counted as people count them", () => {
  const { said, view } = mailbox();
  view.show(box(message({ read: true })), page());
  opened(view, "Messages with Suzuki");
  type(view, "𠮷".repeat(1000));
  assert.match(view.root.querySelector("#msg-count").textContent, /^1000 of 1000/);
  assert.equal(find(view.root, "Send").disabled, false);
  type(view, "𠮷".repeat(1001));
  assert.match(view.root.querySelector("#msg-count").textContent, /too long/);
  key(field(view), "Enter");
  assert.deepEqual(said, []);
});

test("a draft stays with its conversation, also over a reload", () => {
  const list = [message({ read: true }), message({ from: "ito", name: "Ito", read: true })];
  const before = mailbox().view;
  before.show(box(...list), page());
  opened(before, "Messages with Suzuki");
  type(before, "half");
  opened(before, "Messages with Ito");
  assert.equal(field(before).value, "");
  before.root.remove();
  const { view } = mailbox();
  view.show(box(...list), page());
  opened(view, "Messages with Suzuki");
  assert.equal(field(view).value, "half");
});

test("text is text: no markup, no link, no direction marks", () => {
  const { view } = mailbox(), evil = "<img src=x onerror=alert(1)> https://evil.example \u202Etxt";
  view.show(box(message({ text: evil, name: evil })), page());
  view.root.querySelector(".msg-list button").click();
  assert.equal(view.root.querySelectorAll("img, a").length, 0);
  assert.equal(view.root.querySelector(".msg-log .msg-text").textContent, evil.replace("\u202E", ""));
});

test("a message to many says who has read it; to one, whether", () => {
  const { view } = mailbox();
  view.show(box(mine({ to: "", group: "north", toName: "North", sent: 20, seen: 12, readers: ["Ito", "Kato"] }), mine({ seen: 1 })), page());
  opened(view, "Messages with Group North");
  assert.equal(view.root.querySelector("details.msg-read").textContent, "Read by 12 of 20Ito, Kato and 10 more");
  opened(view, "Messages with Suzuki");
  assert.equal(view.root.querySelector("span.msg-read").textContent, "Read");
});

test("one writes to whom the role allows", () => {
  const { said, view } = mailbox();
  view.show({ ...box(), ...chief }, page());
  find(view.root, "New message").click();
  assert.deepEqual(said, [["people", {}]]);
  const seat = (account, groups) => ({ id: account, name: account, floor: "f", x: 0, y: 0, account, agent: account.toUpperCase(), groups });
  view.showFloor({ rev: 1, floors: [], statuses: [], at: "", groups: [{ id: "north", name: "North" }, { id: "south", name: "South" }], seats: [seat("sato", ["north"]), seat("ito", ["north"]), seat("kato", ["south"])] });
  const to = view.root.querySelector("#msg-to");
  assert.deepEqual([...to.options].map((o) => o.value), ["", "g:north", "u:ito"]);
  assert.equal(field(view).closest("form").hidden, true, "first to whom, then what");
  to.value = "g:north";
  to.dispatchEvent(new window.Event("change"));
  type(view, "all hands");
  view.root.querySelector("#msg-mark").click();
  find(view.root, "Send").click();
  assert.deepEqual(said.at(-1), ["message.send", { group: "north", text: "all hands", urgent: true }]);
});

test("the button says how many are new; what is urgent stays until it is read", () => {
  const { said, send } = ear(), opens = [], seen = new Set(), view = inboxView(send, (to) => opens.push(to), seen);
  document.body.append(view.root, view.urgent);
  view.show(snapshot({ local: true }), page());
  assert.equal(view.root.hidden, true, "without a center nobody could be written to");
  const loud = message({ urgent: true, text: "Fire drill" });
  view.show(box(message(), loud, message()), page());
  assert.equal(view.root.getAttribute("aria-label"), "Messages, 3 new");
  assert.deepEqual([view.urgent.hidden, view.urgent.querySelector("p").textContent], [false, "Fire drill"]);
  find(view.urgent, "I have read it").click();
  find(view.urgent, "Reply").click();
  view.root.click();
  assert.deepEqual([said, opens], [[["message.read", { upTo: loud.id, with: "u:suzuki" }]], [{ account: "suzuki", name: "Suzuki" }, undefined]]);
  const rest = [message(), { ...loud, read: true }];
  view.show(box(...rest), page());
  assert.deepEqual([view.urgent.hidden, view.root.getAttribute("aria-label")], [true, "Messages, 1 new"]);
  seen.add(rest[0].id);
  view.show(box(...rest), page());
  assert.equal(view.root.getAttribute("aria-label"), "Messages");
});

test("what there is to know stands above the field while somebody writes, and else where it was", () => {
  const notices = document.createElement("section"), rest = document.createElement("p"), app = document.createElement("div");
  app.append(notices, rest);
  document.body.append(app);
  const { view } = mailbox({ notices }), where = () => (notices.nextElementSibling === rest ? "below" : notices.parentElement?.nextElementSibling === field(view).form ? "above the field" : "lost");
  view.show(box(message()), page());
  assert.equal(where(), "below", "nothing is open");
  opened(view, "Messages with Suzuki");
  assert.equal(where(), "above the field");
  find(view.root, "New message").click();
  assert.equal(where(), "below", "nothing is written yet");
  opened(view, "Messages with Suzuki");
  view.look(false);
  assert.equal(where(), "below");
  view.look(true);
  assert.equal(where(), "above the field");
  key(field(view), "Escape");
  assert.equal(where(), "below");
});
