import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, page, snapshot } from "./page.js";
import { createRing, loudnessOf, ringOf } from "../js/ring.js";

/** A sound card: what plays, on which device, and how far it has come. */
const card = { playing: new Set(), sinks: [], state: "running", came: 0, contexts: 0, gone: false };

class Context {
  constructor() {
    card.contexts++;
    this.destination = {};
    this.sampleRate = 8000;
  }
  get state() { return card.state; }
  get currentTime() { return card.came; }
  getOutputTimestamp() { return { contextTime: card.came }; }
  createBuffer(_, length) { return { getChannelData: () => new Float32Array(length), length }; }
  async setSinkId(id) {
    if (card.gone) throw new Error("gone");
    card.sinks.push(id);
  }
  async resume() {}
  async close() {}
}
class Source {
  constructor(_, { buffer, loop }) { Object.assign(this, { buffer, loop }); }
  connect() {}
  start() { card.playing.add(this); }
  stop() { card.playing.delete(this); }
}
Object.assign(globalThis, { AudioContext: Context, AudioBufferSourceNode: Source });
const outputs = ["Horn", "Screen"].map((label, i) => ({ kind: "audiooutput", label, deviceId: `id${i}` }));
let plugged = () => {};
Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices: { enumerateDevices: async () => outputs, addEventListener: (_, f) => (plugged = f), removeEventListener() {} } } });

/** The clock of what looks again and again. */
const timers = new Set();
globalThis.setInterval = (f) => (timers.add(f), f);
globalThis.clearInterval = (f) => timers.delete(f);
const tick = () => [...timers].forEach((f) => f());

beforeEach(() => {
  timers.clear();
  Object.assign(card, { playing: new Set(), sinks: [], state: "running", came: 0, contexts: 0, gone: false });
});

const offered = (more = {}) => call({ phase: "offered", ...more });

test("what rings follows from the snapshot alone", () => {
  const rows = [
    ["a call from outside", [offered()], {}, { call: "c1", kind: "outside" }],
    ["a call from inside", [offered({ outside: false })], {}, { call: "c1", kind: "inside" }],
    ["beside a call that talks", [call(), offered({ id: "c2" })], {}, { call: "c2", kind: "waiting" }],
    ["beside one that is held", [call({ phase: "held" }), offered({ id: "c2" })], {}, { call: "c2", kind: "outside" }],
    ["nothing", [], {}, undefined],
    ...["dialing", "alerted", "joining", "talking", "held", "ending"].map((phase) => [phase, [call({ phase })], {}, undefined]),
    ["in another page", [offered()], { owner: false, taken: true }, undefined],
    ["when the phone does not answer, nobody knows whether it still rings", [offered()], { linked: false }, undefined],
  ];
  for (const [name, calls, p, want] of rows) assert.deepEqual(ringOf(snapshot({ calls }), page(p)), want, name);
  assert.equal(ringOf(snapshot({ phase: "leaving", calls: [offered()] }), page()), undefined);
  assert.equal(ringOf(undefined, page()), undefined);
  assert.deepEqual(ringOf(snapshot({ ringTest: true }), page()), { call: "", kind: "outside" });
  assert.deepEqual(ringOf(snapshot({ ringTest: true, calls: [offered({ outside: false })] }), page()), { call: "c1", kind: "inside" }, "a call before a test");
});

test("a ring is as loud as it was chosen, and a waiting call may be shown only", () => {
  const at = (settings) => snapshot({ settings }), outside = { call: "c1", kind: "outside" }, waiting = { call: "c2", kind: "waiting" };
  assert.deepEqual([loudnessOf(at({}), outside), loudnessOf(at({ "ring.volume": 50 }), outside), loudnessOf(at({ "ring.volume": 0 }), outside)], [1, 0.25, 0]);
  assert.deepEqual([loudnessOf(at({}), waiting), loudnessOf(at({ "calls.waiting": "silent" }), waiting), loudnessOf(at({ "calls.waiting": "silent" }), outside)], [1, 0, 1]);
  let drawn;
  Context.prototype.createBuffer = (_, length) => ({ getChannelData: () => (drawn = new Float32Array(length)), length });
  const ring = createRing(() => {}, () => {}), loudest = () => drawn.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  ring.play(outside, 1);
  const full = loudest();
  ring.play(outside, 0.25);
  assert.ok(Math.abs(loudest() - full / 4) < 0.001, "changed while it rings");
  ring.play(outside, 0);
  assert.deepEqual([loudest(), card.playing.size], [0, 1], "silence is played: the device is proven all the same");
  ring.close();
});

