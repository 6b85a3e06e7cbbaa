// @ts-check
// What the center says of a call, as a sentence and as a table of whom it was offered to.
import { h } from "../dom.js";
import { at, clean, known, language, span, t, word } from "../text.js";
import { defOf } from "../view/status.js";

/** @typedef {import("../types").CallFacts} Facts */
/** @typedef {import("../types").CallOffer} Offer */
/** @typedef {import("../types").TimelineLine} Line */
/** @typedef {import("../types").StatusDef} StatusDef */

/** The clock time to the second, or with more digits of it. @param {string | undefined} iso @param {1 | 2 | 3} [digits] */
export function exact(iso, digits) {
  const d = new Date(iso ?? "");
  if (!at(iso)) return "";
  return new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: digits, hourCycle: "h23" }).format(d);
}

/** Seconds with one digit, as people read how quick something was. @param {number} ms */
export const seconds = (ms) => t("why.seconds", { n: new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(ms / 1000) });

/** A name by its key, where there is one; else as it came. @param {string} prefix @param {string | undefined} name */
const named = (prefix, name) => (name && known(prefix + name) ? t(prefix + name) : clean(name));

/** What somebody lacked who was passed over: a status, or what the phone could not prove. @param {string} lack @param {StatusDef[] | undefined} defs */
export function lackName(lack, defs) {
  if (known(`why.lack.${lack}`)) return t(`why.lack.${lack}`);
  if (known(`seats.missing.${lack}`)) return t("why.lack.missing", { what: t(`seats.missing.${lack}`) });
  return word(defOf(defs, lack).name);
}

/**
 * The call in one sentence: how it came, whom it went to and how quickly it rang, who took it, what happened, and who ended it.
 * @param {Facts} f
 * @param {Line[]} lines
 */
export function sentence(f, lines) {
  const from = [clean(f.name), clean(f.from)].filter(Boolean).join(" "), who = clean(f.agent || f.account), time = exact(f.began);
  const parts = [f.direction === "out" ? t("why.s.made", { who: who || from, to: clean(f.to), time })
    : f.queue ? t("why.s.queue", { from: from || t("call.hidden"), queue: clean(f.queue), time }) : t("why.s.came", { from: from || t("call.hidden"), to: clean(f.to), time })];
  for (const o of f.offers ?? []) {
    const name = clean(o.agent || o.account), n = Object.keys(o.passed ?? {}).length;
    const offered = n ? t("why.s.offered.over", { who: name, n }) : t("why.s.offered", { who: name });
    const rang = at(o.rang) ? t("why.s.rang", { after: seconds(at(o.rang) - at(o.at)) }) : "";
    parts.push([offered, rang, o.result === "answered" ? "" : named("why.result.", o.result)].filter(Boolean).join(t("why.s.and")));
  }
  if (at(f.answered)) parts.push(who ? t("why.s.answered", { who, time: exact(f.answered) }) : t("why.s.answered.by", { time: exact(f.answered) }));
  else parts.push(t("why.s.unanswered", { why: known(`why.result.${f.reason}`) || !known(`calls.reason.${f.reason}`) ? named("why.result.", f.reason || f.result) : t(`calls.reason.${f.reason}`) }));
  const holds = f.holds ?? held(lines);
  if (holds) parts.push(holds === 1 ? t("why.s.held.once") : t("why.s.held", { n: holds }));
  if (f.sentTo) parts.push(t("why.s.moved", { to: clean(f.sentTo) }));
  if (f.hungUp) parts.push(named("why.s.by.", f.hungUp));
  if (at(f.answered) && at(f.ended)) parts.push(t("why.s.talked", { time: span(at(f.ended) - at(f.answered)) }));
  return parts.join(t("why.s.then")) + t("why.s.end");
}

/** How often this phone held it. @param {Line[]} lines */
const held = (lines) => lines.filter((l) => l.kind === "phone" && /^holds\b/.test(l.title)).length;

/** Each try to have an agent take it: why this one, who was passed over and what they lacked, the receipt, what came of it. @param {Offer[]} offers @param {StatusDef[] | undefined} defs */
export function offersTable(offers, defs) {
  const over = offers.some((o) => Object.keys(o.passed ?? {}).length); // a column of nothing would push the others out of a narrow page
  const heads = [t("why.o.time"), t("why.o.agent"), t("why.o.why"), t("why.o.rang"), t("why.o.result"), ...(over ? [t("why.o.passed")] : [])];
  const row = (/** @type {Offer} */ o) => {
    const passed = Object.entries(o.passed ?? {}).map(([who, lack]) => t("why.o.lacked", { who: clean(o.names?.[who] || who), lack: lackName(lack, defs) }));
    const cells = [exact(o.at, 1), clean(o.agent || o.account), named("why.offer.", o.why), at(o.rang) ? seconds(at(o.rang) - at(o.at)) : t("why.o.silent"), t("why.o.after", { result: named("why.result.", o.result), time: seconds(o.took) })];
    return h("tr", { "data-result": clean(o.result) }, ...cells.map((c) => h("td", {}, c)), over ? h("td", {}, passed.length > 3 ? h("details", {}, h("summary", {}, t("why.o.many", { n: passed.length })), passed.join(t("why.o.sep"))) : passed.join(t("why.o.sep"))) : "");
  };
  return h("div", { className: "why-scroll", tabIndex: 0, role: "region", "aria-label": t("why.offers") },
    h("table", { className: "why-offers" }, h("thead", {}, h("tr", {}, ...heads.map((x) => h("th", { scope: "col" }, x)))), h("tbody", {}, ...offers.map(row))));
}
