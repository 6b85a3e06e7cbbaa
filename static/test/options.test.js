import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { ear, find, key, page, snapshot, speak, texts } from "./page.js";
import { begun, pressed } from "../js/later/chord.js";
import { applyLook, CHAPTERS, chordOf, valueOf } from "../js/settings.js";
import { settingsIn } from "../js/later/move.js";
import { isOrigin } from "../js/later/option.js";
import { settingsView } from "../js/later/settings.js";
import { updateView } from "../js/view/update.js";

beforeEach(() => {
  speak("en");
  localStorage.clear();
});

const devices = { list: () => [], watch: (f) => (f([]), () => {}), choosesSpeaker: () => true, meter: async () => () => {}, tone: async () => {}, close() {} };

/** The settings at a chapter. */
function at(chapter, snap = {}) {
  const { said, send } = ear();
  const view = settingsView(send, devices, () => {}, { read: async () => ({ devices: [] }), ask: async () => ({}) });
  document.body.replaceChildren(view.root);
  view.open(true, chapter);
  const show = (more = {}) => view.show(snapshot(more), page());
  show(snap);
  return { root: view.root, said, show, view };
}

test("every setting of the phone is on the page, as the phone knows it, and has its words in both languages", () => {
  const source = readFileSync(new URL("../../web/wire/settings.go", import.meta.url), "utf8");
  const names = Object.fromEntries([...source.matchAll(/^\t(Set\w+) += "([a-z_.]+)"/gm)].map((m) => [m[1], m[2]]));
  const mine = Object.values(CHAPTERS).flat();
  assert.deepEqual(mine.map((s) => s.name).sort(), Object.values(names).sort());
  const of = (name) => mine.find((s) => s.name === names[name]);
  for (const [, name, on] of source.matchAll(/toggle\((Set\w+), (true|false)\)/g)) assert.deepEqual([of(name).kind, String(of(name).usual)], ["switch", on], name);
  for (const [, name, choices] of source.matchAll(/choice\((Set\w+), ([^)]+)\)/g)) assert.deepEqual(of(name).choices, JSON.parse(`[${choices}]`), name);
  for (const [, name, min, max, usual] of source.matchAll(/number\((Set\w+), (\d+), (\d+), (\d+)\)/g)) assert.deepEqual([of(name).min, of(name).max, of(name).usual], [min, max, usual].map(Number), name);
  for (const [, name] of source.matchAll(/chord\((Set\w+)\)/g)) assert.equal(of(name).kind, "chord");
  for (const lang of ["en", "ja"]) {
    const words = texts(lang);
    for (const s of mine) for (const k of [`set.${s.name}`, ...(s.choices ?? []).map((c) => `set.${s.name}.${c}`)]) assert.ok(words[k], `${lang}: ${k}`);
    for (const id of [...Object.keys(CHAPTERS), "safety", "devices", "network", "update", "move"]) assert.ok(words[`set.chapter.${id}`], id);
  }
});

test("a change is sent at once and believed until the phone has said what holds", () => {
  const d = at("ring", { settings: { "ring.volume": 100 } });
  const slide = find(d.root, "Ring volume");
  slide.value = "40";
  slide.dispatchEvent(new window.Event("input"));
  slide.dispatchEvent(new window.Event("change"));
  assert.deepEqual(d.said.pop(), ["setting.change", { name: "ring.volume", value: 40 }]);
  d.show({ settings: { "ring.volume": 100 }, muted: true });
  assert.equal(slide.value, "40", "a snapshot from before does not move it back");
  d.show({ settings: { "ring.volume": 40 } });
  d.show({ settings: { "ring.volume": 70 } });
  assert.deepEqual([slide.value, slide.getAttribute("aria-valuetext")], ["70", "70%"], "afterwards the phone has the word");
  find(d.root, "Bring the page to the front when a call comes in").click();
  assert.deepEqual(d.said.pop(), ["setting.change", { name: "ring.raise", value: true }]);
});

test("a locked setting says who set it and cannot be changed; one that does not work says why", () => {
  const d = at("links", { settings: { "links.tel": true }, locks: { "links.tel": "Tokyo <b>", "links.sip": "" }, failing: { "links.callto": { code: "links.refused", holes: { scheme: "callto", reason: "no desktop" } } } });
  const tel = find(d.root, "Open tel: links with this phone"), said = tel.closest(".option");
  assert.deepEqual([tel.disabled, tel.checked], [true, true]);
  assert.match(said.textContent, /Set by Tokyo <b>\. It cannot be changed here\./);
  assert.equal(said.querySelector("b"), null);
  for (const id of tel.getAttribute("aria-describedby").split(" ")) assert.ok(document.getElementById(id), id);
  assert.match(find(d.root, "Open sip: links with this phone").closest(".option").textContent, /Set by your center/);
  assert.match(find(d.root, "Open callto: links with this phone").closest(".option").textContent, /did not take this phone for callto links: no desktop\./);
  d.show({ settings: { "links.tel": true } });
  assert.equal(tel.disabled, false);
});

