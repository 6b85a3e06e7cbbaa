// @ts-check
// A file of contacts on its way into the shared phonebook: first what it would do, then, if the person says so, that.
import { h, put } from "../../js/dom.js";
import { clean, language, t } from "../../js/text.js";
import { BASE, Refused } from "./api.js";
import { fieldWord } from "./crud.js";
import { confirmed, link, title } from "./shell.js";

/** Sends the file packed: what fits into a request is small. @param {Blob} file */
async function packed(file) {
  return new Response(file.stream().pipeThrough(new CompressionStream("gzip"))).blob();
}

/** @param {Blob} file @param {Record<string, string>} words of the query */
async function send(file, words) {
  let answer;
  try {
    answer = await fetch(`${BASE}/phonebook/import?${new URLSearchParams(words)}`, { method: "POST", body: await packed(file),
      headers: { "Content-Type": "application/octet-stream", "Content-Encoding": "gzip", "Accept-Language": language() } });
  } catch {
    throw new Refused(0, { error: t("admin.unreachable") });
  }
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

/** @param {string} caption @param {string[]} heads @param {string[][]} rows */
function table(caption, heads, rows) {
  return h("section", { className: "card" }, h("h2", {}, caption), h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((k) => h("th", { scope: "col" }, k)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((c, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, c))))))));
}

/** @returns {(Node | string)[]} */
export function importPage() {
  const file = h("input", { id: "book-file", type: "file", accept: ".csv,.tsv,.txt,.vcf,text/csv,text/vcard" });
  const mode = (/** @type {string} */ value, /** @type {boolean} */ on) => h("input", { type: "radio", name: "mode", value, checked: on, id: "book-" + value });
  const add = mode("add", true), whole = mode("whole", false);
  const told = h("p", { role: "status" });
  const trouble = h("p", { role: "alert", className: "banner", hidden: true });
  const shown = h("div", { className: "book-import" });
  let turn = 0;

  /** @param {unknown} err */
  function refuse(err) {
    put(told, "");
    shown.replaceChildren();
    put(trouble, /** @type {Error} */ (err).message);
    trouble.hidden = false;
  }

  async function look() {
    const mine = ++turn, chosen = file.files?.[0];
    trouble.hidden = true;
    put(told, "");
    shown.replaceChildren();
    if (!chosen) return file.focus();
    const words = /** @type {Record<string, string>} */ (whole.checked ? { whole: "1" } : {});
    try {
      const found = await send(chosen, { ...words, dry: "1" });
      if (mine === turn) show(chosen, words, found);
    } catch (err) {
      if (mine === turn) refuse(err);
    }
  }

  /** @param {File} chosen @param {Record<string, string>} words @param {any} found */
  function show(chosen, words, found) {
    const c = found.change, good = found.read - found.wrong;
    put(told, t("admin.book.read_as", { kind: t("admin.book." + found.kind), charset: found.charset === "shift_jis" ? "Shift_JIS" : found.charset.toUpperCase() }) + " " +
      t("admin.book.change", { read: found.read, added: c.added, changed: c.changed, same: c.same, removed: c.removed, wrong: found.wrong }) +
      (found.ignored?.length ? " " + t("admin.book.ignored", { columns: found.ignored.map(clean).join(t("admin.comma")) }) : ""));
    const save = h("button", { type: "button", className: "primary", disabled: !good || !(c.added + c.changed + c.removed), onclick: async () => {
      if (c.removed && !(await confirmed(t("admin.book.remove_sure", { n: c.removed }), t("admin.book.save", { n: good })))) return;
      save.disabled = true;
      try {
        const done = await send(chosen, { ...words, rev: String(c.rev), ...(found.wrong ? { skip: "1" } : {}) });
        shown.replaceChildren(link("/admin/contacts", t("admin.nav.contacts"), "button"));
        put(told, t("admin.book.saved", { added: done.change.added, changed: done.change.changed, removed: done.change.removed }));
      } catch (err) {
        refuse(err);
      }
    } }, found.wrong ? t("admin.book.save_skip", { n: good, wrong: found.wrong }) : t("admin.book.save", { n: good }));
    shown.replaceChildren(h("div", { className: "acts" }, save),
      ...(found.faults.length ? [table(t("admin.book.faults"), [t("admin.book.line"), t("admin.book.what")],
        found.faults.map((/** @type {any} */ f) => [String(f.line), `${fieldWord("contacts", f.field)}: ${clean(f.message)}`]))] : []),
      ...(found.sample.length ? [table(t("admin.book.sample"), ["name", "number", "reading", "company", "note"].map((k) => fieldWord("contacts", k)),
        found.sample.map((/** @type {any} */ s) => [s.name, s.number, s.reading, s.company, s.note].map((v) => clean(v ?? ""))))] : []));
  }

  for (const el of [file, add, whole]) el.addEventListener("change", () => file.files?.length && look());
  const form = h("form", { className: "card" }, h("p", { className: "hint" }, t("admin.book.hint")),
    h("div", { className: "box" }, h("label", { for: file.id }, t("admin.book.file")), file),
    h("fieldset", { className: "choices" }, h("legend", {}, t("admin.book.mode")), h("div", {}, add, h("label", { for: add.id }, t("admin.book.add"))), h("div", {}, whole, h("label", { for: whole.id }, t("admin.book.whole")))),
    h("div", { className: "acts" }, h("button", {}, t("admin.book.look"))));
  form.addEventListener("submit", (e) => (e.preventDefault(), look()));
  return [link("/admin/contacts", "← " + t("admin.nav.contacts"), "back"), title(t("admin.book.title")), form, trouble, told, shown];
}
