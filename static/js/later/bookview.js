// @ts-check
import { each, h, put } from "../dom.js";
import { clean, t } from "../text.js";
import { readBook } from "./bookfile.js";

/** The largest file that is read, in bytes, and how many contacts the phone is told at once and how often, in milliseconds. */
const LARGEST = 4_000_000;
const [BATCH, PAUSE] = [20, 200];

/**
 * A phonebook from a file: what it holds is shown first, with what cannot be taken line by line, and nothing is taken before OK.
 * @param {import("../types").Send} send
 * @param {() => Set<string>} there numbers that are there already
 */
export function importView(send, there) {
  /** @type {import("./bookfile.js").Book} */
  let book = { contacts: [], wrong: [] };
  const file = h("input", { id: "book-file", name: "book-file", type: "file", accept: ".csv,.tsv,.txt,.vcf,text/csv,text/vcard", onchange: () => void look() });
  const said = h("p", { role: "status" });
  const list = h("ul", { className: "import-list", "aria-label": t("import.preview") });
  const go = h("button", { type: "button", className: "primary", disabled: true, onclick: () => void take() }, t("import.go"));
  const close = h("button", { type: "button", onclick: () => root.close() }, t("contacts.cancel"));
  const root = h("dialog", { className: "import", "aria-labelledby": "import-title", onclose: () => root.remove() }, h("h2", { id: "import-title" }, t("import.title")),
    h("p", { className: "quiet-text" }, t("import.about")), h("div", { className: "field" }, h("label", { for: file.id }, t("import.file")), file), said, list,
    h("div", { className: "ask-row" }, close, go));
  list.tabIndex = 0;
  /** @type {Map<string, { root: Element }>} */
  const rows = new Map();

  async function look() {
    const chosen = file.files?.[0];
    if (!chosen) return;
    book = chosen.size > LARGEST ? { contacts: [], wrong: [{ line: 0, why: "large" }] } : readBook(await chosen.arrayBuffer());
    show();
  }
  function show() {
    const known = there(), again = book.contacts.filter((c) => known.has(c.number)).length;
    put(said, t("import.found", { n: book.contacts.length, again, wrong: book.wrong.length }));
    const items = [...book.wrong.map((w) => ({ key: `wrong ${w.line}`, words: [w.line ? t("import.line", { n: w.line }) : "", t(`import.wrong.${w.why}`), ""], bad: true })),
      ...book.contacts.slice(0, 200).map((c, i) => ({ key: `contact ${i}`, words: [clean(c.name), clean(c.number), known.has(c.number) ? t("import.again") : ""], bad: false }))];
    rows.clear();
    list.replaceChildren();
    each(list, rows, items, (i) => i.key, (i) => ({ root: h("li", { "data-level": i.bad ? "bad" : undefined }, ...i.words.map((w) => h("bdi", {}, w))) }), () => {});
    go.disabled = book.contacts.length === 0;
  }
  async function take() {
    go.disabled = true;
    for (let i = 0; i < book.contacts.length; i += BATCH) {
      for (const c of book.contacts.slice(i, i + BATCH)) send("contact.save", c);
      put(said, t("import.taken", { n: Math.min(i + BATCH, book.contacts.length), of: book.contacts.length }));
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    root.close();
  }
  return {
    root,
    open: () => root.showModal(),
    /** For a file that is there already. @param {ArrayBuffer} bytes */
    read(bytes) {
      book = readBook(bytes);
      show();
    },
  };
}
