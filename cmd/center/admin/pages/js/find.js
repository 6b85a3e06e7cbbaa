// @ts-check
// Choosing among rows of which there may be ten thousand: the center searches, and the page shows the first few.
import { h } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";
import { search } from "./api.js";

const WAIT = 150; // ms after the last key
const FEW = 20;

let lists = 0;

/**
 * A text field that proposes rows of some kinds as one types; its value is the ID.
 * @param {Record<string, unknown>} props of the input
 * @param {string[]} kinds
 */
export function finder(props, ...kinds) {
  const list = h("datalist", { id: `find${++lists}` });
  const el = h("input", { ...props, type: "text", autocomplete: "off", spellcheck: false });
  el.setAttribute("list", list.id);
  let turn = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  async function look() {
    const mine = ++turn;
    const found = (await Promise.all(kinds.map((k) => search(k, el.value, FEW).catch(() => ({ rows: [] }))))).flatMap((f) => f.rows);
    if (mine === turn) list.replaceChildren(...found.map(([value, words]) => h("option", { value, label: clean(words) })));
  }
  el.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
  });
  el.addEventListener("focus", look, { once: true });
  return { el, list, root: h("span", { className: "find" }, el, list) };
}

/**
 * Several rows of a kind: the chosen ones with a button each, and a field that finds more.
 * @param {string} id
 * @param {string} kind
 * @param {string} label of the field
 */
export function picker(id, kind, label) {
  const chips = h("ul", { className: "picked" });
  const f = finder({ id, "aria-label": label, placeholder: t("admin.find_hint") }, kind);
  const add = h("button", { type: "button", onclick: take }, t("admin.add_one"));
  /** @type {string[]} */
  let chosen = [];
  /** @type {Map<string, string>} */
  const words = new Map();

  function take() {
    const v = f.el.value.trim();
    if (v && !chosen.includes(v)) chosen.push(v);
    f.el.value = "";
    paint();
    f.el.focus();
  }
  f.el.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault();
    take();
  });
  f.el.addEventListener("input", () => {
    const hit = [...f.list.children].find((o) => /** @type {any} */ (o).value === f.el.value);
    if (hit) words.set(f.el.value, /** @type {any} */ (hit).label);
  });

  function paint() {
    chips.replaceChildren(...chosen.map((c) => h("li", {}, clean(words.get(c) ?? c), h("button", { type: "button", className: "quiet", "aria-label": t("admin.take_out_one", { name: clean(c) }), onclick: () => {
      chosen = chosen.filter((x) => x !== c);
      paint();
      f.el.focus();
    } }, "×"))));
    chips.hidden = !chosen.length;
  }
  return {
    root: h("div", { className: "picker" }, chips, h("div", { className: "acts" }, f.root, add)), focus: f.el,
    get: () => [...new Set([...chosen, f.el.value.trim()].filter(Boolean))], // what is typed counts too
    set: (/** @type {string[] | undefined} */ v) => ((chosen = [...(v ?? [])]), paint()),
  };
}
