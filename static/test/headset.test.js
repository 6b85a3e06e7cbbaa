import assert from "node:assert/strict";
import { test } from "node:test";
import { call, ear, settled, snapshot } from "./page.js";
import { headsets } from "../js/headsets.js";
import { bits, createHeadsets, fieldsOf, lightsOf, meaning, pressedIn } from "../js/later/headset.js";

/** Items as WebHID lists them. */
const item = (usages, more = {}) => ({ usages, reportSize: 1, reportCount: usages.length || 1, isAbsolute: true, isArray: false, isConstant: false, isRange: false, logicalMinimum: 0, ...more });

/** A headset of the usual kind: report 8 has hook switch and mute, report 9 the lights; descriptors as two makers write them. */
const LAYOUTS = {
  plain: [{ usagePage: 0x0b, usage: 5, inputReports: [{ reportId: 8, items: [item([0x0b0020, 0x0b0021]), item([0x0b002f], { isAbsolute: false }), item([], { reportCount: 5, isConstant: true })] }],
    outputReports: [{ reportId: 9, items: [item([0x080017, 0x080009, 0x080018]), item([], { reportCount: 5, isConstant: true })] }] }],
  nested: [{ usagePage: 0x0c, usage: 1, inputReports: [{ reportId: 2, items: [item([0x0c00e9])] }] }, { usagePage: 0x0b, usage: 5, children: [{ inputReports: [{ reportId: 2, items: [item([], { isRange: true, usageMinimum: 0x0b001f, usageMaximum: 0x0b0020, reportCount: 2 }), item([0x0b002f])] }],
    outputReports: [{ reportId: 2, items: [item([], { reportCount: 9, isConstant: true }), item([0x080020])] }] }] }],
  array: [{ usagePage: 0x0b, usage: 5, inputReports: [{ reportId: 1, items: [item([0x0b0020, 0x0b002f], { isArray: true, reportSize: 8, reportCount: 1, logicalMinimum: 1 })] }], outputReports: [] }],
};
const BUTTONS = { hook: 0x0b0020, mute: 0x0b002f };
const view = (...bytes) => new DataView(new Uint8Array(bytes).buffer);

test("buttons are found wherever a maker put them", () => {
  for (const [name, report, idle, hook, mute] of [["plain", 8, [0], [1], [4]], ["nested", 2, [0], [4], [8]], ["array", 1, [0], [1], [2]]]) {
    const fields = fieldsOf(LAYOUTS[name], "inputReports", BUTTONS);
    assert.deepEqual([idle, hook, mute].map((b) => pressedIn(fields, report, view(...b))), [{ hook: false, mute: false }, { hook: true, mute: false }, { hook: false, mute: true }], name);
    assert.deepEqual(pressedIn(fields, 77, view(255)), {});
    pressedIn(fields, report, view()); // too short
  }
  assert.equal(bits(view(0b1010_0000, 0b1), 5, 4), 0b1101);
});

test("what a press means depends on the call", () => {
  const at = (phase, more = {}) => snapshot({ calls: [call({ phase })], ...more });
  for (const [snap, press, want] of [[at("offered"), "lift", ["call.answer", { call: "c1" }]], [at("offered"), "drop", ["call.decline", { call: "c1" }]], [at("talking"), "drop", ["call.hangup", { call: "c1" }]], [at("talking"), "lift", undefined],
    [at("talking"), "mute", ["call.mute", { on: true }]], [at("talking", { muted: true }), "mute", ["call.mute", { on: false }]], [at("dialing"), "drop", ["call.hangup", { call: "c1" }]], [snapshot(), "mute", undefined], [snapshot(), "lift", undefined]]) {
    assert.deepEqual(meaning(snap, press), want, `${press} at ${snap.calls?.[0]?.phase}`);
  }
  assert.deepEqual(lightsOf(at("held")), { offHook: true, ring: false, mute: false, hold: true });
  assert.deepEqual(lightsOf(undefined), { offHook: false, ring: false, mute: false, hold: false });
});

/** WebHID with one headset, and what was sent to it. */
function plugged(layout) {
  const target = () => {
    const heard = new Map();
    return { addEventListener: (t, f) => heard.set(t, f), removeEventListener: (t) => heard.delete(t), fire: (t, e) => heard.get(t)?.(e), listens: () => heard.size };
  };
  const sent = [], device = { ...target(), collections: LAYOUTS[layout], productName: "Headset X", opened: false, open: async () => void (device.opened = true), close: async () => void (device.opened = false), sendReport: async (id, b) => void sent.push([id, ...b]) };
  const hid = { ...target(), getDevices: async () => [device], requestDevice: async () => [device] };
  return { hid, device, sent };
}

test("a headset answers, mutes and hangs up; its lights follow the call and are no presses", async (t) => {
  let now = 1e6;
  t.mock.method(Date, "now", () => now);
  const { hid, device, sent } = plugged("plain"), { said, send } = ear();
  const all = createHeadsets(send, hid, () => {});
  await settled();
  assert.deepEqual(all.list(), [{ name: "Headset X", can: { hook: true, mute: true, ring: true, light: true } }]);
  const press = (byte) => device.fire("inputreport", { reportId: 8, data: view(byte) });
  all.show(snapshot({ calls: [call({ phase: "offered" })] }));
  assert.deepEqual(sent.pop(), [9, 4], "the ring light");
  now += 1000;
  press(1);
  assert.deepEqual(said.pop(), ["call.answer", { call: "c1" }]);
  all.show(snapshot({ calls: [call()] }));
  assert.deepEqual(sent.pop(), [9, 1], "off hook");
  press(1);
  press(0);
  press(1);
  assert.deepEqual(said, [], "what it repeats at once is no press");
  now += 1000;
  press(5);
  press(1);
  assert.deepEqual(said.pop(), ["call.mute", { on: true }], "mute is a push, not a state");
  all.show(snapshot({ muted: true, calls: [call()] }));
  assert.deepEqual(sent.pop(), [9, 3]);
  now += 1000;
  press(0);
  assert.deepEqual(said.pop(), ["call.hangup", { call: "c1" }]);
  all.show(snapshot());
  assert.deepEqual(sent.pop(), [9, 0]);
  hid.fire("disconnect", { device });
  assert.deepEqual([all.list(), device.listens()], [[], 0]);
});

test("headsets are looked for only where they are switched on, in the page that has the sound", async () => {
  const { hid, device } = plugged("plain"), all = headsets(ear().send, hid);
  const on = snapshot({ settings: { "headset.use": true } });
  await all.show(snapshot(), true);
  await all.show(on, false);
  await settled();
  assert.equal(device.opened, false);
  await all.show(on, true);
  await settled();
  assert.deepEqual([device.opened, all.list().length], [true, 1]);
  await all.show(snapshot(), true);
  assert.deepEqual([all.list().length, device.opened], [0, false]);
  const none = headsets(ear().send, null);
  assert.equal(none.can(), false);
  await none.show(on, true);
});
