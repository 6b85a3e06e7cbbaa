import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, key, nameOf, page, settled, snapshot, speak, texts, call } from "./page.js";
import { settingsView } from "../js/later/settings.js";

beforeEach(() => speak("en"));

const mic = (label) => ({ kind: "microphone", label }), speaker = (label) => ({ kind: "speaker", label });

/** Devices as js/devices.js has them, with a hand on the plugs. */
function plugs(list, more = {}) {
  const watchers = new Set();
  const d = {
    there: list, opened: [], stopped: 0, show: undefined,
    list: () => d.there,
    watch(change) {
      watchers.add(change);
      change(d.there);
      return () => watchers.delete(change);
    },
    change(now) {
      d.there = now;
      for (const w of watchers) w(now);
    },
    watched: () => watchers.size,
    choosesSpeaker: () => true,
    async meter(label, show) {
      d.opened.push(label);
      d.show = show;
      return () => d.stopped++;
    },
    async tone(label) {
      d.opened.push(label);
    },
    close() {}, ...more,
  };
  return d;
}

function open(devices, snap = {}, chapter = "devices") {
  const { said, send } = ear();
  let left = 0;
  const view = settingsView(send, devices, () => left++);
  document.body.replaceChildren(view.root);
  view.open(true, chapter);
  const show = (more = {}, p = {}) => view.show(snapshot(more), page(p));
  show(snap);
  const list = (name) => [...find(view.root, name).closest("section").querySelectorAll("li")].map((li) => [li.querySelector("bdi").textContent, li.querySelector(".prefer-state").textContent.replace("✓\ufe0e ", "")]);
  const words = (name) => find(view.root, name).closest("li").querySelector(".trial-words").textContent;
  return { view, root: view.root, said, show, list, words, left: () => left };
}

test("devices are added, moved and removed by label, and kept at once", () => {
  const d = open(plugs([mic("Headset"), mic("Webcam"), speaker("Headset")]));
  const add = find(d.root, "Add a microphone");
  assert.deepEqual([...add.options].map((o) => o.value), ["Headset", "Webcam"]);
  assert.match(add.closest("section").textContent, /System default/, "when nothing is preferred");
  add.value = "Webcam";
  add.form.requestSubmit();
  assert.deepEqual(d.said.pop(), ["devices.save", { microphone: ["Webcam"] }]);
  d.show({ devices: { microphone: ["Webcam", "Headset"], ring: ["X"] } });
  find(d.root, "Move Headset up").focus();
  find(d.root, "Move Headset up").click();
  assert.deepEqual(d.said.pop(), ["devices.save", { microphone: ["Headset", "Webcam"], ring: ["X"] }], "the others stay");
  assert.equal(nameOf(document.activeElement), "Move Headset up", "the keyboard stays where it was");
  assert.match(d.root.textContent, /Headset is number 1 now\./, "and it is said");
  find(d.root, "Move Headset up").click();
  assert.deepEqual([d.said.length, find(d.root, "Move Headset up").getAttribute("aria-disabled")], [0, "true"], "the first goes no higher");
  find(d.root, "Remove Headset").click();
  assert.deepEqual(d.said.pop(), ["devices.save", { microphone: ["Webcam"], ring: ["X"] }]);
  assert.equal(nameOf(document.activeElement), "Remove Webcam", "the next one");
  find(d.root, "Remove Webcam").click();
  assert.equal(document.activeElement, add, "none is left: what adds one");
});

test("what is used, what is not there and what is used instead is said in words", () => {
  const devices = plugs([mic("Headset"), mic("Webcam"), speaker("Screen")]);
  const d = open(devices, { devices: { microphone: ["Old", "Headset", "Webcam"], speaker: ["Old"], ring: ["Horn"] }, rings: ["Horn", "Screen"] });
  assert.deepEqual(d.list("Add a microphone"), [["Old", "Not connected"], ["Headset", "In use"], ["Webcam", ""]]);
  assert.deepEqual(d.list("Add a loudspeaker"), [["Old", "Not connected"]]);
  assert.match(find(d.root, "Add a loudspeaker").closest("section").textContent, /None of these is connected: the system default is used\./);
  assert.deepEqual(d.list("Add a ring device"), [["Horn", "In use"]], "the phone itself rings on it");
  assert.deepEqual([...find(d.root, "Add a ring device").options].map((o) => o.value), ["Screen"], "never twice");
  devices.change([mic("Old"), mic("Webcam")]);
  assert.deepEqual(d.list("Add a microphone"), [["Old", "In use"], ["Headset", "Not connected"], ["Webcam", ""]], "at once");
  assert.equal(find(d.root, "Add a microphone").disabled, true);
  assert.equal(find(d.root, "Add a microphone").textContent, "No other device is connected");
  d.view.open(false);
  assert.equal(devices.watched(), 0, "closed settings watch nothing");
});

