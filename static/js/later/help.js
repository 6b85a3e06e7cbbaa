// @ts-check
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { language, t } from "../text.js";

/** @typedef {["p" | "note", string] | ["ul" | "ol", string[]] | ["dl", [string, string][]] | ["img", string, string, number, number]} Block a picture: its name, what it shows, width and height in pixels */
/** @typedef {{ id: string, title: string, blocks: Block[] }} Chapter */

/**
 * The handbook, in the order of the manual's chapters. Its words and pictures are loaded when it is opened.
 * @param {() => void} leave
 * @param {(path: string) => Promise<any>} read
 */
export async function helpView(leave, read) {
  /** @type {Chapter[]} */
  const chapters = await read(`/help/${language()}.json`);
  const close = h("button", { type: "button", className: "round", "aria-label": t("help.close"), title: t("help.close"), onclick: leave }, icon("close"));
  const sections = chapters.map((c) => h("section", { "aria-labelledby": `help-${c.id}` }, h("h3", { id: `help-${c.id}`, tabIndex: -1 }, c.title), ...c.blocks.map(block)));
  const list = h("ul", {}, ...chapters.map((c) => h("li", {}, h("button", { type: "button", className: "quiet", onclick: () => {
    const to = document.getElementById(`help-${c.id}`);
    to?.scrollIntoView({ block: "start" });
    to?.focus({ preventScroll: true });
  } }, c.title))));
  const root = h("article", { className: "help", "aria-label": t("help.title"), onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Escape" || e.defaultPrevented) return;
    e.preventDefault();
    leave();
  } }, h("header", {}, h("h2", {}, t("help.title")), close),
  h("nav", { "aria-label": t("help.chapters") }, list), ...sections);
  return { root, focus: () => close.focus() };
}

/** @param {Block} b */
function block(b) {
  switch (b[0]) {
    case "ul":
    case "ol": return h(b[0], {}, ...b[1].map((x) => h("li", {}, x)));
    case "dl": return h("dl", { className: "facts-list" }, ...b[1].map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));
    case "img": return h("img", { src: `/help/${language()}-${b[1]}.png`, alt: b[2], width: b[3], height: b[4], loading: "lazy" });
    case "note": return h("p", { className: "help-note" }, b[1]);
  }
  return h("p", {}, b[1]);
}
