// @ts-check
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { clean, language, say, t, word } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Update} Update */

/**
 * A newer version of the phone: the mark in the line on top, and the dialog behind it (PRODUCT B1–B4). The old style opens the dialog by
 * itself, once for a version; no style does so in a call, and an offered call closes it.
 * @param {import("../types").Send} send
 */
export function updateView(send) {
  const body = updateBody(send);
  const title = h("h2", { id: "update-title" }, t("update.title"));
  const later = h("button", { type: "button", onclick: () => close() });
  const dialog = h("dialog", { className: "update", "aria-labelledby": title.id, oncancel: (/** @type {Event} */ e) => {
    e.preventDefault();
    close();
  } }, title, body.root, h("div", { className: "ask-row" }, ...body.buttons, later));
  const words = h("span", { className: "unseen" });
  const mark = h("button", { type: "button", className: "round update-mark", "aria-haspopup": "dialog", hidden: true, onclick: () => open() }, icon("info"), words);
  let told = "";
  function open() {
    if (!dialog.open && dialog.isConnected) dialog.showModal();
  }
  function close() {
    if (dialog.open) dialog.close();
  }
  return {
    root: mark, dialog,
    /** @param {Snapshot} snap */
    show(snap) {
      const u = snap.update, busy = (snap.calls ?? []).length > 0;
      mark.hidden = !u;
      if (!u || (snap.calls ?? []).some((c) => c.phase === "offered")) close(); // what rings is never behind it
      if (!u) return;
      body.show(snap);
      const name = t("update.mark", { version: clean(u.version) });
      put(words, name);
      attr(mark, "title", name);
      attr(mark, "data-state", u.state);
      put(later, u.state === "loading" ? t("update.hide") : u.state === "offered" && u.style === "get" ? t("update.later") : t("update.close"));
      if (u.style !== "dialog" || busy || u.version === told || localStorage.getItem("zaseki.update") === u.version) return;
      localStorage.setItem("zaseki.update", (told = u.version));
      open();
    },
  };
}

/**
 * What is said of an update and what can be done; it stands in the dialog and in the settings.
 * @param {import("../types").Send} send
 */
export function updateBody(send) {
  const text = h("p", { role: "status" }), notes = h("p", { className: "quiet-text update-notes" });
  const bar = h("progress", { max: 1, "aria-label": t("update.progress") }), far = h("span", { className: "time" });
  const work = h("div", { className: "update-work" }, bar, far);
  const trouble = h("p", { className: "trouble", role: "alert" });
  const details = h("pre", { className: "update-details", tabIndex: 0 });
  const said = h("span", { className: "quiet-text", role: "status" });
  const copy = h("button", { type: "button", onclick: () => void copyAll() }, t("update.copy"));
  const more = h("details", {}, h("summary", {}, t("update.details")), details, copy, said);
  const go = h("button", { type: "button", className: "primary", onclick: () => send("update.get") });
  const stop = h("button", { type: "button", onclick: () => send("update.stop") }, t("update.stop"));
  const root = h("div", { className: "update-body" }, text, notes, work, trouble, more);
  async function copyAll() {
    const done = await navigator.clipboard.writeText(details.textContent ?? "").then(() => true, () => false);
    put(said, done ? t("why.copied") : t("why.uncopied"));
  }
  return {
    root, buttons: [go, stop],
    /** @param {Snapshot} snap */
    show(snap) {
      const u = snap.update, gets = u?.style === "get", busy = (snap.calls ?? []).length > 0;
      put(text, u ? sentence(u, busy) : t("update.none"));
      put(notes, u?.notes ? word(u.notes) : "");
      work.hidden = u?.state !== "loading";
      if (u?.size) bar.value = Math.min(1, (u.done ?? 0) / u.size);
      else bar.removeAttribute("value");
      put(far, u?.state === "loading" ? [u.size ? `${Math.floor((100 * (u.done ?? 0)) / u.size)}%` : "", size(u.done ?? 0), u.size ? size(u.size) : ""].filter(Boolean).join(" / ").replace(" / ", " · ") : "");
      const failed = u?.problem;
      put(trouble, failed ? say(failed) : "");
      trouble.hidden = !failed;
      put(details, u?.details ? plainDetails(u.details) : "");
      more.hidden = !u?.details;
      go.hidden = !u || !gets || u.state === "loading";
      go.disabled = busy;
      put(go, u?.state === "failed" ? t("update.again") : u?.state === "ready" ? t("update.folder") : t("update.ok"));
      stop.hidden = u?.state !== "loading";
    },
  };
}

const plainDetails = (/** @type {string} */ s) => s.replace(/[^\P{C}\n\t]/gu, "").slice(0, 8192);

/** Bytes as megabytes. @param {number} bytes */
const size = (bytes) => new Intl.NumberFormat(language(), { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(bytes / 1e6);

/** @param {Update} u @param {boolean} busy */
function sentence(u, busy) {
  const version = clean(u.version);
  if (u.state === "loading") return t("update.loading", { version });
  if (u.state === "ready") return t("update.ready", { version, folder: clean(u.folder) });
  if (u.state === "failed") return t("update.failed", { version });
  if (u.style !== "get") return t("update.told", { version });
  return busy ? t("update.busy", { version }) : t("update.offer", { version });
}
