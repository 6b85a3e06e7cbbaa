// @ts-check
import { attr, h, put } from "./dom.js";
import { clean, t } from "./text.js";

/** The place of the sentence about what went wrong; it is there before the sentence, so that it is read out. @param {string} [id] */
export const trouble = (id) => h("p", { className: "trouble", role: "alert", id });

/**
 * A field under its label.
 * @param {string} label
 * @param {HTMLElement} field
 * @param {...Node} more
 */
export const row = (label, field, ...more) => h("div", { className: "field" }, h("label", { for: field.id }, label), h("div", { className: "field-box" }, field, ...more));

/** @param {string} value @param {string} text */
export const option = (value, text) => h("option", { value }, text);

/**
 * The button that shows and hides a password.
 * @param {HTMLInputElement} password
 */
export function look(password) {
  const button = h("button", { type: "button", className: "quiet", "aria-pressed": "false", "aria-controls": password.id, onclick: () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    attr(button, "aria-pressed", String(!shown));
    put(button, shown ? t("signin.show") : t("signin.hide"));
    password.focus();
  } }, t("signin.show"));
  return button;
}

/**
 * What a field holds, with the tabs and line breaks of what was pasted: a text box cannot hold them, and browsers make blanks of some.
 * Whether they count is for the center to say, by its generation (PRODUCT A2, A3). Who types afterwards has seen what is there.
 * @param {HTMLInputElement} field
 */
export function asPasted(field) {
  let raw = "", shown = "";
  field.addEventListener("paste", (e) => {
    const words = (e.clipboardData?.getData("text/plain") ?? "").slice(0, field.maxLength);
    if (!/[\t\r\n]/.test(words)) return;
    e.preventDefault();
    const from = field.selectionStart ?? 0, to = field.selectionEnd ?? 0;
    raw = field.value.slice(0, from) + words + field.value.slice(to);
    field.setRangeText(words.replace(/[\t\r\n]/g, ""), from, to, "end");
    shown = field.value;
  });
  field.addEventListener("input", () => (raw = shown = "")); // typed, or pasted without any
  return () => {
    if (field.value !== shown) raw = shown = "";
    return raw || field.value;
  };
}

/**
 * A button that is at work keeps its name, its size and the keyboard.
 * @param {HTMLElement} button
 * @param {boolean} on
 */
export const busy = (button, on) => attr(button, "aria-busy", on ? "true" : undefined);

/** @param {HTMLElement} button */
export const isBusy = (button) => button.getAttribute("aria-busy") === "true";

/** A terminal as a person chooses it. @param {import("./types").Terminal} x */
export function terminalName(x) {
  const kinds = /** @type {Record<string, string>} */ ({
    softphone: t("terminal.softphone"), "softphone-encrypted": t("terminal.encrypted"), desk: t("terminal.desk"), mobile: t("terminal.mobile"),
  });
  return [clean(x.extension), clean(x.name) || (kinds[x.type] ?? clean(x.type))].join(" · ");
}