test("a ring stops with the snapshot, whatever came before", () => {
  const ring = createRing(() => {}, () => {});
  const states = [[offered()], [], [call(), offered({ id: "c2" })], [call()], [offered({ id: "c3" })], [offered({ id: "c4", outside: false })], [call({ id: "c4", phase: "ending" })]];
  let seed = 7;
  const dice = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let i = 0; i < 500; i++) {
    const snap = snapshot({ calls: states[dice(states.length)] }), p = page({ owner: dice(4) > 0, linked: dice(5) > 0 });
    ring.play(ringOf(snap, p));
    assert.equal(card.playing.size, ringOf(snap, p) ? 1 : 0, `step ${i}`);
  }
  ring.play({ call: "c1", kind: "outside" });
  ring.close();
  assert.equal(card.playing.size, 0);
});

test("a ring counts as heard only when its samples were rendered, and once", () => {
  const heard = [], ring = createRing(() => {}, (id) => heard.push(id));
  ring.play({ call: "c1", kind: "outside" });
  tick();
  assert.deepEqual(heard, [], "the device takes nothing");
  card.came = 0.05;
  tick();
  assert.deepEqual(heard, [], "not enough");
  card.came = 0.2;
  tick();
  card.came = 9;
  tick();
  assert.deepEqual([heard, timers.size], [["c1"], 0]);
  ring.play({ call: "c1", kind: "waiting" });
  card.came = 12;
  tick();
  assert.deepEqual(heard, ["c1"], "the same call");
  ring.play({ call: "c2", kind: "outside" });
  ring.play(undefined);
  card.came = 20;
  tick();
  assert.deepEqual(heard, ["c1"], "it stopped before it was heard");
  ring.play({ call: "", kind: "outside" });
  card.came = 30;
  tick();
  assert.deepEqual(heard, ["c1"], "a test is no call");
});

test("a page that nobody has touched rings and says so once it may", () => {
  card.state = "suspended";
  const heard = [], made = [];
  globalThis.AudioContext = class extends Context { constructor() { super(); made.push(this); } };
  const ring = createRing(() => {}, (id) => heard.push(id));
  ring.play({ call: "c1", kind: "outside" });
  assert.deepEqual([ring.able(), card.playing.size], [false, 0]);
  card.state = "running";
  made[0].onstatechange();
  card.came = 1;
  tick();
  assert.deepEqual([ring.able(), card.playing.size, heard], [true, 1, ["c1"]]);
  globalThis.AudioContext = Context;
});

test("a ring plays on the first ring device that is there, else on the loudspeaker", async () => {
  const ring = createRing(() => {}, () => {});
  const after = async (p) => {
    ring.use(p);
    await new Promise((done) => setTimeout(done, 2));
    return card.sinks.splice(0);
  };
  ring.able();
  assert.deepEqual(await after(undefined), [], "the system's own");
  assert.deepEqual(await after({ ring: ["Gone", "Screen"] }), ["id1"]);
  assert.deepEqual(await after({ ring: ["Gone", "Screen"] }), [], "nothing new");
  assert.deepEqual((await after({ ring: ["Gone"], speaker: ["Horn"] })).sort(), ["id0", "id0"], "key tones follow the loudspeaker");
  outputs.push({ kind: "audiooutput", label: "Gone", deviceId: "id9" });
  await plugged();
  card.gone = true;
  assert.deepEqual(await after({}), [], "a device that goes meanwhile is no failure");
});
