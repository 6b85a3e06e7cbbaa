// @ts-check
import { h, put } from "../dom.js";
import { icon } from "../icons.js";
import { clean, known, plain, say, t, word } from "../text.js";
import { mosText } from "../view/grade.js";
import { outcomeName } from "../view/memo.js";
import { peerOf } from "../view/parts.js";
import { defOf } from "../view/status.js";
import { ladder } from "./ladder.js";
import { exact, offersTable, sentence } from "./whyfacts.js";
import { parts, qualityStrip, strip } from "./whystrip.js";

/** @typedef {import("../types").TimelineLine} Line */
/** @typedef {import("../types").Timeline} Timeline */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {{ id: string, number: string, name?: string, outcome?: string, note?: string }} Asked */

/**
 * What happened to one call (PRODUCT G4): in a sentence, as a strip of time, to whom it was offered and why, how it sounded, the SIP messages
 * as a ladder with secrets masked, and all of it moment by moment. It is fetched when asked for and stays as it was until it is fetched
 * again; it works with what the phone has alone, and with what the center has alone.
 * @param {(path: string) => Promise<any>} fetchJSON
 * @param {(call: string) => void} [shown] which call is shown now; "" none any more
 * @returns {import("../types").View & { open: import("../types").Why }}
 */
export function whyView(fetchJSON, shown = () => {}) {
  /** @type {Timeline} */
  let got = { call: "", lines: [] };
  /** @type {Asked} */
  let call = { id: "", number: "" };
  /** @type {Snapshot | undefined} */
  let last;
  const facts = h("div", { className: "why-facts" });
  const all = h("h3", { hidden: true }, t("why.all"));
  const title = h("h2", { id: "why-title" });
  const state = h("p", { className: "why-state", role: "status" });
  const list = h("ol", { className: "timeline", "aria-labelledby": "why-title" });
  const copy = h("button", { type: "button", onclick: () => void copyAll() }, t("why.copy"));
  const again = h("button", { type: "button", onclick: () => void load() }, t("why.again"));
  const file = h("a", { href: "/support", download: "", className: "button" }, t("why.file"));
  const close = h("button", { type: "button", className: "round", "aria-label": t("why.close"), title: t("why.close"), onclick: () => root.close() }, icon("close"));
  const root = h("dialog", { className: "why", "aria-labelledby": "why-title", onclose: () => shown("") },
    h("header", {}, title, close), h("div", { className: "why-list", tabIndex: 0, role: "region", "aria-labelledby": "why-title" }, facts, all, list),
    h("footer", {}, state, copy, again, file));

  const lines = () => got.lines ?? [];

  async function load() {
    const asked = call.id;
    put(state, t("why.wait"));
    try {
      const answer = await fetchJSON("/timeline?call=" + encodeURIComponent(asked));
      if (asked !== call.id) return; // another call is looked at by now
      got = answer;
      put(state, got.problem ? say(got.problem) : lines().length || got.facts ? "" : t("why.none"));
    } catch (/** @type {any} */ e) {
      if (asked !== call.id) return;
      got = { call: asked, lines: [] };
      put(state, e.problem ? say(e.problem) : e.status === 404 ? t("why.none") : e.status ? say({ code: "internal" }) : t("why.lost"));
    }
    paint();
  }
  function paint() {
    list.replaceChildren(...lines().map((l) => moment(l, last)));
    const blocks = sections(got, call, last);
    facts.replaceChildren(...blocks);
    all.hidden = blocks.length === 0 || lines().length === 0;
    copy.disabled = lines().length === 0 && !got.facts;
    const f = got.facts;
    if (f && !call.number) put(title, t("why.title", { name: clean(f.name) || clean(f.direction === "out" ? f.to : f.from) || t("call.hidden") }));
  }
  async function copyAll() {
    const words = [got.facts ? sentence(got.facts, lines()) : "", ...lines().map(asText)].filter(Boolean).join("\n\n");
    const done = await navigator.clipboard.writeText(words).then(() => true, () => false);
    put(state, done ? t("why.copied") : t("why.uncopied"));
  }
  return {
    root,
    show(snap) {
      last = snap;
    },
    open(asked) {
      if (asked.id !== call.id) list.replaceChildren(), facts.replaceChildren();
      call = asked;
      put(title, asked.number || asked.name ? t("why.title", { name: peerOf(asked) }) : t("why.open"));
      if (!root.open) root.showModal(); // the browser gives the focus back when it closes
      shown(asked.id);
      void load();
    },
  };
}

