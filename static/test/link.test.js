import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { settled } from "./page.js";
import { connect, openSession, pageName } from "../js/link.js";

/** Sockets that a test opens and closes itself. */
class FakeSocket {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = url;
    FakeSocket.all.push(this);
  }
  send(text) { this.sent.push(JSON.parse(text).type); }
  close() { this.readyState = 3; }
  up() { this.readyState = 1, this.onopen(); }
  down() { this.readyState = 3, this.onclose(); }
}

const kept = {};
beforeEach(() => {
  FakeSocket.all = [];
  for (const name of ["WebSocket", "fetch", "sessionStorage", "history", "navigator"]) kept[name] = Object.getOwnPropertyDescriptor(globalThis, name);
  const store = new Map();
  put("WebSocket", FakeSocket);
  put("sessionStorage", { getItem: (k) => store.get(k) ?? null, setItem: (k, v) => store.set(k, v) });
});
afterEach(() => {
  for (const [name, was] of Object.entries(kept)) was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name];
});
const put = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

const ear = () => {
  const heard = [];
  return { heard, hear: (e) => heard.push(e.type), linked: (up) => heard.push(up), ended: () => heard.push("ended") };
};

test("what comes before somebody listens is kept for them, and what is said before there is a connection for the phone", () => {
  const link = connect("a-page-of-mine"), [socket] = FakeSocket.all;
  assert.equal(socket.url, `ws://${location.host}/ws?page=a-page-of-mine`);
  link.send("signin");
  link.send("mic.state", { state: "open" });
  assert.deepEqual(socket.sent, []);
  socket.up();
  socket.onmessage({ data: '{"type":"snapshot","body":{}}' });
  assert.deepEqual(socket.sent, ["signin", "mic.state"]);
  const to = ear();
  link.listen(to);
  assert.deepEqual(to.heard, [true, "snapshot"]);
  socket.onmessage({ data: '{"type":"floor","body":{}}' });
  link.send("call.hangup");
  assert.deepEqual([to.heard.at(-1), socket.sent.at(-1)], ["floor", "call.hangup"]);
  link.close();
});

test("what is said while a connection is broken is lost: nobody signs in or hangs up a minute later", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  put("fetch", async () => ({ status: 204 }));
  for (const ever of [true, false]) {
    FakeSocket.all = [];
    const link = connect("a-page-of-mine"), to = ear();
    link.listen(to);
    if (ever) FakeSocket.all[0].up();
    else link.send("signin");
    FakeSocket.all[0].down();
    link.send("call.hangup");
    t.mock.timers.tick(200);
    for (let i = 0; i < 5; i++) await Promise.resolve();
    assert.equal(FakeSocket.all.length, 2, "again");
    FakeSocket.all[1].up();
    assert.deepEqual([FakeSocket.all[1].sent, to.heard], [[], ever ? [true, false, true] : [false, true]]);
    link.close();
  }
});

test("the secret leaves the address, and its answer is the phone as it is", async () => {
  const asked = [], addresses = [];
  put("history", { replaceState: (_, __, to) => addresses.push(to) });
  const answers = { "/session": { ok: true, status: 200, json: async () => ({ type: "snapshot" }) }, "/session/check": { ok: true, status: 204 } };
  put("fetch", async (path, how) => (asked.push([path, how.body]), answers[path]));
  location.hash = "#the-secret";
  const { open, word } = await openSession();
  assert.deepEqual([open, await word], [true, { type: "snapshot" }]);
  assert.deepEqual([asked, addresses], [[["/session", '{"token":"the-secret","show":true}']], ["/"]]);
  answers["/session"] = { ok: false, status: 403 };
  assert.deepEqual(await openSession(), { open: true }, "an earlier session is good");
  answers["/session/check"] = { ok: false, status: 401 };
  assert.deepEqual(await openSession(), { open: false });
  location.hash = "";
  assert.deepEqual(await openSession(), { open: false });
});

test("a tab keeps its name; a duplicated one takes another", async () => {
  const held = new Set();
  put("navigator", { locks: { request: async (name, _, then) => void then(held.has(name) ? null : (held.add(name), {})) } });
  const name = await pageName();
  assert.match(name, /^[\w-]{36}$/);
  assert.ok(held.has(`zaseki.page.${name}`));
  assert.notEqual(await pageName(), name, "as long as the other is open");
  held.clear();
  const last = sessionStorage.getItem("zaseki.page");
  assert.equal(await pageName(), last);
  await settled();
});
