// @ts-check
import { h, put, attr } from "../dom.js";
import { terminalName } from "../form.js";
import { icon } from "../icons.js";
import { chordOf } from "../settings.js";
import { ago, at, clean, say, t } from "../text.js";

/** @typedef {import("../types").Snapshot} Snapshot */

/**
 * Who is signed in, where, and as what: the center's name at the left says that sign-in is done (PRODUCT A12); the lock,
 * what is encrypted (A16).
 * @returns {import("../types").View}
 */
export function identityView() {
  const center = h("strong", { className: "center" });
  const person = h("bdi", { className: "person" });
  const facts = h("span", { className: "facts" });
  const lock = h("span", { className: "lock", role: "img" }, icon("lock"));
  const way = h("span", { className: "way-note", title: t("sound.websocket.why"), hidden: true }, t("me.websocket"));
  const root = h("section", { className: "identity", "aria-label": t("me.title") }, center, h("div", {}, person, lock), way, facts);
  return {
    root,
    show(snap) {
      put(center, clean(snap.local ? snap.line.server || snap.sip?.server : snap.center.name));
      put(person, clean(snap.me?.name || snap.me?.account));
      const seat = clean(snap.seatName || snap.seat);
      put(facts, [
        t("me.account", { account: clean(snap.me?.account) }),
        t("me.extension", { extension: clean(snap.me?.terminal.extension) }),
        snap.local ? "" : seat ? t("me.seat", { seat }) : t("signin.seat.none"),
      ].filter(Boolean).join(" · "));
      way.hidden = snap.way !== "websocket";
      const locked = lockName(snap);
      lock.toggleAttribute("hidden", !locked);
      attr(lock, "aria-label", locked);
      attr(lock, "title", locked);
    },
  };
}

/**
 * The voice mail that waits, in the line on top: one click listens to it.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function mailView(send) {
  let number = "";
  const words = h("span", {});
  const root = h("button", { type: "button", className: "mail", hidden: true, onclick: () => number && send("call.dial", { number }) }, icon("mail"), words);
  return {
    root,
    show(snap) {
      const mail = snap.voicemail;
      number = mail?.number ?? "";
      root.hidden = !mail?.waiting || snap.phase !== "in";
      put(words, mail?.new ? t("mail.new", { n: mail.new }) : t("mail.some"));
      attr(root, "aria-disabled", number ? undefined : "true");
      attr(root, "title", number ? t("mail.call", { number: clean(number) }) : t("mail.unknown"));
    },
  };
}

/**
 * What is encrypted now: in a call its voice, at rest the terminal, and only with its line (PRODUCT A16).
 * @param {Snapshot} snap
 */
function lockName(snap) {
  const calls = (snap.calls ?? []).filter((c) => c.phase !== "ending");
  if (calls.length) return calls.every((c) => c.secure) ? t("call.secure") : "";
  return snap.me?.encrypted && snap.line.secure ? t("me.encrypted") : "";
}

/**
 * What must be true for a call to come through: line, center, sound. Stands where a call stands later, in the same height.
 * @param {() => void} claim
 * @returns {import("../types").View}
 */
export function readyView(claim) {
  /** @type {Snapshot} */
  let last;
  const line = fact("line"), center = fact("center"), sound = fact("sound");
  const move = h("button", { type: "button", onclick: claim }, t("sound.move"));
  sound.root.append(move);
  const why = h("p", { className: "fact-why quiet-text" });
  const keys = h("ul", { className: "ready-keys", "aria-label": t("set.chapter.hotkeys") });
  const root = h("section", { className: "ready", "aria-label": t("ready.title") }, line.root, center.root, sound.root, why, keys);
  return {
    root,
    show(snap, page) {
      last = snap;
      root.hidden = (snap.calls ?? []).length > 0 || !!snap.supervised;
      center.root.hidden = !!snap.local;
      center.set(snap.center.online ? "good" : "bad", snap.center.online ? t("center.online") : t("problem.center.offline"));
      const [level, words] = soundState(snap, page);
      sound.set(level, words);
      put(why, snap.way === "websocket" && level === "good" ? t("sound.websocket.why") : "");
      move.hidden = !page.taken || !page.linked;
      const rows = ["answer", "hangup", "mute", "hold", "show"].map((what) => [t(`set.hotkey.${what}`), chordOf(snap, what)]).filter(([, chord]) => chord);
      const said = rows.map((r) => r.join(" ")).join("\n");
      if (keys.dataset.said !== said) keys.replaceChildren(...rows.map(([what, chord]) => h("li", {}, what, h("kbd", {}, chord))));
      keys.dataset.said = said;
      this.tick?.(Date.now());
    },
    tick(now) {
      if (last) line.set(...lineState(last, now));
    },
  };
}

/** @param {string} name */
function fact(name) {
  const text = h("span", { className: "fact-text" });
  const root = h("p", { className: "fact" }, icon(name), text);
  return {
    root,
    /** @param {string} level @param {string} words */
    set(level, words) {
      attr(root, "data-level", level);
      put(text, words);
    },
  };
}

/** @param {Snapshot} snap @param {number} now @returns {[string, string]} */
function lineState(snap, now) {
  const l = snap.line;
  switch (l.state) {
    case "registered": return ["good", t("line.registered", { ago: ago(now - at(l.proven)) })];
    case "elsewhere": return ["good", t("line.elsewhere", { terminal: snap.me ? terminalName(snap.me.terminal) : "" })];
    case "failed": return ["bad", l.problem ? say(l.problem) : t("line.failed")];
  }
  return [l.problem ? "bad" : "wait", l.problem ? say(l.problem) : t("line.registering")];
}

/**
 * @param {Snapshot} snap
 * @param {import("../types").Page} page
 * @returns {[string, string]}
 */
export function soundState(snap, page) {
  if (!page.linked) return ["wait", t("sound.wait")];
  if (page.taken) return ["wait", t("sound.other")];
  if (!page.owner) return ["wait", t("sound.wait")];
  if (snap.mic === "denied") return ["bad", t("problem.mic.denied")];
  if (snap.mic === "missing") return ["bad", t("problem.mic.missing")];
  if (snap.mic === "silent") return ["bad", t("problem.mic.silent")];
  if (!page.ringing) return ["wait", t("sound.locked")];
  return ["good", snap.way === "websocket" ? t("sound.websocket") : t("sound.here")];
}
