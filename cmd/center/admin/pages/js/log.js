// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, language, t } from "../../js/text.js";
import { get } from "./api.js";

/** How sure an acknowledged change is, as the center says it → as the pages do. */
const SURE = { "every change is on the disk before": "disk", "every change is on the disks of the majority": "majority", "unverified": "unverified" };

/** How the center's log is kept: whether it can be written, where its copies are, and the disk's room. */
export function logCard() {
  const warning = h("p", { role: "alert", className: "banner", hidden: true });
  const facts = h("p"), sure = h("p", { className: "quiet-text" }), members = h("ul", { className: "members" });
  const root = h("section", { className: "card", hidden: true }, h("h2", {}, t("admin.log")), warning, facts, members, sure);
  const bytes = new Intl.NumberFormat(language(), { style: "unit", unit: "gigabyte", maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(language());

  return {
    root,
    async show() {
      const s = await get("/log");
      root.hidden = false;
      put(facts, t("admin.log_facts", { mode: t("admin.log_mode." + s.mode), events: whole.format(s.seq), free: s.free ? bytes.format(s.free / 1e9) : "–" }));
      const known = Object.entries(SURE).find(([begin]) => s.durability.startsWith(begin));
      put(sure, known ? t("admin.sure." + known[1]) : clean(s.durability));
      sure.lang = known ? language() : "en";
      put(warning, s.readOnly ? t("admin.log_read_only", { why: clean(s.readOnly) }) : "");
      warning.hidden = !s.readOnly;
      members.replaceChildren(...(s.members ?? []).map((/** @type {any} */ m) => h("li", {}, h("b", {}, clean(m.name)), " ",
        t(m.offline ? "admin.log_offline" : m.leads ? "admin.log_leads" : m.lag ? "admin.log_behind" : "admin.log_copy", { n: whole.format(m.lag ?? 0) }))));
    },
  };
}
