// @ts-check
// What is around every page: where one is, where one can go, and that nothing typed is lost on the way.
import { h } from "../../js/dom.js";
import { t } from "../../js/text.js";

/** @type {() => boolean} */
let unsaved = () => false;

/** The page says whether something is typed that is not saved. @param {() => boolean} is */
export const guard = (is) => (unsaved = is);

addEventListener("beforeunload", (e) => {
  if (unsaved()) e.preventDefault();
});

/** The language of the address goes along. @param {string} path */
export function withLang(path) {
  const lang = new URLSearchParams(location.search).get("lang");
  if (!lang || path.includes("lang=")) return path;
  return path + (path.includes("?") ? "&" : "?") + "lang=" + lang;
}

/**
 * @param {string} path
 * @param {string | Node} text
 * @param {string} [className]
 */
export function link(path, text, className) {
  const a = h("a", { href: withLang(path), className: className ?? "" }, text);
  a.addEventListener("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    e.preventDefault();
    go(path);
  });
  return a;
}

/** Goes to another page of ours. @param {string} path */
export async function go(path) {
  if (unsaved() && !(await confirmed(t("admin.leave_page"), t("admin.leave_page_yes")))) return;
  unsaved = () => false;
  history.pushState(null, "", withLang(path));
  dispatchEvent(new Event("moved"));
}

addEventListener("popstate", () => {
  unsaved = () => false;
  dispatchEvent(new Event("moved"));
});

/** @param {string} text */
export const title = (text) => h("h1", { tabIndex: -1 }, text);

/**
 * Asks before something that cannot be taken back.
 * @param {string} question
 * @param {string} yes
 * @returns {Promise<boolean>}
 */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    const box = h("dialog", { className: "ask", "aria-labelledby": "ask-words" },
      h("p", { id: "ask-words" }, question),
      h("div", { className: "ask-row" },
        h("button", { type: "button", onclick: () => box.close("no") }, t("admin.cancel")),
        h("button", { type: "button", className: "danger", onclick: () => box.close("yes") }, yes)));
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "yes");
    });
    document.body.append(box);
    box.showModal();
  });
}

/**
 * Shows something once, such as a new password.
 * @param {string} heading
 * @param {...Node} what
 */
export function shownOnce(heading, ...what) {
  return new Promise((resolve) => {
    const box = h("dialog", { className: "ask", "aria-labelledby": "once-words" }, h("h2", { id: "once-words" }, heading), ...what,
      h("div", { className: "ask-row" }, h("button", { type: "button", className: "primary", onclick: () => box.close() }, t("admin.done"))));
    box.addEventListener("close", () => (box.remove(), resolve(undefined)));
    document.body.append(box);
    box.showModal();
  });
}

/** A text with a button that copies it. @param {string} text @param {string} label */
export function copyable(text, label) {
  const told = h("span", { role: "status", className: "quiet-text" });
  return h("div", { className: "copy" }, h("code", {}, text),
    h("button", { type: "button", "aria-label": t("admin.copy") + ": " + label, onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        told.textContent = t("admin.copied");
      } catch {
        told.textContent = t("admin.copy_failed");
      }
    } }, t("admin.copy")), told);
}

/** A password that can be read out: 80 bits. */
export function makePassword() {
  const signs = "abcdefghijklmnopqrstuvwxyz234567";
  const s = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => signs[b % 32]).join("");
  return s.replace(/(....)(?=.)/g, "$1-");
}
