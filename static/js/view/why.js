// @ts-check
import { h, put } from "../dom.js";
import { icon } from "../icons.js";
import { clean, known, language, plain, say, t } from "../text.js";
import { peerOf } from "./card.js";

/** @typedef {import("../types").TimelineLine} Line */

/**
 * What happened to one call, moment by moment: SIP messages with secrets masked, what the phone decided, the sound
 * (PRODUCT G4). It is fetched when asked for and stays as it was until it is fetched again.
 * @param {(path: string) => Promise<any>} fetchJSON
 * @returns {import("../types").View & { open: import("../types").Why }}
 */
export function whyView(fetchJSON) {
  /** @type {Line[]} */
  let lines = [];
  let id = "";
  const title = h("h2", { id: "why-title" });
  const state = h("p", { className: "why-state", role: "status" });
  const list = h("ol", { className: "timeline", "aria-labelledby": "why-title" });
  const copy = h("button", { type: "button", onclick: () => void copyAll() }, t("why.copy"));
  const again = h("button", { type: "button", onclick: () => void load() }, t("why.again"));
  const file = h("a", { href: "/support", download: "", className: "button" }, t("why.file"));
  const close = h("button", { type: "button", className: "round", "aria-label": t("why.close"), title: t("why.close"), onclick: () => root.close() }, icon("close"));
  const root = h("dialog", { className: "why", "aria-labelledby": "why-title" },
    h("header", {}, title, close), h("div", { className: "why-list", tabIndex: 0, role: "region", "aria-labelledby": "why-title" }, list),
    h("footer", {}, state, copy, again, file));

  async function load() {
    const asked = id;
    put(state, t("why.wait"));
    try {
      const got = await fetchJSON("/timeline?call=" + encodeURIComponent(asked));
      if (asked !== id) return; // another call is looked at by now
      lines = got.lines ?? [];
      put(state, lines.length ? "" : t("why.none"));
    } catch (/** @type {any} */ e) {
      if (asked !== id) return;
      lines = [];
      put(state, e.status === 404 ? t("why.none") : e.status ? say({ code: "internal" }) : t("why.lost"));
    }
    list.replaceChildren(...lines.map(moment));
    copy.disabled = lines.length === 0;
  }
  async function copyAll() {
    const done = await navigator.clipboard.writeText(lines.map(asText).join("\n\n")).then(() => true, () => false);
    put(state, done ? t("why.copied") : t("why.uncopied"));
  }
  return {
    root,
    show() {},
    open(call) {
      if (call.id !== id) list.replaceChildren();
      id = call.id;
      put(title, t("why.title", { name: peerOf(call) }));
      if (!root.open) root.showModal(); // the browser gives the focus back when it closes
      void load();
    },
  };
}

/** @param {Line} l */
function moment(l) {
  const sip = l.kind === "sip";
  const way = !sip ? "·" : l.sent ? "→" : "←";
  const head = [
    h("time", { className: "time" }, exact(l.at)),
    h("span", { className: "why-way", role: "img", "aria-label": sip ? (l.sent ? t("why.sent") : t("why.received")) : t("why.inside") }, way),
    h("span", { className: "why-what" }, sip ? clean(l.title) : told(clean(l.title))),
    h("span", { className: "quiet-text why-peer" }, [clean(l.network), clean(l.peer)].filter(Boolean).join(" ")),
  ];
  const row = l.text ? h("details", {}, h("summary", {}, ...head), h("pre", { tabIndex: 0 }, plain(l.text))) : h("div", { className: "why-line" }, ...head);
  return h("li", { "data-kind": clean(l.kind) }, row);
}

/**
 * What the phone noted, in the language of the page where it is known: a phrase, for some with what it is about behind it.
 * @param {string} title
 */
function told(title) {
  const [, phrase, what] = /^(refused|connects with|is transferred from|person: digits)\b:? ?(.*)$/.exec(title) ?? ["", title, ""];
  const key = "moment." + phrase.replace(/\W+/g, "_");
  return known(key) ? t(key, { what }) : title;
}

/** The clock time with milliseconds. @param {string} iso */
function exact(iso) {
  const d = new Date(iso);
  if (Number.isNaN(d.getTime())) return "";
  return new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" }).format(d);
}

/** @param {Line} l */
function asText(l) {
  const way = l.kind !== "sip" ? "·" : l.sent ? "->" : "<-";
  return [`${clean(l.at)} ${way} ${[clean(l.title), clean(l.network), clean(l.peer)].filter(Boolean).join(" ")}`, plain(l.text)].filter(Boolean).join("\n");
}