test("keys are pressed, not typed; what cannot be kept is refused in words", () => {
  const d = at("hotkeys", { settings: { "hotkey.hold": "Ctrl+Alt+H" } });
  const mute = document.getElementById("hotkey-mute"), said = () => mute.parentElement.querySelector(".option-trouble").textContent;
  mute.click();
  assert.match(mute.textContent, /Press the keys/);
  key(mute, "Control", { ctrlKey: true, code: "ControlLeft" });
  assert.equal(mute.textContent, "Ctrl+…");
  key(mute, "m", { code: "KeyM" });
  assert.match(said(), /this key alone would be gone/);
  key(mute, "ｈ", { code: "KeyH", ctrlKey: true, altKey: true });
  assert.deepEqual([said(), d.said.length], ["Ctrl+Alt+H is taken already by “Hold”.", 0]);
  mute.click();
  key(mute, "Escape");
  assert.equal(mute.textContent, "None", "Escape leaves it, and does not close the settings");
  mute.click();
  key(mute, "M", { code: "KeyM", ctrlKey: true, shiftKey: true });
  assert.deepEqual([d.said.pop(), mute.textContent], [["setting.change", { name: "hotkey.mute", value: "Ctrl+Shift+M" }], "Ctrl+Shift+M"]);
  find(d.root, "Remove the keys of “Mute”").click();
  assert.deepEqual([d.said.pop(), document.activeElement], [["setting.change", { name: "hotkey.mute", value: "" }], mute]);
});

test("a chord has its modifiers in one order and its key by place", () => {
  const of = (more) => pressed({ key: "x", code: "", ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, ...more });
  for (const [more, want] of [
    [{ code: "KeyA", altKey: true, ctrlKey: true }, "Ctrl+Alt+A"], [{ code: "Digit1", metaKey: true, shiftKey: true }, "Shift+Super+1"], [{ code: "F9" }, "F9"], [{ code: "F24", shiftKey: true }, "Shift+F24"],
    [{ code: "Pause", key: "Pause" }, "Pause"], [{ code: "MediaPlayPause" }, "MediaPlayPause"], [{ code: "ArrowUp", ctrlKey: true }, "Ctrl+Up"], [{ key: "Shift" }, ""],
    [{ code: "KeyA" }, undefined], [{ code: "KeyA", shiftKey: true }, undefined], [{ code: "Space" }, undefined], [{ code: "F25", ctrlKey: true }, undefined], [{ code: "Slash", ctrlKey: true }, undefined],
  ]) assert.equal(of(more), want, JSON.stringify(more));
  assert.equal(begun({ ctrlKey: true, shiftKey: true }), "Ctrl+Shift+");
});

test("sites are sites, one to a line", () => {
  const d = at("crm", { settings: { "crm.origins": ["https://a.example"] } });
  const text = document.getElementById("crm-origins");
  assert.equal(text.value, "https://a.example");
  text.value = "https://crm.example.jp/\n\n  http://localhost:8080 \nhttps://crm.example.jp/";
  text.dispatchEvent(new window.Event("change"));
  assert.deepEqual(d.said.pop(), ["setting.change", { name: "crm.origins", value: ["https://crm.example.jp", "http://localhost:8080"] }]);
  text.value = "javascript:alert(1)";
  text.dispatchEvent(new window.Event("change"));
  assert.equal(d.said.length, 0);
  assert.match(d.root.textContent, /Not the address of a site: javascript:alert\(1\)/);
  for (const [line, ok] of [["https://x.jp", true], ["https://x.jp/path", false], ["https://u:p@x.jp", false], ["ftp://x.jp", false], ["x.jp", false], ["https://x.jp/?q", false], ["http://x.jp", false], ["http://localhost:8080", true], ["http://127.0.0.1", true]]) assert.equal(isOrigin(line), ok, line);
});

