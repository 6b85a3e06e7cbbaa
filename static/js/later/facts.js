// @ts-check
import { attr, each, h, put } from "../dom.js";
import { terminalName } from "../form.js";
import { ago, at, clean, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {[key: string, words: string, level?: string]} Fact */

/**
 * Facts to read, as pairs. A fact without words is left out.
 * @param {(snap: Snapshot) => Fact[]} of
 * @param {string} [className]
 */
export function factsView(of, className = "facts-list") {
  const root = h("dl", { className });
  /** @type {Map<string, ReturnType<typeof pair>>} */
  const pairs = new Map();
  return {
    root,
    /** @param {Snapshot} snap */
    show(snap) {
      each(root, pairs, of(snap).filter(([, words]) => words), ([key]) => key, ([key]) => pair(key), (v, f) => v.show(f));
    },
  };
}

/** @param {string} key */
function pair(key) {
  const what = h("dd", {});
  return {
    root: h("div", {}, h("dt", {}, t(key)), what),
    /** @param {Fact} f */
    show([, words, level]) {
      put(what, words);
      attr(what, "data-level", level);
    },
  };
}

/** What the line is and what is encrypted (PRODUCT A16). @param {Snapshot} snap @returns {Fact[]} */
export function networkFacts(snap) {
  const l = snap.line, good = l.state === "registered" || l.state === "elsewhere", call = (snap.calls ?? []).find((c) => c.phase === "talking");
  return [
    ["fact.line", good ? t("fact.line.good", { ago: ago(Date.now() - at(l.proven)) }) : t("fact.line.bad"), good ? "good" : "bad"],
    ["fact.server", clean(l.server)],
    ["fact.signal", l.secure ? t("fact.signal.tls") : t("fact.signal.clear"), l.secure ? "good" : undefined],
    ["fact.terminal", snap.me ? `${terminalName(snap.me.terminal)}${snap.me.encrypted ? ` · ${t("me.encrypted")}` : ""}` : ""],
    ["fact.call", call ? [call.secure ? t("call.secure") : t("fact.voice.clear"), clean(call.codec)].filter(Boolean).join(" · ") : t("fact.call.none"), call?.secure ? "good" : undefined],
    ["fact.center", snap.local ? "" : [clean(snap.center.name), clean(snap.center.url)].filter(Boolean).join(" · ")],
    ["fact.link", snap.local ? "" : snap.center.online ? t("center.online") : t("problem.center.offline"), snap.center.online ? "good" : "bad"],
    ["fact.way", snap.way ? t(snap.way === "websocket" ? "fact.way.websocket" : "fact.way.webrtc") : ""],
  ];
}

/** What is kept for auto sign-in (PRODUCT A14). @param {Snapshot} snap @returns {Fact[]} */
export function savedFacts(snap) {
  const saved = snap.saved;
  return saved?.account ? [
    ["signin.account", clean(saved.account)], ["signin.password", "••••••••"], ["signin.terminal", clean(saved.terminal)],
    ["signin.seat", clean(saved.seat) || (saved.terminal ? t("signin.seat.none") : "")],
  ] : [];
}
