// @ts-check
// Forms are made of descriptions of their fields. Each has a label, perhaps a hint, and a place where the center's fault is told.
import { h, put } from "../../js/dom.js";
import { clean, known, language, t } from "../../js/text.js";
import { finder, picker } from "./find.js";
import { locks } from "./locks.js";

/**
 * @typedef {object} Field
 * @property {string} name in the row; nested ones with dots
 * @property {"text"|"number"|"area"|"secret"|"select"|"check"|"tri"|"picks"|"words"|"rows"|"lines"|"pairs"|"days"|"find"|"locks"} kind
 * @property {string} [label] key of its words
 * @property {[string, string][] | (() => [string, string][])} [options]
 * @property {Field[]} [fields] of rows
 * @property {boolean} [required]
 * @property {boolean} [fixed] cannot be changed in a row that exists
 * @property {number} [min]
 * @property {number} [max]
 * @property {string} [type] of the input
 * @property {string} [none] the option that says nothing; default ""
 * @property {string} [leave] key of the words of a tri that says nothing
 * @property {string} [add] key of the words of the button that adds a row
 * @property {boolean} [keep] an empty value is sent, not left out
 * @property {(row: any) => boolean} [when] shown only then
 * @property {string[]} [kinds] of a find, and of picks of which there may be many: the rows that are found
 * @property {() => boolean} [many] there are too many options for a list
 * @property {any} [value] of a new row
 */

let ids = 0;

/** @param {string} kind @param {Field} f */
function words(kind, f) {
  if (f.label) return t(f.label);
  const own = `admin.field.${kind}.${f.name}`;
  return t(known(own) ? own : `admin.field.${f.name}`);
}

/** @param {string} kind @param {Field} f */
function hintOf(kind, f) {
  for (const key of [`admin.hint.${kind}.${f.name}`, `admin.hint.${f.name}`]) if (known(key)) return t(key);
  return "";
}

/** @param {any} row @param {string} path */
export function dig(row, path) {
  return path.split(".").reduce((v, k) => (v == null ? undefined : v[k]), row);
}

/** @param {any} row @param {string} path @param {any} value */
export function bury(row, path, value) {
  const keys = path.split(".");
  const last = /** @type {string} */ (keys.pop());
  let at = row;
  for (const k of keys) at = at[k] ??= {};
  if (value === undefined) delete at[last];
  else at[last] = value;
}

/**
 * One control: root, get, set. Undefined is "nothing is said".
 * @param {string} kind
 * @param {Field} f
 * @returns {{ root: HTMLElement, focus: HTMLElement, get(): any, set(v: any): void, fault(text: string, field?: string): void, show(on: boolean): void }}
 */
export function control(kind, f) {
  const id = `f${++ids}`;
  const fault = h("p", { className: "fault", id: id + "e" });
  const hint = hintOf(kind, f);
  const about = (hint ? id + "h " : "") + id + "e";
  const base = { id, "aria-describedby": about, required: f.required || undefined };
  const made = makers[f.kind](kind, f, base);
  const label = made.group
    ? h("legend", {}, words(kind, f))
    : h("label", { for: id }, words(kind, f));
  const help = hint ? h("p", { className: "hint", id: id + "h" }, hint) : null;
  const root = made.group
    ? h("fieldset", { className: `box ${f.kind}`, "aria-describedby": about }, label, help, made.root, fault)
    : f.kind === "check"
      ? h("div", { className: "box tick" }, made.root, label, help, fault)
      : h("div", { className: "box" }, label, help, made.root, fault);
  return {
    root,
    focus: made.focus ?? made.root,
    get: made.get,
    set: made.set,
    fault(text, field) {
      if (made.fault) made.fault(text, field);
      else put(fault, text);
      const at = made.focus ?? made.root;
      if (text) at.setAttribute("aria-invalid", "true");
      else at.removeAttribute("aria-invalid");
    },
    show(on) {
      root.hidden = !on;
    },
  };
}

