// @ts-check
import { attr, h, put } from "./dom.js";
import { t } from "./text.js";

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
 * A button that is at work keeps its name, its size and the keyboard.
 * @param {HTMLElement} button
 * @param {boolean} on
 */
export const busy = (button, on) => attr(button, "aria-busy", on ? "true" : undefined);

/** @param {HTMLElement} button */
export const isBusy = (button) => button.getAttribute("aria-busy") === "true";
