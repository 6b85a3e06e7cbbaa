// @ts-check
// Reads phonebooks that other programs wrote: CSV (RFC 4180; comma, semicolon or tab) and vCard (RFC 2426, RFC 6350, and 2.1).
import { clean, number } from "../text.js";

/** @typedef {import("../types").Contact} Contact */
/** @typedef {{ contacts: Contact[], wrong: { line: number, why: string }[] }} Book */

/** Most contacts of one file; the phone keeps no more than that. */
const MOST = 2000;

/** Headings of the columns, in the words of common programs. @type {[keyof Contact | "family" | "given", RegExp][]} */
const HEADINGS = [
  ["reading", /かな|カナ|よみ|ﾌﾘｶﾞﾅ|ふりがな|reading|kana|phonetic|yomi/i],
  ["family", /^(姓|苗字|last name|family name|surname)$/i], ["given", /^(名|first name|given name)$/i],
  ["number", /電話|番号|内線|携帯|phone|tel|number|mobile|extension/i],
  ["name", /名前|氏名|表示名|会社|name|display|company/i],
];

/**
 * Reads a phonebook in whichever of the two formats it is. Text that is not UTF-8 is read as Shift_JIS, as Excel writes it in Japan.
 * @param {ArrayBuffer} bytes
 * @returns {Book}
 */
export function readBook(bytes) {
  const text = decode(bytes);
  return /^\s*BEGIN:VCARD/i.test(text) ? readCards(text) : readTable(text);
}

/** @param {ArrayBuffer} bytes */
export function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("shift_jis").decode(bytes);
  }
}

/**
 * Keeps what has a name and a number that can be dialled.
 * @param {Book} book
 * @param {number} line
 * @param {Contact} c
 */
function keep(book, line, c) {
  const digits = number(c.number), name = clean(c.name), reading = clean(c.reading);
  const why = !digits ? "none" : !/[0-9@]/.test(digits) || !/^[+*#0-9a-z.@:;=_-]{1,128}$/i.test(digits) ? "number" : book.contacts.length >= MOST ? "many" : "";
  if (why) book.wrong.push({ line, why });
  else book.contacts.push({ name: name || digits, number: digits, ...(reading ? { reading } : {}) });
}

/** @param {string} text @returns {Book} */
export function readTable(text) {
  /** @type {Book} */
  const book = { contacts: [], wrong: [] };
  const rows = cells(text.replace(/^\ufeff/, ""));
  const first = rows[0];
  if (!first) return book;
  const columns = headings(first.cells) ?? { name: 0, number: 1, reading: 2 };
  for (const { line, cells: row } of headings(first.cells) ? rows.slice(1) : rows) {
    const of = (/** @type {string} */ what) => row[columns[what] ?? -1]?.trim() ?? "";
    keep(book, line, { name: of("name") || [of("family"), of("given")].filter(Boolean).join(" "), number: of("number"), reading: of("reading") });
  }
  return book;
}

/** Which column is what; undefined when the first row is a contact already. @param {string[]} row @returns {Record<string, number> | undefined} */
function headings(row) {
  /** @type {Record<string, number>} */
  const found = {};
  row.forEach((cell, i) => {
    const what = HEADINGS.find(([name, like]) => found[name] === undefined && like.test(cell.trim()))?.[0];
    if (what) found[what] = i;
  });
  return found.number !== undefined && !/^[+\d\s()-]+$/.test(row[found.number] ?? "") ? found : undefined;
}

/** Rows with the line on which they begin; empty ones are left out. @param {string} text */
function cells(text) {
  const mark = [",", ";", "\t"].map((m) => /** @type {const} */ ([m, (text.split("\n")[0] ?? "").split(m).length])).sort((a, b) => b[1] - a[1])[0]?.[0];
  /** @type {{ line: number, cells: string[] }[]} */
  const rows = [];
  let cell = "", row = /** @type {string[]} */ ([]), quoted = false, line = 1, began = 1;
  const end = () => {
    row.push(cell);
    if (row.some((c) => c.trim())) rows.push({ line: began, cells: row });
    [row, cell, began] = [[], "", line];
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "\n") line++;
    if (quoted && c === '"' && text[i + 1] === '"') cell += text[++i];
    else if (c === '"' && (quoted || !cell.trim())) quoted = !quoted;
    else if (!quoted && c === mark) row.push(cell), (cell = "");
    else if (!quoted && c === "\n") end();
    else if (c !== "\r" || quoted) cell += c;
  }
  end();
  return rows;
}

/** @param {string} text @returns {Book} */
export function readCards(text) {
  /** @type {Book} */
  const book = { contacts: [], wrong: [] };
  let line = 0, began = 0;
  /** @type {{ name: string, family: string, reading: string, numbers: string[] }} */
  let card = { name: "", family: "", reading: "", numbers: [] };
  for (const { at, key, params, value } of properties(text)) {
    line = at;
    if (key === "BEGIN") (began = line), (card = { name: "", family: "", reading: "", numbers: [] });
    else if (key === "FN") card.name = value;
    else if (key === "N") card.family = value.split(";").slice(0, 2).filter(Boolean).join(" ");
    else if (/^X-PHONETIC|^SORT-STRING/.test(key)) card.reading = [card.reading, value].filter(Boolean).join(" ");
    else if (key === "TEL" && !/FAX|PAGER/i.test(params)) card.numbers.push(value.replace(/^tel:/i, ""));
    else if (key === "END") for (const n of card.numbers.length ? card.numbers : [""]) keep(book, began, { name: card.name || card.family, number: n, reading: card.reading });
  }
  return book;
}

/** Properties of all cards, with folded lines joined and encodings undone. @param {string} text */
function* properties(text) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    const at = i + 1;
    let whole = lines[i] ?? "";
    const printable = /;(ENCODING=)?QUOTED-PRINTABLE/i.test(whole.split(":")[0] ?? "");
    while (printable && whole.endsWith("=") && i + 1 < lines.length) whole = whole.slice(0, -1) + lines[++i];
    while (/^[ \t]/.test(lines[i + 1] ?? "")) whole += (lines[++i] ?? "").slice(1);
    const colon = whole.indexOf(":");
    if (colon < 0) continue;
    const [name = "", ...params] = whole.slice(0, colon).split(";"), raw = whole.slice(colon + 1);
    const value = printable ? unprint(raw, /CHARSET=SHIFT_JIS/i.test(params.join(";"))) : raw;
    yield { at, key: name.replace(/^[^.]*\./, "").toUpperCase(), params: params.join(";"), value: value.replace(/\\n/gi, " ").replace(/\\([,;\\])/g, "$1") };
  }
}

/** Quoted-printable (RFC 2045 §6.7), as phones of the 2000s wrote names. @param {string} s @param {boolean} sjis */
function unprint(s, sjis) {
  const bytes = new Uint8Array([...s.replace(/=([0-9A-F]{2})/gi, (_, x) => String.fromCharCode(parseInt(x, 16)))].map((c) => c.charCodeAt(0)));
  return sjis ? new TextDecoder("shift_jis").decode(bytes) : decode(bytes.buffer);
}
