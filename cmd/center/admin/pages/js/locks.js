// @ts-check
// Settings of phones that a policy may lock, one a line: the person chooses, or the value that everybody has.
import { h } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";

/** @typedef {{ name: string, kind: string, default: any, choices?: string[], min?: number, max?: number }} Setting */

/** What a setting is called. @param {string} name */
export const settingWord = (name) => t("admin.setting." + name);

/** A value of a setting as a person reads it. @param {Setting | undefined} s @param {any} v */
export function settingValue(s, v) {
  if (v === undefined || v === null) return t("admin.lock.free");
  if (v === true || v === false) return t(v ? "admin.yes" : "admin.no");
  if (Array.isArray(v)) return v.length ? v.map(clean).join(t("admin.comma")) : t("admin.lock.none");
  if (v === "") return t("admin.lock.none");
  return s?.choices ? t(`admin.choice.${s.name}.${v}`) : clean(String(v));
}

/** @param {Setting} s @param {string} id */
function line(s, id) {
  const fault = h("p", { className: "fault", id: id + "e" });
  const about = { "aria-describedby": id + "e" };
  const free = h("option", { value: "" }, t("admin.lock.free"));
  const select = h("select", { id, ...about }, free);
  /** @type {HTMLInputElement | HTMLTextAreaElement | null} */
  let input = null;
  const given = s.kind === "switch" ? ["true", "false"] : s.kind === "choice" ? s.choices ?? [] : ["set"];
  select.append(...given.map((v) => h("option", { value: v }, s.kind === "switch" ? t(v === "true" ? "admin.yes" : "admin.no") : s.kind === "choice" ? t(`admin.choice.${s.name}.${v}`) : t("admin.lock.set"))));
  if (given[0] === "set") {
    input = s.kind === "list" ? h("textarea", { rows: 2, spellcheck: false }) : h("input", { type: s.kind === "number" ? "number" : "text", autocomplete: "off", spellcheck: false });
    if (s.kind === "number") Object.assign(input, { min: String(s.min ?? 0), max: String(s.max ?? "") });
    input.setAttribute("aria-label", t("admin.lock.value", { name: settingWord(s.name) }));
    input.setAttribute("aria-describedby", id + "e");
  }
  const arrange = () => {
    if (input) input.hidden = select.value !== "set";
  };
  select.addEventListener("change", () => {
    if (input && select.value === "set" && !input.value) input.value = Array.isArray(s.default) ? s.default.join("\n") : String(s.default ?? "");
    arrange();
  });
  return {
    root: h("div", { className: "lock", role: "group", "aria-label": settingWord(s.name) }, h("label", { for: id }, settingWord(s.name)), h("div", { className: "acts" }, select, input), fault),
    focus: select,
    get() {
      if (!select.value) return undefined;
      if (s.kind === "switch") return select.value === "true";
      if (!input) return select.value;
      if (s.kind === "number") return Number(input.value);
      return s.kind === "list" ? input.value.split(/\n/).map((x) => x.trim()).filter(Boolean) : input.value.trim();
    },
    /** @param {any} v */
    set(v) {
      select.value = v === undefined || v === null ? "" : input ? "set" : String(v);
      if (input) input.value = Array.isArray(v) ? v.join("\n") : v === undefined || v === null ? "" : String(v);
      arrange();
    },
    /** @param {string} text */
    fault(text) {
      fault.textContent = text;
      if (text) select.setAttribute("aria-invalid", "true");
      else select.removeAttribute("aria-invalid");
    },
  };
}

/** All of them. @param {Setting[]} settings @param {string} id */
export function locks(settings, id) {
  const lines = new Map(settings.map((s, i) => [s.name, line(s, `${id}-${i}`)]));
  const root = h("div", { className: "locks", id }, ...[...lines.values()].map((l) => l.root));
  return {
    root, group: true, focus: /** @type {HTMLElement} */ (lines.values().next().value?.focus ?? root),
    get() {
      /** @type {Record<string, any>} */
      const all = {};
      for (const [name, l] of lines) {
        const v = l.get();
        if (v !== undefined) all[name] = v;
      }
      return Object.keys(all).length ? all : undefined;
    },
    /** @param {any} v */
    set(v) {
      for (const [name, l] of lines) l.set(v?.[name]);
    },
    /** @param {string} text @param {string} [field] set.locked.NAME */
    fault(text, field) {
      for (const [name, l] of lines) l.fault(text && field?.endsWith("." + name) ? text : "");
    },
  };
}