test("a hostile label is text", () => {
  const evil = "<img src=x onerror=alert(1)>\u202e";
  const d = open(plugs([mic(evil), speaker(evil)]), { devices: { microphone: [evil], ring: [evil] }, rings: [evil], ringTest: true });
  assert.equal(d.root.querySelector("img"), null);
  assert.doesNotMatch(d.root.textContent, /\u202e/);
  assert.equal([...d.root.querySelectorAll("button")].filter((b) => nameOf(b) === "Move <img src=x onerror=alert(1)> down").length, 2);
  find(d.root, "Ring test");
});

test("a browser names its devices once it was allowed to listen", async () => {
  const devices = plugs([]);
  const d = open(devices, { devices: { microphone: ["Headset"] } });
  assert.match(d.root.textContent, /The browser names the devices once it may use the microphone\./);
  assert.deepEqual(d.list("Add a microphone"), [["Headset", ""]], "nobody knows whether it is there");
  devices.meter = async () => (devices.change([mic("Headset")]), () => {});
  find(d.root, "Allow the microphone").click();
  await settled();
  assert.throws(() => find(d.root, "Allow the microphone"));
  assert.deepEqual(d.list("Add a microphone"), [["Headset", "In use"]]);
  const refused = plugs([], { meter: async () => { throw Object.assign(new Error(), { name: "NotAllowedError" }); } });
  const e = open(refused);
  find(e.root, "Allow the microphone").click();
  await settled();
  assert.ok(e.root.textContent.includes(texts("en")["problem.mic.denied"]), "and what to do when it may not");
});

