// @ts-check
import { begun, pressed } from "./chord.js";
import { attr, h, put } from "../dom.js";
import { option } from "../form.js";
import { icon } from "../icons.js";
import { valueOf } from "../settings.js";
import { clean, known, say, t, word } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../settings.js").Setting} Setting */
/** @typedef {{ root: HTMLElement, fields: (HTMLInputElement | HTMLSelectElement | HTMLButtonElement | HTMLTextAreaElement)[], show(value: any, snap: Snapshot): void }} Control */

/** How long a change is believed before the phone has confirmed it, in milliseconds. */
const PATIENCE = 3000;

/**
 * One setting: its control, what it means, who has locked it, and what does not work about it. A change is sent at once.
 * @param {Setting} s
 * @param {import("../types").Send} send
 */
export function optionView(s, send) {
  /** What was chosen and is not confirmed yet. @type {{ value: any, until: number } | undefined} */
  let wish;
  const id = s.name.replace(".", "-");
  const note = h("p", { id: `${id}-note`, className: "quiet-text" }, known(`set.${s.name}.note`) ? t(`set.${s.name}.note`) : "");
  const lock = h("p", { id: `${id}-lock`, className: "option-lock", hidden: true }, icon("lock"), h("span", {}));
  const trouble = h("p", { id: `${id}-trouble`, className: "option-trouble", role: "status" });
  const control = controlOf(s, id, (value) => {
    wish = { value, until: Date.now() + PATIENCE };
    send("setting.change", { name: s.name, value });
  });
  const root = h("div", { className: "option", "data-kind": s.kind }, control.root, note, lock, trouble);
  for (const f of control.fields) attr(f, "aria-describedby", `${note.id} ${lock.id} ${trouble.id}`);
  return {
    root, name: s.name,
    /** @param {Snapshot} snap */
    show(snap) {
      const holds = valueOf(snap, s.name), by = snap.locks?.[s.name], problem = snap.failing?.[s.name];
      if (wish && (same(wish.value, holds) || Date.now() > wish.until || by !== undefined)) wish = undefined;
      for (const f of control.fields) f.disabled = by !== undefined;
      control.show(wish ? wish.value : holds, snap);
      lock.hidden = by === undefined;
      put(/** @type {Element} */ (lock.lastChild), by === undefined ? "" : by ? t("set.locked", { who: clean(by) }) : t("set.locked.center"));
      put(trouble, problem ? say(problem) : "");
      attr(root, "data-locked", by === undefined ? undefined : "true");
    },
  };
}

const same = (/** @type {any} */ a, /** @type {any} */ b) => JSON.stringify(a) === JSON.stringify(b);

/** @param {Setting} s @param {string} id @param {(value: any) => void} change @returns {Control} */
function controlOf(s, id, change) {
  switch (s.kind) {
    case "switch": return switchOf(s, id, change);
    case "choice": return choiceOf(s, id, change);
    case "number": return numberOf(s, id, change);
    case "chord": return chordControl(s, id, change);
    case "list": return listOf(s, id, change);
  }
  return statusOf(s, id, change);
}

/** @param {Setting} s @param {string} id @param {(value: boolean) => void} change @returns {Control} */
function switchOf(s, id, change) {
  const box = h("input", { id, name: id, type: "checkbox", onchange: () => change(box.checked) });
  const root = h("div", { className: "check" }, box, h("label", { for: id }, t(`set.${s.name}`)));
  return { root, fields: [box], show: (value) => void (box.checked = value === true) };
}

/** @param {Setting} s @param {string} id @param {(value: string) => void} change @returns {Control} */
function choiceOf(s, id, change) {
  const radios = (s.choices ?? []).map((c) => h("input", { id: `${id}-${c}`, name: id, type: "radio", value: c, onchange: () => change(c) }));
  const root = h("fieldset", { className: "option-choice" }, h("legend", {}, t(`set.${s.name}`)),
    ...radios.map((r) => h("div", { className: "check" }, r, h("label", { for: r.id }, t(`set.${s.name}.${r.value}`)))));
  return { root, fields: radios, show: (value) => radios.forEach((r) => (r.checked = r.value === value)) };
}

/** @param {Setting} s @param {string} id @param {(value: number) => void} change @returns {Control} */
function numberOf(s, id, change) {
  const said = h("output", { className: "time", htmlFor: id });
  const tell = () => {
    put(said, `${slide.value}%`);
    attr(slide, "aria-valuetext", `${slide.value}%`);
  };
  const slide = h("input", { id, name: id, type: "range", min: String(s.min), max: String(s.max), step: String(s.step), oninput: tell, onchange: () => change(Number(slide.value)) });
  const root = h("div", { className: "option-number" }, h("label", { for: id }, t(`set.${s.name}`)), slide, said);
  return {
    root, fields: [slide],
    show(value) {
      if (slide.matches(":active")) return; // in the hand
      slide.value = String(value);
      tell();
    },
  };
}

/**
 * Keys are pressed, not typed: the button listens until a chord is complete. Escape leaves it as it was.
 * @param {Setting} s
 * @param {string} id
 * @param {(value: string) => void} change
 * @returns {Control}
 */
