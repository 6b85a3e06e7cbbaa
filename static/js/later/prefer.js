// @ts-check
import { attr, each, h, put } from "../dom.js";
import { option } from "../form.js";
import { icon } from "../icons.js";
import { clean, t } from "../text.js";

/** @typedef {import("../types").Device} Device */
/** @typedef {import("../types").Preferred} Preferred */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {keyof Preferred} Kind */

/**
 * What is there of a kind, by label: the browser's devices, for the ring also those on which the phone itself can ring.
 * @param {Kind} kind
 * @param {Device[]} there
 * @param {string[] | undefined} rings
 */
export function present(kind, there, rings) {
  const own = there.filter((d) => d.kind === (kind === "microphone" ? "microphone" : "speaker")).map((d) => d.label);
  return [...new Set(kind === "ring" ? [...(rings ?? []), ...own] : own)];
}

/**
 * The person's devices of one kind in the order of preference. What is added, moved or removed is kept and used at once.
 * @param {Kind} kind
 * @param {{ title: string, add: string }} words
 * @param {(labels: string[]) => void} save
 */
export function preferView(kind, words, save) {
  /** @type {string[]} */
  let labels = [];
  /** @type {Map<string, ReturnType<typeof line>>} */
  const lines = new Map();
  const title = h("h4", { id: `prefer-${kind}` }, words.title);
  const none = h("p", { className: "prefer-none" }, t("devices.system"));
  const list = h("ol", { className: "prefer" });
  const note = h("p", { className: "quiet-text" });
  const said = h("p", { className: "unseen", role: "status" });
  const choice = h("select", { id: `add-${kind}`, name: `add-${kind}` });
  const add = h("button", { type: "submit" }, icon("add"), t("devices.add"));
  const form = h("form", { className: "prefer-add", onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    if (choice.value) keep([...labels, choice.value]);
  } }, h("label", { for: choice.id, className: "unseen" }, words.add), h("div", { className: "field-box" }, choice), add);
  const root = h("section", { className: "prefer-box", role: "group", "aria-labelledby": title.id }, title, none, list, note, form, said);

  /** @param {string[]} wanted */
  function keep(wanted) {
    save((labels = wanted));
  }
  /** @param {string} label @param {number} by */
  function move(label, by) {
    const from = labels.indexOf(label), to = from + by;
    if (from < 0 || to < 0 || to >= labels.length) return;
    const held = document.activeElement;
    keep(labels.toSpliced(from, 1).toSpliced(to, 0, label));
    paint(there);
    if (held instanceof HTMLElement) held.focus(); // what is moved in the page loses it
    put(said, t("devices.moved", { name: clean(label), n: to + 1 }));
  }
  /** @param {string} label */
  function remove(label) {
    const at = labels.indexOf(label);
    keep(labels.filter((l) => l !== label));
    paint(there);
    (lines.get(labels[Math.min(at, labels.length - 1)] ?? "")?.remove ?? choice).focus();
  }

  /** @type {string[]} */
  let there = [];
  /** @param {string[]} now */
  function paint(now) {
    there = now;
    const used = labels.find((l) => there.includes(l));
    none.hidden = labels.length > 0;
    put(note, labels.length && !used && there.length ? t("devices.fallback") : "");
    each(list, lines, labels, (l) => l, (l) => line(l, move, remove), (v, l) => v.show(there.length > 0 && !there.includes(l), l === used, labels));
    const left = there.filter((l) => !labels.includes(l)), shown = [...choice.options].map((o) => o.value).filter(Boolean);
    if (left.join("\n") !== shown.join("\n") || !choice.options.length) {
      choice.replaceChildren(...(left.length ? left.map((l) => option(l, clean(l))) : [option("", t("devices.none"))]));
    }
    choice.disabled = add.disabled = left.length === 0;
  }
  return {
    root, form, note,
    /** @param {string[] | undefined} wanted @param {string[]} now */
    show(wanted, now) {
      labels = wanted ?? [];
      paint(now);
    },
  };
}

/**
 * One preferred device. The first and the last keep both buttons, so that the keyboard never loses its place.
 * @param {string} label
 * @param {(label: string, by: number) => void} move
 * @param {(label: string) => void} drop
 */
function line(label, move, drop) {
  const name = clean(label);
  const button = (/** @type {string} */ draw, /** @type {string} */ words, /** @type {() => void} */ onclick) =>
    h("button", { type: "button", className: "round", "aria-label": words, title: words, onclick }, icon(draw));
  const up = button("up", t("devices.up", { name }), () => move(label, -1));
  const down = button("down", t("devices.down", { name }), () => move(label, 1));
  const remove = button("close", t("devices.remove", { name }), () => drop(label));
  const state = h("span", { className: "prefer-state" });
  const root = h("li", {}, h("span", { className: "prefer-name" }, h("bdi", {}, name), state), up, down, remove);
  return {
    root, remove,
    /** @param {boolean} absent @param {boolean} used @param {string[]} all */
    show(absent, used, all) {
      attr(root, "data-state", absent ? "absent" : used ? "used" : undefined);
      put(state, absent ? t("devices.absent") : used ? `✓\ufe0e ${t("devices.used")}` : "");
      attr(up, "aria-disabled", all[0] === label ? "true" : undefined);
      attr(down, "aria-disabled", all.at(-1) === label ? "true" : undefined);
    },
  };
}