/** What there is to say before the moments. @param {Timeline} got @param {Asked} call @param {Snapshot | undefined} snap @returns {HTMLElement[]} */
function sections(got, call, snap) {
  const lines = got.lines ?? [], f = got.facts, pieces = f ? parts(f, lines, Date.now()) : [];
  const written = snap ? [outcomeName(snap, call.outcome), plain(call.note)].filter(Boolean).join(" · ") : "";
  const section = (/** @type {string} */ name, /** @type {Node | 0 | "" | undefined} */ what) => (what ? [h("section", { "aria-label": name }, h("h3", {}, name), what)] : []);
  return [
    ...(f ? [h("p", { className: "why-sentence" }, sentence(f, lines))] : []),
    ...(pieces.length ? [strip(pieces)] : []),
    ...section(t("why.offers"), f?.offers?.length && offersTable(f.offers, snap?.statuses)),
    ...section(t("why.quality"), got.quality ? qualityStrip(got.quality) : f?.sound && h("p", { className: "why-note" }, soundWords(f.sound))),
    ...section(t("why.note"), written && h("p", { className: "why-note" }, written)),
    ...section(t("why.ladder"), lines.some((l) => l.kind === "sip") ? ladder(lines) : undefined),
  ];
}

/** How it sounded at another phone, as that one reported it. @param {import("../types").CallSound} s */
const soundWords = (s) => t("why.sound", { mos: mosText(s.mos), loss: s.loss.toFixed(1), jitter: Math.round(s.jitter), delay: Math.round(s.delay) });

/** @param {Line} l @param {Snapshot | undefined} snap */
function moment(l, snap) {
  const sip = l.kind === "sip";
  const way = !sip ? "·" : l.sent ? "→" : "←";
  const head = [
    h("time", { className: "time" }, exact(l.at, 3)),
    h("span", { className: "why-way", role: "img", "aria-label": sip ? (l.sent ? t("why.sent") : t("why.received")) : t("why.inside") }, way),
    h("span", { className: "why-what" }, sip ? clean(l.title) : told(l, snap)),
    h("span", { className: "quiet-text why-peer" }, [clean(l.network), clean(l.peer)].filter(Boolean).join(" ")),
  ];
  const row = l.text ? h("details", {}, h("summary", {}, ...head), h("pre", { tabIndex: 0 }, plain(l.text))) : h("div", { className: "why-line" }, ...head);
  return h("li", { "data-kind": clean(l.kind) }, row);
}

/**
 * What phone and center noted, in the language of the page where it is known: a phrase, or one with what it is about behind it.
 * @param {Line} l
 * @param {Snapshot | undefined} snap
 */
function told(l, snap) {
  const title = clean(l.title), [, phrase, what] = /^(refused|connects with|is transferred from|person: digits|sounded|takes part)\b:? ?(.*)$/.exec(title) ?? ["", title, ""];
  const key = (/** @type {string} */ s) => "moment." + s.replace(/\W+/g, "_");
  if (known(key(title))) return t(key(title), holesOf(l, snap)).trim();
  return known(key(phrase)) ? t(key(phrase), { what }) : title;
}

/** What fills the center's phrases: names from outside are cleaned, ids that have words of their own become them. @param {Line} l @param {Snapshot | undefined} snap */
function holesOf(l, snap) {
  /** @type {Record<string, string>} */
  const holes = {};
  for (const [k, v] of Object.entries(l.holes ?? {})) holes[k] = clean(v);
  if (holes.status) holes.status = word(defOf(snap?.statuses, holes.status).name);
  if (holes.outcome && snap) holes.outcome = outcomeName(snap, holes.outcome);
  if (holes.mode && known(`attend.${holes.mode}`)) holes.mode = t(`attend.${holes.mode}`);
  return holes;
}

/** @param {Line} l */
function asText(l) {
  const way = l.kind !== "sip" ? "·" : l.sent ? "->" : "<-";
  return [`${clean(l.at)} ${way} ${[clean(l.title), clean(l.network), clean(l.peer)].filter(Boolean).join(" ")}`, plain(l.text)].filter(Boolean).join("\n");
}