/** @type {Record<string, (kind: string, f: Field, base: any) => { root: HTMLElement, focus?: HTMLElement, group?: boolean, get(): any, set(v: any): void, fault?(text: string, field?: string): void }>} */
const makers = {
  text: (_, f, base) => plain(h("input", { ...base, type: f.type ?? "text", autocomplete: "off", spellcheck: false }), f),
  area: (_, f, base) => plain(h("textarea", { ...base, rows: 4, spellcheck: false }), f),
  secret: (_, f, base) => plain(h("input", { ...base, type: "password", autocomplete: "new-password" }), f),
  number(_, f, base) {
    const el = h("input", { ...base, type: "number", inputMode: "numeric", min: f.min === undefined ? undefined : String(f.min), max: f.max === undefined ? undefined : String(f.max) });
    return { root: el, get: () => (el.value === "" ? undefined : Number(el.value)), set: (v) => (el.value = v === undefined || v === null ? "" : String(v)) };
  },
  select(_, f, base) {
    const el = h("select", base);
    fill(el, f);
    return {
      root: el,
      get: () => (el.value === (f.none ?? "") && !f.keep ? undefined : el.value),
      set(v) {
        fill(el, f);
        v ??= f.none;
        if (v && ![...el.options].some((o) => o.value === v)) el.append(h("option", { value: v }, v));
        el.value = v ?? "";
      },
    };
  },
  check(_, f, base) {
    const el = h("input", { ...base, type: "checkbox" });
    return { root: el, get: () => (el.checked || f.keep ? el.checked : undefined), set: (v) => (el.checked = !!v) };
  },
  tri(_, f, base) {
    const el = h("select", base, h("option", { value: "" }, t(f.leave ?? "admin.leave")), h("option", { value: "true" }, t("admin.yes")), h("option", { value: "false" }, t("admin.no")));
    return { root: el, get: () => (el.value === "" ? undefined : el.value === "true"), set: (v) => (el.value = v === undefined || v === null ? "" : String(v)) };
  },
  lines(_, f, base) {
    const el = h("textarea", { ...base, rows: 3, spellcheck: false });
    const get = () => el.value.split(/[\n,、]/).map((s) => s.trim()).filter(Boolean);
    return { root: el, get: () => (get().length || f.keep ? get() : undefined), set: (v) => (el.value = (v ?? []).join("\n")) };
  },
  words(kind, f, base) {
    const en = h("input", { ...base, type: "text", autocomplete: "off" });
    const ja = h("input", { type: "text", autocomplete: "off", id: base.id + "j", lang: "ja" });
    const root = h("div", { className: "pair" },
      h("div", {}, h("label", { for: base.id }, t("admin.english")), en),
      h("div", {}, h("label", { for: base.id + "j" }, t("admin.japanese")), ja));
    return {
      root, focus: en, group: true,
      get: () => (en.value || ja.value ? { en: en.value.trim(), ja: ja.value.trim() } : undefined),
      set: (v) => ((en.value = v?.en ?? ""), (ja.value = v?.ja ?? "")),
    };
  },
  // The ID of a row, which is found as one types.
  find(_, f, base) {
    const { el, root } = finder(base, ...(f.kinds ?? []));
    return { root, focus: el, get: () => el.value.trim() || (f.keep ? "" : undefined), set: (v) => (el.value = v ?? "") };
  },
  locks: (_, f, base) => locks(/** @type {any} */ (typeof f.options === "function" ? f.options() : f.options), base.id),
  picks(kind, f, base) {
    if (f.many?.()) {
      const one = picker(base.id, f.kinds?.[0] ?? "", words(kind, f));
      return { ...one, group: true, get: () => (one.get().length || f.keep ? one.get() : undefined) };
    }
    const root = h("div", { className: "picks", id: base.id });
    /** @type {string[]} */
    let chosen = [];
    const paint = () => {
      const options = typeof f.options === "function" ? f.options() : f.options ?? [];
      const all = [...options, ...chosen.filter((c) => !options.some(([v]) => v === c)).map((c) => /** @type {[string, string]} */ ([c, c]))];
      root.replaceChildren(...(all.length ? all.map(([value, label]) => {
        const el = h("input", { type: "checkbox", value, checked: chosen.includes(value) });
        el.addEventListener("change", () => (chosen = el.checked ? [...chosen, value] : chosen.filter((c) => c !== value)));
        return h("label", {}, el, " ", clean(label));
      }) : [h("span", { className: "quiet-text" }, t("admin.nothing"))]));
    };
    return { root, group: true, focus: root, get: () => (chosen.length || f.keep ? [...chosen] : undefined), set: (v) => ((chosen = [...(v ?? [])]), paint()) };
  },
  rows(kind, f, base) {
    const list = h("ol", { className: "sub", id: base.id });
    /** @type {{ root: HTMLElement, get(): any }[]} */
    let lines = [];
    /** @param {any} [v] */
    const add = (v) => {
      const parts = (f.fields ?? []).map((x) => ({ f: x, c: control(`${kind}.${f.name}`, x) }));
      const line = {
        root: h("li", {}),
        get() {
          const row = {};
          for (const p of parts) bury(row, p.f.name, p.c.get());
          return row;
        },
      };
      line.root.append(h("div", { className: "subrow" }, ...parts.map((p) => p.c.root),
        h("button", { type: "button", className: "quiet", onclick: () => (line.root.remove(), (lines = lines.filter((l) => l !== line)), more.focus()) }, t("admin.take_out"))));
      for (const p of parts) p.c.set(v ? dig(v, p.f.name) : p.f.value);
      lines.push(line);
      list.append(line.root);
      return parts;
    };
    const more = h("button", { type: "button", className: "quiet", onclick: () => add()[0]?.c.focus.focus() }, t(f.add ?? "admin.add_line"));
    return {
      root: h("div", {}, list, more), group: true, focus: more,
      get: () => (lines.length || f.keep ? lines.map((l) => l.get()) : undefined),
      set(v) {
        list.replaceChildren();
        lines = [];
        for (const one of v ?? []) add(one);
      },
    };
  },
  // Days of the week, as "mon,tue".
  days(kind, f, base) {
    const names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    const word = new Intl.DateTimeFormat(language(), { weekday: "short", timeZone: "UTC" });
    const boxes = names.map((value) => h("input", { type: "checkbox", value }));
    const root = h("div", { className: "days", id: base.id }, ...boxes.map((b, i) => h("label", {}, b, " ", word.format(Date.UTC(2024, 0, 1 + i))))); // 1 January 2024 is a Monday
    return {
      root, group: true, focus: boxes[0],
      get: () => boxes.filter((b) => b.checked).map((b) => b.value).join(",") || undefined,
      set(v) {
        const chosen = String(v ?? "").split(",");
        for (const b of boxes) b.checked = chosen.includes(b.value);
      },
    };
  },
  // A map by name: rows of two.
  pairs(kind, f, base) {
    const inner = makers.rows(kind, { ...f, kind: "rows", keep: true }, base);
    const [key, value] = (f.fields ?? []).map((x) => x.name);
    return {
      ...inner,
      get() {
        const all = Object.fromEntries(inner.get().filter((/** @type {any} */ r) => r[key] && r[value] !== undefined).map((/** @type {any} */ r) => [r[key], r[value]]));
        return Object.keys(all).length ? all : undefined;
      },
      set: (v) => inner.set(Object.entries(v ?? {}).map(([k, x]) => ({ [key]: k, [value]: x }))),
    };
  },
};

