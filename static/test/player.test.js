import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, ear, find, key, nameOf, page, settled, snapshot, speak, texts } from "./page.js";
import { historyView } from "../js/view/history.js";
import { outline } from "../js/view/player.js";
import { readWave } from "../js/wave.js";

beforeEach(() => speak("en"));

/** A WAV file: for each channel the loudness of each second, 0 to 1. */
function wav(channels, { rate = 8000, extra = new Uint8Array(0), size } = {}) {
  const seconds = channels[0].length, data = new Int16Array(seconds * rate * channels.length);
  for (let i = 0; i < data.length; i++) data[i] = 32767 * channels[i % channels.length][Math.floor(i / channels.length / rate)] * (i % 3 ? 1 : -1);
  const head = new DataView(new ArrayBuffer(44 + extra.length)), text = (at, s) => [...s].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"), text(8, "WAVEfmt ");
  for (const [at, n] of [[4, 36 + data.byteLength], [16, 16], [24, rate], [28, rate * 2 * channels.length]]) head.setUint32(at, n, true);
  for (const [at, n] of [[20, 1], [22, channels.length], [32, 2 * channels.length], [34, 16]]) head.setUint16(at, n, true);
  new Uint8Array(head.buffer).set(extra, 36);
  text(36 + extra.length, "data"), head.setUint32(40 + extra.length, size ?? data.byteLength, true);
  return new Blob([head.buffer, data.buffer], { type: "audio/wav" });
}

const near = (got, want) => assert.ok(got.length === want.length && got.every((v, i) => Math.abs(v - want[i]) < 0.01), `${got} is not ${want}`);

test("a recording is read by channel, whatever else the file holds", async () => {
  const two = [[0.5, 0, 0, 1], [0, 0.25, 0, 0.1]];
  const list = new Uint8Array([..."LIST"].map((c) => c.charCodeAt(0)).concat([3, 0, 0, 0], [1, 2, 3, 0])); // an odd chunk is padded
  for (const blob of [wav(two), wav(two, { extra: list }), wav(two, { rate: 16000 }), wav(two, { size: 0xffffffff })]) {
    const { seconds, loud } = await readWave(blob, 4);
    assert.equal(seconds, 4);
    near(loud[0], two[0]);
    near(loud[1], two[1]);
  }
  const { seconds, loud } = await readWave(wav([[]]), 4);
  assert.deepEqual([seconds, loud], [0, [[]]], "an empty one is empty");
});

test("what is no recording is refused, not guessed at", async () => {
  const good = new Uint8Array(await wav([[1], [1]]).arrayBuffer());
  for (let cut = 0; cut < 44; cut++) await assert.rejects(readWave(new Blob([good.slice(0, cut)]), 4), `cut at ${cut}`);
  for (const [at, value] of [[0, 65], [8, 65], [20, 3], [34, 8], [22, 0], [36, 65]]) {
    const bad = good.slice(0, 60);
    bad[at] = value;
    await assert.rejects(readWave(new Blob([bad]), 4), `byte ${at}`);
  }
  await assert.rejects(readWave(new Blob(["<html>no such call</html>"]), 4));
});

test("silence is drawn as a line, loudness as bars", () => {
  assert.equal(outline([]), "");
  assert.equal(outline([0, 1]), "M0.15 -0.02h.7V0.02h-.7zM1.15 -1.00h.7V1.00h-.7z");
});

const past = (more = {}) => ({ id: "h1", inbound: true, outside: true, number: "0312345678", name: "Yamada", began: new Date().toISOString(), talked: 64e9, result: "answered", ...more });
const refusal = (status, code) => Object.assign(new Error(), { status, problem: code && { code } });

function list(calls, blob = async () => wav([[1, 0, 1], [0, 1, 0]]), policy = { hear: true }) {
  const { said, send } = ear();
  const asked = [];
  const view = historyView(send, () => {}, (path) => (asked.push(path), blob(path)));
  document.body.replaceChildren(view.root);
  const show = (c, p = policy) => view.show(snapshot({ history: c, policy: p }), page());
  show(calls);
  return { view, root: view.root, said, asked, show };
}

test("the history says how each call sounded and whether it is recorded", () => {
  const d = list([past({ quality: { mos: 4.2 }, recording: "sent" }), past({ id: "h2", quality: { mos: 1.8 }, recording: "kept" }), past({ id: "h3", result: "missed" })]);
  const how = () => [...d.root.querySelectorAll(".history-how")].map((e) => [...e.children].filter((c) => !c.hidden).map((c) => c.textContent.replaceAll("\ufe0e", "")).filter(Boolean).join(" "));
  assert.deepEqual(how(), ["Answered ●Good4.2 Recorded", "Answered ✖Poor1.8 Recorded; not sent to the center yet", "Missed"]);
  const buttons = () => [...d.root.querySelectorAll(".history-play")].map((b) => !b.hidden);
  assert.deepEqual(buttons(), [true, true, false]);
  d.show([past({ recording: "sent" }), past({ id: "h2", recording: "kept" }), past({ id: "h3" })], {});
  assert.deepEqual(buttons(), [false, false, false], "only where the center lets one listen");
});

