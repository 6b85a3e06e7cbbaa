// @ts-check
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { number, say, t } from "../text.js";

const KEYS = [["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""]];

/** Why nothing could be dialled: said beside the field too. */
const NEAR = ["number.invalid", "call.not_registered", "call.limit"];

/**
 * Number, Dial and the keys. Without a call the keys write the number; in a call they send tones (RFC 4733). A pasted link
 * becomes its number; nothing is dialled before Dial.
 * @param {import("../types").Send} send
 * @param {(digit: string) => void} beep
 * @returns {import("../types").View}
 */
export function dialView(send, beep) {
  /** The call that hears the keys. */
  let talking = "";
  let dialled = "", begun = "";
  /** The number that was asked for, until it is changed, and the notice about it. */
  let tried = "", refused = "";
  const field = h("input", { id: "number", name: "number", type: "text", inputMode: "tel", autocomplete: "off", spellcheck: false, maxLength: 128, placeholder: t("dial.number"), "aria-describedby": "keys-hint" });
  const changed = () => {
    if (refused) send("dismiss", { notice: refused });
    tried = refused = "";
  };
  const erase = h("button", { type: "button", className: "round", "aria-label": t("dial.erase"), title: t("dial.erase"), onclick: () => {
    field.value = field.value.slice(0, -1);
    changed();
    field.focus();
  } }, icon("erase"));
  const go = h("button", { type: "submit", className: "primary" }, icon("phone"), t("dial.go"));
  const hint = h("p", { id: "keys-hint", className: "quiet-text", role: "status" });
  const press = (/** @type {string} */ key) => {
    beep(key);
    if (talking) send("call.digits", { call: talking, digits: key });
    else insert(field, key), changed();
  };
  const keys = KEYS.map(([key, letters]) => h("button", { type: "button", className: "key", "aria-label": key, onclick: () => press(key) },
    h("span", {}, key), h("small", { "aria-hidden": "true" }, letters)));
  const root = h("form", { className: "dial", "aria-label": t("dial.title"), onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    const to = number(field.value);
    if (!to) field.value = dialled; // an empty field brings back the last number, as desk phones do
    else send("call.dial", { number: (tried = to) });
  } }, h("label", { className: "unseen", for: "number" }, t("dial.number")),
  h("div", { className: "dial-row" }, h("div", { className: "field-box" }, field, erase), go), hint, h("div", { className: "keys", role: "group", "aria-label": t("dial.keys") }, ...keys));
  field.addEventListener("paste", (e) => {
    e.preventDefault();
    insert(field, number(e.clipboardData?.getData("text") ?? ""));
    changed();
  });
  field.addEventListener("input", changed);
  return {
    root,
    show(snap) {
      const calls = snap.calls ?? [];
      talking = calls.find((c) => c.phase === "talking")?.id ?? "";
      const ours = calls.find((c) => !c.inbound && (c.phase === "dialing" || c.phase === "alerted"));
      if (ours && ours.id !== begun) field.value = tried = ""; // what was typed is a call now; a refused number stays
      begun = ours?.id ?? begun;
      dialled = snap.dialled ?? "";
      const problem = (snap.notices ?? []).find((n) => tried && NEAR.includes(n.problem.code) && tried.startsWith(n.problem.holes?.number ?? ""));
      refused = problem?.id ?? "";
      attr(field, "aria-invalid", problem?.problem.code === "number.invalid" ? "true" : undefined);
      attr(hint, "data-level", problem ? "bad" : undefined);
      put(hint, problem ? say(problem.problem) : talking ? t("dial.tones") : "");
    },
  };
}

/**
 * Puts text where the caret is.
 * @param {HTMLInputElement} field
 * @param {string} text
 */
function insert(field, text) {
  const from = field.selectionStart ?? field.value.length, to = field.selectionEnd ?? from;
  field.setRangeText(text, from, to, "end");
}