test("auto sign-in stands at the bottom of the basic settings, with the account that is saved", () => {
  const d = at("basic", { saved: { account: "sato", terminal: "2001", seat: "A-2", can: true }, settings: { "sign.status": "break" } });
  assert.equal([...d.root.querySelectorAll(".chapter > section:not([hidden]) .option label")].at(-1).textContent, "Status at start");
  const status = find(d.root, "Status at start");
  assert.deepEqual([status.value, [...status.options].map((o) => o.textContent)], ["break", ["The last one that takes no outside calls", "Available", "After-call work", "On break"]]);
  find(d.root, "Sign in automatically at start").click();
  assert.deepEqual(d.said.pop(), ["setting.change", { name: "sign.auto", value: true }]);
  assert.match(d.root.querySelector(".saved").textContent, /Account.*sato.*••••.*2001.*A-2/);
  find(d.root, "Remove").click();
  assert.deepEqual(d.said.pop(), ["account.forget", {}]);
  d.show({ saved: { can: false } });
  assert.match(d.root.querySelector(".saved").textContent, /Nothing can be saved here/);
  assert.throws(() => find(d.root, "Remove"));
});

test("look, size and shortcuts follow the settings", () => {
  const root = document.documentElement;
  applyLook(snapshot({ settings: { "page.look": "dark", "page.size": 120 } }));
  assert.deepEqual([root.dataset.look, root.style.fontSize, localStorage.getItem("zaseki.look")], ["dark", "18px", '{"look":"dark","size":120}']);
  applyLook(snapshot({ settings: { "page.look": "system" } }));
  assert.deepEqual([root.dataset.look, root.style.fontSize], [undefined, "15px"]);
  applyLook(snapshot());
  assert.equal(valueOf(snapshot({ settings: {} }), "ring.volume"), 100);
  const keys = { "hotkey.mute": "Ctrl+Alt+M" };
  assert.deepEqual([chordOf(snapshot({ settings: keys }), "mute"), chordOf(snapshot({ settings: { ...keys, "page.shortcuts": false } }), "mute")], ["Ctrl+Alt+M", ""]);
});

test("an exported file comes back, anything else does not", () => {
  assert.deepEqual(settingsIn('{"zaseki":"settings","values":{"page.look":"dark"}}'), { "page.look": "dark" });
  for (const text of ["", "[]", "null", "{}", '{"zaseki":"settings"}', '{"zaseki":"settings","values":[]}', '{"values":{}}', "\u0000"]) assert.equal(settingsIn(text), undefined, text);
});

const update = (more = {}) => ({ version: "1.2.0", style: "get", state: "offered", ...more });

test("an update is told in the style of its generation", () => {
  const { said, send } = ear(), view = updateView(send);
  document.body.replaceChildren(view.root, view.dialog);
  const show = (u, more = {}) => view.show(snapshot({ update: u, ...more }));
  show(undefined);
  assert.equal(view.root.hidden, true);
  show(update({ style: "mark" }));
  assert.deepEqual([view.root.hidden, view.root.textContent, view.dialog.open], [false, "Version 1.2.0 is available", false], "B2: a mark");
  view.root.click();
  assert.match(view.dialog.textContent, /Please update it\./);
  assert.throws(() => find(view.dialog, "OK"));
  find(view.dialog, "Close").click();
  show(update());
  view.root.click();
  find(view.dialog, "OK").click();
  assert.deepEqual(said.pop(), ["update.get", {}], "B3: mark, OK");
  show(update({ state: "loading", done: 2_500_000, size: 10_000_000 }));
  assert.match(view.dialog.textContent, /25% · 2\.5 MB \/ 10 MB/);
  find(view.dialog, "Stop").click();
  assert.deepEqual(said.pop(), ["update.stop", {}]);
  show(update({ state: "ready", folder: "/home/sato/Downloads" }));
  assert.match(view.dialog.textContent, /lies in \/home\/sato\/Downloads\./);
  show(update({ state: "failed", problem: { code: "update.space", holes: { size: "40 MB" } }, details: "write x: no space\n" }));
  assert.match(view.dialog.textContent, /No space left: 40 MB are needed.*write x: no space/s);
  find(view.dialog, "Try again");
  show(update(), { calls: [{ id: "c", phase: "talking" }] });
  assert.equal(find(view.dialog, "OK").disabled, true, "never during a call");
  show(update(), { calls: [{ id: "c", phase: "offered" }] });
  assert.equal(view.dialog.open, false, "what rings is never behind it");
});

test("the oldest style opens its dialog by itself, once for a version and never in a call", () => {
  const { send } = ear(), view = updateView(send);
  document.body.replaceChildren(view.root, view.dialog);
  view.show(snapshot({ update: update({ style: "dialog" }), calls: [{ id: "c", phase: "talking" }] }));
  assert.equal(view.dialog.open, false);
  view.show(snapshot({ update: update({ style: "dialog" }) }));
  assert.equal(view.dialog.open, true);
  find(view.dialog, "Close").click();
  view.show(snapshot({ update: update({ style: "dialog" }) }));
  assert.equal(view.dialog.open, false);
});