test("a recording opens under its call: waveform, play, position by keyboard and mouse", async () => {
  const d = list([past({ id: "h 1", recording: "sent" }), past({ id: "h2", name: "Suzuki", recording: "sent" })]);
  const open = find(d.root, "Play the recording of Yamada");
  open.click();
  assert.deepEqual([open.getAttribute("aria-expanded"), d.asked], ["true", ["/recording?call=h%201"]]);
  assert.match(d.root.querySelector(".player").textContent, /Fetching the recording…/);
  await settled();
  const player = d.root.querySelector(".player"), slider = find(player, "Position");
  assert.equal(nameOf(player), "Recording: Yamada");
  assert.deepEqual([...player.querySelectorAll(".wave path")].map((p) => p.getAttribute("d").length > 100), [true, true], "who spoke when, both of them");
  assert.equal(nameOf(document.activeElement), "Play", "the keyboard is where one wants it");
  const value = () => [slider.getAttribute("aria-valuenow"), slider.getAttribute("aria-valuetext")];
  assert.deepEqual([...value(), slider.getAttribute("aria-valuemax")], ["0", "0:00 of 0:03", "3"]);
  find(player, "Play").click();
  assert.equal(nameOf(document.activeElement), "Pause");
  find(player, "Pause").click();
  for (const [k, at] of [["ArrowRight", "3"], ["Home", "0"], ["ArrowLeft", "0"], ["End", "3"], ["PageDown", "0"]]) {
    key(slider, k);
    assert.equal(value()[0], at, k);
  }
  key(slider, " ");
  find(player, "Pause");
  slider.getBoundingClientRect = () => ({ left: 100, width: 300 });
  slider.dispatchEvent(new window.MouseEvent("pointerdown", { clientX: 200, bubbles: true }));
  assert.deepEqual(value(), ["1", "0:01 of 0:03"]);
  d.show([past({ id: "h 1", recording: "sent" }), past({ id: "h2", name: "Suzuki", recording: "sent" })]);
  assert.ok(player.isConnected, "news leave it alone");
  find(d.root, "Play the recording of Suzuki").click();
  assert.deepEqual([player.isConnected, d.root.querySelectorAll(".player").length, open.getAttribute("aria-expanded")], [false, 1, "false"], "one plays at a time");
  key(document.activeElement, "Escape");
  assert.deepEqual([d.root.querySelectorAll(".player").length, nameOf(document.activeElement)], [0, "Play the recording of Suzuki"]);
});

test("a recording that cannot be heard says why", async () => {
  for (const [fails, words] of [
    [refusal(404, "record.none"), "problem.record.none"], [refusal(409, "record.coming"), "problem.record.coming"], [refusal(502, "center.offline"), "problem.center.offline"], [refusal(500), "player.broken"], [new TypeError("fetch failed"), "player.lost"], [undefined, "player.broken"],
  ]) {
    const d = list([past({ recording: "sent" })], async () => { if (fails) throw fails; return new Blob(["not a recording"]); });
    find(d.root, "Play the recording of Yamada").click();
    await settled();
    const player = d.root.querySelector(".player");
    assert.equal(player.querySelector("[role=status]").textContent, texts("en")[words]);
    assert.throws(() => find(player, "Play"), "nothing to play");
    find(player, "Close the recording").click();
    assert.equal(d.root.querySelector(".player"), null);
  }
});

test("a recording that was still on its way is fetched again once the center has it", async () => {
  let there = false;
  const d = list([past({ recording: "kept" })], async () => { if (!there) throw refusal(409, "record.coming"); return wav([[1], [1]]); });
  find(d.root, "Play the recording of Yamada").click();
  await settled();
  d.show([past({ recording: "kept" })]);
  await settled();
  assert.equal(d.asked.length, 1, "not asked for all the time");
  there = true;
  d.show([past({ recording: "sent" })]);
  await settled();
  assert.equal(d.asked.length, 2);
  find(d.root.querySelector(".player"), "Play");
  d.show([past({ recording: "sent", quality: { mos: 4 } })]);
  await settled();
  assert.equal(d.asked.length, 2, "what plays is left alone");
});

test("a recording pauses for a call, and ends when its call is no longer listed", async () => {
  const d = list([past({ recording: "sent" })]), other = past({ id: "h2" });
  find(d.root, "Play the recording of Yamada").click();
  await settled();
  const play = find(d.root.querySelector(".player"), "Play");
  play.click();
  d.view.show(snapshot({ history: [other, past({ recording: "sent" })], policy: { hear: true }, calls: [call({ phase: "offered" })] }), page());
  assert.equal(nameOf(play), "Play", "nobody hears a recording and a caller at once");
  play.click();
  d.show([other]);
  assert.deepEqual([d.root.querySelector(".player"), nameOf(play)], [null, "Play"]);
  d.show([past({ recording: "sent" })]);
  find(d.root, "Play the recording of Yamada").click();
  d.view.end();
  assert.equal(d.root.querySelector(".player"), null);
});

test("a recording that comes after its player was closed does nothing", async () => {
  let give;
  const d = list([past({ recording: "sent" })], () => new Promise((ok) => (give = ok)));
  find(d.root, "Play the recording of Yamada").click();
  find(d.root, "Play the recording of Yamada").click();
  give(wav([[1], [1]]));
  await settled();
  assert.equal(d.root.querySelector(".player"), null);
});
