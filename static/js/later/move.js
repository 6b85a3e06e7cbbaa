// @ts-check
import { h, put } from "../dom.js";
import { t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */

/** The longest file that is read, in bytes. */
const LONGEST = 64_000;

/**
 * All settings to a file and back, for another machine. Passwords are never in it.
 * @param {import("../types").Send} send
 */
export function moveView(send) {
  /** @type {Snapshot | undefined} */
  let last;
  const said = h("p", { className: "option-trouble", role: "status" });
  const file = h("input", { id: "settings-file", name: "settings-file", type: "file", accept: ".json,application/json", onchange: () => void take() });
  const out = h("button", { type: "button", onclick: () => give() }, t("move.export"));
  const root = h("div", { className: "move" }, out, h("div", { className: "field" }, h("label", { for: file.id }, t("move.import")), file), said);

  function give() {
    const text = JSON.stringify({ zaseki: "settings", values: last?.settings ?? {} }, null, 1);
    const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: "zaseki-settings.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    put(said, t("move.exported"));
  }
  async function take() {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    const values = chosen.size <= LONGEST ? settingsIn(await chosen.text()) : undefined;
    put(said, values ? t("move.imported") : t("move.wrong"));
    if (values) send("setting.import", { values });
  }
  return {
    root,
    /** @param {Snapshot} snap */
    show(snap) {
      last = snap;
    },
  };
}

/**
 * The settings in an exported file; undefined when it is none.
 * @param {string} text
 * @returns {Record<string, any> | undefined}
 */
export function settingsIn(text) {
  try {
    const read = JSON.parse(text);
    const values = read?.zaseki === "settings" ? read.values : undefined;
    return values && typeof values === "object" && !Array.isArray(values) ? values : undefined;
  } catch {
    return undefined;
  }
}
