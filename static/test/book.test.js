import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, key, page, snapshot, speak } from "./page.js";
import { found, toKana } from "../js/kana.js";
import { readBook, readCards, readTable } from "../js/later/bookfile.js";
import { importView } from "../js/later/bookview.js";
import { contactsView } from "../js/view/contacts.js";

beforeEach(() => speak("en"));

test("romaji becomes kana as people type it", () => {
  for (const [romaji, kana] of [["tanaka", "たなか"], ["shinjuku", "しんじゅく"], ["sinzyuku", "しんじゅく"], ["kenichi", "けにち"], ["ken'ichi", "けんいち"], ["hattori", "はっとり"], ["matcha", "まっちゃ"], ["namba", "なんば"],
    ["honma", "ほんま"], ["onna", "おんな"], ["konnnichi", "こんにち"], ["ōno", "おうの"], ["kyoto", "きょと"], ["tan", "たん"], ["tanak", "たな"], ["sat", "さ"], ["", ""], ["zaseki2", "ざせき2"]]) {
    assert.equal(toKana(romaji), kana, romaji);
  }
});

test("a name is found in kanji, either kana, half-width and romaji", () => {
  for (const [typed, text, yes] of [["田中", "田中商店", true], ["たなか", "タナカ", true], ["ﾀﾅｶ", "たなか しょうてん", true], ["tanaka", "たなかしょうてん", true], ["TANAKA", "タナカ", true], ["ｔａｎａｋａ", "たなか", true],
    ["satou", "さとう", true], ["sato", "さとう", true], ["さとー", "さとう", true], ["ohno", "おおの", false], ["oono", "おおの", true], ["ono", "おおの", true], ["shoten", "しょうてん", true], ["zyun", "じゅん", true], ["ディ", "でぃ", true],
    ["suzuki", "すずき", true], ["suduki", "すずき", true], ["yamada", "たなか", false], ["k", "Tanaka", true], ["k", "山田", false], ["", "山田", true]]) {
    assert.equal(found(typed, text), yes, `${typed} in ${text}`);
  }
});

const bytes = (s) => new TextEncoder().encode(s).buffer;

test("CSV is read by its headings, whatever separates and quotes", () => {
  const want = [{ name: "田中 一郎", number: "0312345678", reading: "たなか いちろう" }];
  for (const text of ["\ufeff名前,よみがな,電話番号\r\n田中 一郎,たなか いちろう,03-1234-5678\r\n", "電話番号;ふりがな;氏名\n０３-１２３４-５６７８;たなか いちろう;田中 一郎\n", "姓\t名\t電話\tかな\n田中\t一郎\t(03)1234-5678\tたなか いちろう", "\"名前\",\"電話\",\"よみ\"\n\"田中 一郎\",\"03 1234 5678\",\"たなか いちろう\"\n\n,,\n"]) {
    assert.deepEqual(readTable(text).contacts, want, text);
  }
  assert.deepEqual(readTable("Yamada,117\n\"A \"\"B\"\", C\",118").contacts, [{ name: "Yamada", number: "117" }, { name: 'A "B", C', number: "118" }], "without headings: name, number");
});

test("what cannot be taken is told by line, and the rest is taken", () => {
  const { contacts, wrong } = readTable("name,number\nA,117\nB,\n\"C\nD\",118\nE,<script>\nF,--");
  assert.deepEqual(contacts.map((c) => c.name), ["A", "CD"]);
  assert.deepEqual(wrong, [{ line: 3, why: "none" }, { line: 6, why: "number" }, { line: 7, why: "none" }]);
  const many = readTable(`name,number\n${Array.from({ length: 2001 }, (_, i) => `N${i},${1000 + i}`).join("\n")}`);
  assert.deepEqual([many.contacts.length, many.wrong], [2000, [{ line: 2002, why: "many" }]]);
  for (const text of ["", "\u0000", "\"", "a,b,c", ",", "名前,電話\n\"x"]) readTable(text);
});