function chordControl(s, id, change) {
  let held = "", hearing = false;
  const label = h("span", { id: `${id}-label`, className: "option-name" }, t(`set.${s.name}`));
  const keys = h("kbd", { id: `${id}-keys` });
  const said = h("p", { className: "option-trouble", role: "status" });
  const record = h("button", { id, type: "button", className: "option-keys", "aria-labelledby": `${label.id} ${id}-keys`, onclick: () => (hearing ? stop() : start()), onblur: () => stop(), onkeydown: hear, onkeyup: release }, keys);
  const clear = h("button", { type: "button", className: "round", "aria-label": t("set.chord.clear", { what: t(`set.${s.name}`) }), title: t("set.chord.clear", { what: t(`set.${s.name}`) }), onclick: () => take("") }, icon("close"));
  const root = h("div", { className: "option-chord" }, label, record, clear, said);
  const paint = () => {
    put(keys, hearing ? t("set.chord.press") : held || t("set.chord.none"));
    attr(record, "data-hearing", hearing ? "true" : undefined);
    clear.hidden = !held;
  };
  function start() {
    hearing = true;
    put(said, "");
    paint();
  }
  function stop() {
    hearing = false;
    paint();
  }
  /** @param {string} value */
  function take(value) {
    const other = value && uses(value);
    put(said, other ? t("set.chord.ours", { keys: value, what: t(`set.${other}`) }) : "");
    stop();
    if (other || value === held) return;
    held = value;
    paint();
    change(value);
    if (!value) record.focus();
  }
  /** @param {KeyboardEvent} e */
  function hear(e) {
    if (!hearing || e.key === "Tab") return;
    e.preventDefault();
    e.stopPropagation();
    if (e.key === "Escape") return stop();
    if ((e.key === "Delete" || e.key === "Backspace") && !begun(e)) return take("");
    const chord = pressed(e);
    if (chord) return take(chord);
    if (chord === undefined) put(said, t("set.chord.weak"));
    put(keys, begun(e) ? `${begun(e)}…` : t("set.chord.press"));
  }
  /** @param {KeyboardEvent} e */
  function release(e) {
    if (hearing) put(keys, begun(e) ? `${begun(e)}…` : t("set.chord.press"));
  }
  /** Which other setting has these keys. @type {(value: string) => string | undefined} */
  let uses = () => undefined;
  return {
    root, fields: [record, clear],
    show(value, snap) {
      held = typeof value === "string" ? value : "";
      uses = (chord) => ["answer", "hangup", "mute", "hold", "show"].map((n) => `hotkey.${n}`).find((n) => n !== s.name && valueOf(snap, n) === chord);
      if (!hearing) paint();
    },
  };
}

/** One to a line. @param {Setting} s @param {string} id @param {(value: string[]) => void} change @returns {Control} */
function listOf(s, id, change) {
  const said = h("p", { className: "option-trouble", role: "status" });
  const lines = () => [...new Set(text.value.split("\n").map((l) => l.trim()).filter(Boolean))];
  const text = h("textarea", { id, name: id, rows: 3, spellcheck: false, onchange: () => {
    const all = lines(), wrong = all.find((l) => !isOrigin(l));
    put(said, wrong ? t("set.list.wrong", { line: wrong }) : all.length > 50 ? t("set.list.many") : "");
    if (!said.textContent) change(all.map((l) => new URL(l).origin));
  } });
  const root = h("div", { className: "field" }, h("label", { for: id }, t(`set.${s.name}`)), h("div", { className: "field-box" }, text), said);
  return {
    root, fields: [text],
    show(value) {
      if (document.activeElement === text || said.textContent) return; // half typed
      const whole = Array.isArray(value) ? value.join("\n") : "";
      if (text.value !== whole) text.value = whole;
    },
  };
}

/** A site, without a path or a name in it; in clear only on this machine: wire.Origin. @param {string} line */
export function isOrigin(line) {
  const url = URL.parse ? URL.parse(line) : null, here = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url?.hostname ?? "");
  return !!url && (url.protocol === "https:" || (url.protocol === "http:" && here)) && !url.username && !url.password && /^\/?$/.test(url.pathname + url.search + url.hash);
}

/** @param {Setting} s @param {string} id @param {(value: string) => void} change @returns {Control} */
function statusOf(s, id, change) {
  const choice = h("select", { id, name: id, onchange: () => change(choice.value) });
  const root = h("div", { className: "field" }, h("label", { for: id }, t(`set.${s.name}`)), h("div", { className: "field-box" }, choice));
  let built = "";
  return {
    root, fields: [choice],
    show(value, snap) {
      const statuses = (snap.statuses ?? []).filter((d) => d.pickable && d.class !== "off"), key = JSON.stringify(statuses);
      if (key !== built) choice.replaceChildren(option("", t("set.sign.status.last")), ...statuses.map((d) => option(d.id, word(d.name))));
      built = key;
      choice.value = String(value ?? "");
      if (choice.selectedIndex < 0) choice.value = "";
    },
  };
}
