// @ts-check
import { h } from "../../js/dom.js";
import { t } from "../../js/text.js";
import { ask, get } from "./api.js";
import { formOf } from "./form.js";
import { confirmed, guard, title } from "./shell.js";

const SYSTEMS = [["windows/amd64", "Windows"], ["windows/arm64", "Windows (ARM)"], ["darwin/arm64", "macOS"], ["darwin/amd64", "macOS (Intel)"], ["linux/amd64", "Linux"], ["linux/arm64", "Linux (ARM)"]];

/** The form has a line for each system; the center has a map for each column. @param {any} latest */
const rowsOf = (latest) => ({ ...latest, systems: SYSTEMS.map(([system]) => system).filter((s) => latest?.files?.[s]).map((system) => ({
  system, url: latest.files[system], sha256: latest.hashes?.[system], sign: latest.signs?.[system] })) });

/** @param {any} v */
function releaseOf(v) {
  const { systems = [], ...latest } = v;
  /** @type {any} */
  const maps = { files: {}, hashes: {}, signs: {} };
  for (const s of systems) {
    if (s.url) maps.files[s.system] = s.url;
    if (s.sha256) maps.hashes[s.system] = s.sha256.toLowerCase();
    if (s.sign) maps.signs[s.system] = s.sign;
  }
  return latest.version ? { version: latest.version, notes: latest.notes, notice: latest.notice, ...maps } : null;
}

/** What phones are told of a newer one. */
export async function versionsPage() {
  let now = await get("/versions");
  const form = formOf("versions", [
    { fields: [
      { name: "version", kind: "text", required: true }, { name: "notes", kind: "words" },
      { name: "notice", kind: "select", options: () => [["", t("admin.notice.own")], ["dialog", t("admin.notice.dialog")], ["mark", t("admin.notice.mark")], ["get", t("admin.notice.get")]] }] },
    { title: "admin.versions_files", fields: [
      { name: "systems", kind: "rows", add: "admin.add_file", fields: [
        { name: "system", kind: "select", value: SYSTEMS[0][0], options: /** @type {[string, string][]} */ (SYSTEMS) }, { name: "url", kind: "text", type: "url" }, { name: "sha256", kind: "text" }, { name: "sign", kind: "text" }] }] },
  ], async (f) => {
    f.clear();
    f.busy(true);
    try {
      const latest = releaseOf(f.get());
      if (!latest) return f.refuse({ message: t("admin.fault.missing"), faults: [{ field: "version", message: t("admin.fault.missing") }] });
      now = await ask("PUT", "/versions", { latest });
      f.saved();
    } catch (err) {
      for (const x of /** @type {any} */ (err).faults ?? []) x.field = x.field.replace(/^latest\.(files|hashes|signs)/, "systems").replace(/^latest\./, "");
      f.refuse(err);
    } finally {
      f.busy(false);
    }
  });
  const none = h("button", { type: "button", hidden: !now.latest, onclick: async () => {
    if (!(await confirmed(t("admin.versions_none_sure"), t("admin.versions_none")))) return;
    try {
      await ask("PUT", "/versions", { latest: null });
    } catch (err) {
      return form.refuse(err);
    }
    form.set({}, false);
    form.saved();
    none.hidden = true;
  } }, t("admin.versions_none"));
  form.set(rowsOf(now.latest ?? {}), !!now.latest);
  form.extra.append(none);
  guard(form.dirty);
  return [title(t("admin.nav.versions")), h("p", { className: "hint" }, t("admin.versions_hint")), form.root];
}