test("Excel's Shift_JIS is read too", () => {
  const sjis = new Uint8Array([0x96, 0xbc, 0x91, 0x4f, 0x2c, 0x93, 0x64, 0x98, 0x62, 0x0a, 0x93, 0x63, 0x92, 0x86, 0x2c, 0x31, 0x31, 0x37]); // 名前,電話 / 田中,117
  assert.deepEqual(readBook(sjis.buffer).contacts, [{ name: "田中", number: "117" }]);
});

test("vCards of three generations are read, one contact for each number but not for a fax", () => {
  const cards = ["BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Sato\\, Hanako\r\nitem1.TEL;TYPE=WORK:+81 3-1234-\r\n 5678\r\nTEL;TYPE=CELL:090-1111-2222\r\nTEL;TYPE=FAX:0312345679\r\nX-PHONETIC-LAST-NAME:さとう\r\nX-PHONETIC-FIRST-NAME:はなこ\r\nEND:VCARD",
    "BEGIN:VCARD\nVERSION:4.0\nN:Suzuki;Ichiro;;;\nTEL;VALUE=uri:tel:+8145-000-0000\nEND:VCARD",
    "BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=94=B0=\n=E4=B8=AD\nTEL:117\nEND:VCARD", "BEGIN:VCARD\nFN:Nobody\nEND:VCARD"].join("\r\n");
  const { contacts, wrong } = readBook(bytes(cards));
  assert.deepEqual(contacts, [{ name: "Sato, Hanako", number: "+81312345678", reading: "さとう はなこ" }, { name: "Sato, Hanako", number: "09011112222", reading: "さとう はなこ" }, { name: "Suzuki Ichiro", number: "+81450000000" }, { name: "田中", number: "117" }]);
  assert.equal(wrong.length, 1);
  for (const text of ["BEGIN:VCARD", "BEGIN:VCARD\nTEL", "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=", "END:VCARD\nEND:VCARD"]) readCards(text);
});

test("an import shows what it would do before it does it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { said, send } = ear(), view = importView(send, () => new Set(["117"]));
  document.body.replaceChildren(view.root);
  view.open();
  assert.equal(find(view.root, "OK").disabled, true);
  view.read(bytes("name,number\n<b>A</b>,117\nB,118\nC,"));
  assert.match(view.root.textContent, /2 contacts, 1 of them replace one; 1 lines cannot be taken\..*Line 4no number.*<b>A<\/b>117replaces/);
  find(view.root, "OK").click();
  assert.deepEqual(said, [["contact.save", { name: "<b>A</b>", number: "117" }], ["contact.save", { name: "B", number: "118" }]]);
  t.mock.timers.tick(500);
  await Promise.resolve(await Promise.resolve());
  assert.equal(view.root.isConnected && view.root.open, false);
});

test("favourites stand first, and the keyboard goes from the search into the list", () => {
  const { said, send } = ear(), view = contactsView(send);
  document.body.replaceChildren(view.root);
  view.show(snapshot({ local: true, contacts: [{ name: "青木", number: "1", reading: "あおき" }, { name: "田中", number: "2", reading: "たなか", favourite: true }] }), page());
  const names = () => [...view.root.querySelectorAll(".history-peer")].map((e) => e.textContent);
  assert.deepEqual(names(), ["田中", "青木"]);
  const search = find(view.root, "Search");
  search.value = "aoki";
  search.dispatchEvent(new window.Event("input"));
  assert.deepEqual(names(), ["青木"]);
  search.focus();
  key(search, "ArrowDown");
  assert.equal(document.activeElement, find(view.root, "Call 青木"));
  key(document.activeElement, "ArrowUp");
  assert.equal(document.activeElement, search);
  find(view.root, "Favourite: 青木").click();
  assert.deepEqual(said.pop(), ["contact.save", { name: "青木", number: "1", reading: "あおき", favourite: true }]);
});