test("where a browser chooses no loudspeaker, that is said", () => {
  const d = open(plugs([mic("Headset")], { choosesSpeaker: () => false }));
  assert.throws(() => find(d.root, "Add a loudspeaker"));
  assert.match(d.root.textContent, /This browser always plays on the system's loudspeaker\./);
});

test("the microphone test judges what it hears", async (t) => {
  let now = Date.now();
  t.mock.method(Date, "now", () => now);
  const devices = plugs([mic("Webcam"), mic("Headset")]);
  const d = open(devices, { devices: { microphone: ["Gone", "Headset"] } });
  const button = find(d.root, "Microphone test"), meter = find(d.root, "Microphone test").closest("li").querySelector("meter");
  for (const [level, bar, words] of [[0, 0, "test.mic.silent"], [0.003, 0.16, "test.mic.quiet"], [0.1, 0.67, "test.mic.good"]]) {
    button.click();
    await Promise.resolve();
    assert.equal(d.words("Microphone test"), texts("en")["test.mic.speak"]);
    devices.show(level);
    assert.equal(d.words("Microphone test"), texts("en")["test.mic.speak"], "not judged at once");
    now += 4500;
    devices.show(level);
    assert.equal(d.words("Microphone test"), texts("en")[words]);
    assert.ok(Math.abs(meter.value - bar) < 0.01, `${level}: ${meter.value}`);
    button.click();
    assert.deepEqual([button.getAttribute("aria-pressed"), meter.value], ["false", 0]);
  }
  assert.deepEqual([devices.opened, devices.stopped], [["Headset", "Headset", "Headset"], 3], "the preferred one that is there, given back each time");
  button.click();
  await Promise.resolve();
  d.view.open(false);
  assert.equal(devices.stopped, 4, "closing the settings gives it back too");
  devices.meter = async () => { throw new Error(); };
  d.view.open(true);
  button.click();
  await Promise.resolve(await Promise.resolve());
  assert.equal(d.words("Microphone test"), texts("en")["problem.mic.missing"]);
  assert.equal(button.getAttribute("aria-pressed"), "false");
});

test("a microphone that opens after the test has ended is given back", async () => {
  let give;
  const devices = plugs([mic("Headset")], { meter: () => new Promise((ok) => (give = ok)) });
  const d = open(devices);
  find(d.root, "Microphone test").click();
  find(d.root, "Microphone test").click();
  let back = 0;
  give(() => back++);
  await Promise.resolve(await Promise.resolve());
  assert.equal(back, 1);
});

test("the tone says what to do when it is not heard", async () => {
  const devices = plugs([speaker("Screen")]);
  const d = open(devices, { devices: { speaker: ["Gone", "Screen"] } });
  find(d.root, "Play a tone").click();
  assert.equal(find(d.root, "Play a tone").getAttribute("aria-busy"), "true");
  find(d.root, "Play a tone").click();
  await settled();
  assert.deepEqual([devices.opened, d.words("Play a tone")], [["Screen"], texts("en")["test.tone.done"]], "once");
  devices.tone = async () => { throw new Error(); };
  find(d.root, "Play a tone").click();
  await settled();
  assert.equal(d.words("Play a tone"), texts("en")["test.tone.failed"]);
});

test("echo and ring are asked of the phone, not in a call, and end with the settings", () => {
  const d = open(plugs([]), { rings: ["Horn"], devices: { ring: ["Horn"] } });
  find(d.root, "Echo test").click();
  d.show({ echo: true });
  assert.deepEqual([d.words("Echo test"), find(d.root, "Echo test").getAttribute("aria-pressed")], [texts("en")["test.echo.on"], "true"]);
  find(d.root, "Echo test").click();
  find(d.root, "Ring test").click();
  d.show({ ringTest: true, rings: ["Horn"], devices: { ring: ["Horn"] } });
  assert.equal(d.words("Ring test"), "Ringing on: Horn");
  find(d.root, "Ring test").click();
  assert.deepEqual(d.said, [["test.echo", { on: true }], ["test.echo", { on: false }], ["test.ring", {}]], "one ring at a time");
  d.show({ calls: [call()] });
  for (const name of ["Echo test", "Ring test"]) assert.deepEqual([find(d.root, name).disabled, d.words(name)], [true, "Not possible during a call."]);
  d.show({}, { owner: false, taken: true });
  assert.deepEqual([find(d.root, "Echo test").disabled, d.words("Echo test")], [true, texts("en")["sound.other"]]);
  d.show({ echo: true });
  d.view.open(false);
  assert.deepEqual(d.said.pop(), ["test.echo", { on: false }]);
});

test("the network test ends in a verdict that says what to do", () => {
  const d = open(plugs([]), {}, "network"), words = texts("en");
  find(d.root, "Network test").click();
  assert.deepEqual(d.said.pop(), ["test.network", {}]);
  d.show({ network: { state: "running", loss: 0, jitter: 0, rtt: 0, mos: 0 } });
  assert.deepEqual([find(d.root, "Network test").getAttribute("aria-busy"), d.words("Network test")], ["true", words["test.network.running"]]);
  find(d.root, "Network test").click();
  assert.equal(d.said.length, 0);
  const measured = (more) => ({ loss: 0, jitter: 3, rtt: 20, mos: 4.3, at: "2026-01-02T09:12:00Z", ...more });
  for (const [n, said] of [
    [measured({ state: "good" }), words["test.network.good"]],
    [measured({ state: "fair", loss: 2.5, jitter: 30 }), `${words["test.network.fair"]} ${words["test.network.loss"]}`],
    [measured({ state: "fair", loss: 0.5, jitter: 60 }), `${words["test.network.fair"]} ${words["test.network.jitter"]}`],
    [measured({ state: "bad", rtt: 700, mos: 1.9 }), `${words["test.network.bad"]} ${words["test.network.rtt"]}`],
    [measured({ state: "failed", mos: 0, problem: { code: "network.test", holes: { reason: "timeout" } } }), words["problem.network.test"].replace("{reason}", "timeout")],
  ]) {
    d.show({ network: n });
    assert.equal(d.words("Network test"), said);
    const figures = find(d.root, "Network test").closest("li").querySelector(".trial-figures").textContent;
    assert.match(figures, n.state === "failed" ? /^$/ : /^Loss [\d.]+% · Jitter \d+ ms · Round trip \d+ ms · Measured at \d\d:\d\d$/);
  }
  d.show({ local: true });
  assert.deepEqual([find(d.root, "Network test").disabled, d.words("Network test")], [true, words["test.network.local"]]);
});

test("the settings take the keyboard when they open and give it back on Escape", () => {
  const d = open(plugs([]));
  assert.equal(nameOf(document.activeElement), "Close the settings");
  key(document.activeElement, "Escape");
  find(d.root, "Close the settings").click();
  assert.equal(d.left(), 2);
  speak("ja");
  const ja = open(plugs([mic("ヘッドセット")]));
  for (const name of ["マイクを追加", "マイクテスト", "エコーテスト", "着信音テスト", "設定を閉じる"]) find(ja.root, name);
  find(ja.root, "ネットワークと暗号化").click();
  find(ja.root, "ネットワークテスト");
});