/** @param {HTMLInputElement | HTMLTextAreaElement} el @param {Field} f */
function plain(el, f) {
  return { root: el, get: () => (el.value === "" && !f.keep ? undefined : el.value), set: (/** @type {any} */ v) => (el.value = v ?? "") };
}

/** @param {HTMLSelectElement} el @param {Field} f */
function fill(el, f) {
  const now = el.value;
  const options = typeof f.options === "function" ? f.options() : f.options ?? [];
  el.replaceChildren(...options.map(([value, label]) => h("option", { value }, clean(label))));
  el.value = now;
}

/**
 * A whole form: sections of fields over one row.
 * @param {string} kind
 * @param {{ title?: string, fields: Field[], when?: (row: any) => boolean }[]} sections
 * @param {(form: ReturnType<typeof formOf>) => void} submit
 */
export function formOf(kind, sections, submit) {
  const banner = h("div", { role: "alert", className: "banner", hidden: true });
  const parts = sections.map((s) => ({ s, fields: s.fields.map((f) => ({ f, c: control(kind, f) })), root: h("section", { className: "card" }) }));
  for (const p of parts) p.root.append(...[p.s.title ? h("h2", {}, t(p.s.title)) : "", ...p.fields.map((x) => x.c.root)].filter(Boolean));
  const save = h("button", { className: "primary" }, t("admin.save"));
  const extra = h("span", { className: "extra" });
  const told = h("span", { role: "status", className: "told" });
  const root = h("form", { noValidate: true, className: "form" }, banner, ...parts.map((p) => p.root), h("div", { className: "acts" }, save, extra, told));
  const all = parts.flatMap((p) => p.fields);
  /** @type {any} */
  let base = {};
  let fresh = "";

  const form = {
    root, extra, save,
    /** More at the end of a section. @param {string} title key @param {Node} what */
    after: (title, what) => parts.find((p) => p.s.title === title)?.root.append(what),
    get: () => {
      const row = structuredClone(base);
      for (const { f, c } of all) bury(row, f.name, c.root.hidden ? undefined : c.get());
      return row;
    },
    /** @param {any} row @param {boolean} [exists] */
    set(row, exists) {
      base = Object.fromEntries(Object.entries(row ?? {}).filter(([k]) => !all.some(({ f }) => f.name.split(".")[0] === k)));
      for (const { f, c } of all) {
        c.set(row && (exists || dig(row, f.name) !== undefined) ? dig(row, f.name) : f.value);
        if (f.fixed && exists) /** @type {any} */ (c.focus).readOnly = true;
      }
      form.arrange();
      form.clear();
      fresh = JSON.stringify(form.get());
    },
    /** Gives one field a value, as if it had been typed. @param {string} name @param {any} value */
    fill(name, value) {
      all.find(({ f }) => f.name === name)?.c.set(value);
      form.arrange();
    },
    arrange() {
      const row = {};
      for (const { f, c } of all) bury(row, f.name, c.get());
      for (const p of parts) {
        p.root.hidden = !!p.s.when && !p.s.when(row);
        for (const { f, c } of p.fields) if (f.when) c.show(f.when(row));
      }
    },
    dirty: () => JSON.stringify(form.get()) !== fresh,
    clear() {
      banner.hidden = true;
      put(told, "");
      for (const { c } of all) c.fault("");
    },
    saved() {
      fresh = JSON.stringify(form.get());
      put(told, t("admin.saved"));
    },
    /** @param {...(Node | string)} what */
    warn(...what) {
      banner.replaceChildren(...what);
      banner.hidden = false;
      banner.scrollIntoView({ block: "nearest" });
    },
    /** Tells what was refused, beside the fields where it can. @param {any} err */
    refuse(err) {
      form.clear();
      const rest = [];
      let first = null;
      for (const x of err.faults ?? []) {
        const at = all.find(({ f }) => f.name === x.field) ?? all.find(({ f }) => x.field.startsWith(f.name + ".") || x.field.startsWith(f.name + "["));
        if (!at || at.c.root.hidden) rest.push(x.message);
        else {
          at.c.fault(x.message, x.field);
          first ??= at.c.focus;
        }
      }
      form.warn(h("p", {}, err.faults?.length ? t("admin.faults") : err.message), ...rest.map((m) => h("p", {}, clean(m))));
      first?.focus();
    },
    /** @param {boolean} on */
    busy(on) {
      save.setAttribute("aria-busy", String(on));
    },
  };
  root.addEventListener("change", form.arrange);
  root.addEventListener("submit", (e) => {
    e.preventDefault();
    if (save.getAttribute("aria-busy") !== "true") submit(form);
  });
  return form;
}
