// @ts-check
import { each, h, put, attr } from "../dom.js";
import { icon } from "../icons.js";
import { clean, clock, say, t } from "../text.js";

/** @typedef {import("../types").Notice} Notice */

/** So many are shown of those that are about nobody. What is about a person is shown of each: a hand that is up must not push out another. */
const MOST = 4;

/**
 * Things to know that block nothing, until they are closed. They lie over the page's lower edge: nothing moves for them.
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
export function noticesView(send) {
  const root = h("section", { className: "notices", role: "log", "aria-label": t("notice.title") });
  /** @type {Map<string, ReturnType<typeof notice>>} */
  const shown = new Map();
  const list = h("div", { className: "notice-list" }), terminal = terminalNotice(send);
  root.append(terminal.root, list);
  return {
    root,
    show(snap, page) {
      terminal.show(snap, page);
      let rest = MOST;
      each(list, shown, (snap.notices ?? []).filter((n) => n.account || rest-- > 0), (n) => n.id, (n) => notice(n.id, send), (v, n) => v.show(n));
    },
  };
}

/** @param {string} id @param {import("../types").Send} send */
function notice(id, send) {
  const text = h("p", {});
  const time = h("time", { className: "time" });
  /** @type {Notice | undefined} */
  let last;
  const about = h("p", { className: "notice-about", hidden: true });
  const clip = h("button", { type: "button", onclick: () => void import("../later/clip.js").then(({ playClip }) => playClip(last?.hand?.clip ?? "", clean(last?.problem.holes?.who))) }, t("act.clip"));
  const lower = h("button", { type: "button", onclick: () => send("hand.lower", { account: last?.account }) }, t("act.lower"));
  const acts = h("div", { className: "notice-acts", hidden: true }, clip, lower);
  const root = h("article", { className: "notice" }, time, h("div", {}, text, about, acts),
    h("button", { type: "button", className: "round", "aria-label": t("notice.close"), title: t("notice.close"), onclick: () => send("dismiss", { notice: id }) }, icon("close")));
  return {
    root,
    /** @param {Notice} n */
    show(n) {
      attr(root, "data-level", n.level);
      put(time, clock(n.at));
      put(text, say(n.problem));
      last = n;
      const c = n.hand, words = [clean(c?.queue), [clean(c?.name), clean(c?.number)].filter(Boolean).join(" ")].filter(Boolean).join(" · ");
      about.hidden = !words;
      put(about, words);
      acts.hidden = !c || !n.account;
      clip.hidden = !c?.clip;
    },
  };
}

/**
 * The phone is signed in with another terminal than the center keeps for the account: it stays until that is mended (PRODUCT A17).
 * @param {import("../types").Send} send
 * @returns {import("../types").View}
 */
function terminalNotice(send) {
  /** @type {import("../types").Terminal | undefined} */
  let own;
  const text = h("p", {});
  const mend = h("button", { type: "button", className: "primary", onclick: () => own && send("terminal.use", { terminal: own.id }) });
  const root = h("article", { className: "notice terminal-notice", "data-level": "warn", hidden: true }, text, mend);
  return {
    root,
    show(snap) {
      own = snap.phase === "in" ? snap.desk?.bound : undefined;
      root.hidden = !own;
      if (!own) return;
      const now = snap.me?.terminal.extension ?? "";
      put(text, own.id ? t("terminal.other", { now, own: own.extension }) : t("terminal.none", { now }));
      mend.hidden = !own.id;
      mend.disabled = !!snap.calls?.length;
      put(mend, t("terminal.use", { own: own.extension }));
    },
  };
}
