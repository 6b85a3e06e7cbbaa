// @ts-check
import { attr, h, put } from "../dom.js";
import { option } from "../form.js";
import { icon } from "../icons.js";
import { CHAPTERS } from "../settings.js";
import { say, t } from "../text.js";
import { factsView, networkFacts, savedFacts } from "./facts.js";
import { headsetView } from "./headsetview.js";
import { moveView } from "./move.js";
import { optionView } from "./option.js";
import { preferView, present } from "./prefer.js";
import { safetyView } from "./safety.js";
import { refusal, ringTrial, trialView } from "./trial.js";
import { updateBody } from "../view/update.js";

/** @typedef {import("../types").Devices} Devices */
/** @typedef {import("../types").Page} Page */
/** @typedef {import("../types").Preferred} Preferred */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {{ root: HTMLElement, show?: (snap: Snapshot, page: Page) => void, open?: (on: boolean) => void }} Part */

/** The chapters under their headings, in the order of the list. */
const GROUPS = { agent: ["basic", "safety"], phone: ["devices", "ring", "calls", "hotkeys", "links", "crm"], app: ["look", "network", "update", "move"] };

/**
 * The settings: chapters at the left, one of them open. A change holds at once, so that there is no OK to forget. They stand beside the
 * phone, never over it, so that a call that rings can be answered from here.
 * @param {import("../types").Send} send
 * @param {Devices} devices
 * @param {() => void} leave
 * @param {import("./safety.js").Center} center
 * @param {import("./headsetview.js").Headsets} [headsets]
 * @returns {import("../types").View & { open(on: boolean, chapter?: string): void, chapter(): string }}
 */
export function settingsView(send, devices, leave, center, headsets) {
  const close = h("button", { type: "button", className: "round", "aria-label": t("settings.close"), title: t("settings.close"), onclick: leave }, icon("close"));
  const trial = trialView(send, devices), parts = partsOf(send, devices, trial, center, headsets), list = chapterList(parts, turn);
  const root = h("section", { className: "pane settings-pane", "aria-label": t("settings.title"), onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Escape" || e.defaultPrevented) return;
    e.preventDefault();
    leave();
  } }, h("header", {}, h("h2", {}, t("settings.title")), close),
  h("div", { className: "chapters" }, list.root, h("div", { className: "chapter" }, ...[...parts.values()].map((p) => p.root))));
  let shown = false, chapter = "basic";
  /** @type {[Snapshot, Page] | undefined} */
  let last;

  /** @param {string} to */
  function turn(to) {
    if (to !== chapter) trial.stop();
    chapter = to;
    for (const [name, part] of parts) {
      part.root.hidden = name !== chapter;
      part.open?.(shown && name === chapter);
    }
    paint();
  }
  function paint() {
    if (!last) return;
    const hidden = last[0].local ? "safety" : "";
    if (chapter === hidden) return turn("basic");
    list.show(chapter, hidden);
    parts.get(chapter)?.show?.(...last);
  }
  turn(chapter);
  return {
    root,
    show(snap, page) {
      last = [snap, page];
      if (shown) paint();
    },
    /** Shown or not, and at which chapter: nothing is watched or heard while it is not. */
    open(on, to) {
      if (on === shown && !to) return;
      const fresh = on && !shown;
      shown = on;
      turn(to ?? chapter);
      if (fresh) close.focus();
      if (!on) trial.stop();
    },
    chapter: () => chapter,
    tick: () => shown && chapter === "network" && paint(),
  };
}

/**
 * @param {Map<string, Part>} parts
 * @param {(chapter: string) => void} turn
 */
function chapterList(parts, turn) {
  /** @type {Map<string, HTMLElement>} */
  const buttons = new Map([...parts.keys()].map((id) => [id, h("button", { type: "button", onclick: () => turn(id) }, t(`set.chapter.${id}`))]));
  const choice = h("select", { id: "chapter", name: "chapter", "aria-label": t("set.chapters"), onchange: () => turn(choice.value) },
    ...Object.entries(GROUPS).map(([group, ids]) => h("optgroup", { label: t(`set.group.${group}`) }, ...ids.map((id) => option(id, t(`set.chapter.${id}`))))));
  const root = h("nav", { className: "chapter-list", "aria-label": t("set.chapters") }, h("div", { className: "field-box chapter-choice" }, choice),
    ...Object.entries(GROUPS).flatMap(([group, ids]) => [h("h3", { id: `group-${group}` }, t(`set.group.${group}`)),
      h("ul", { "aria-labelledby": `group-${group}` }, ...ids.map((id) => h("li", {}, /** @type {HTMLElement} */ (buttons.get(id)))))]));
  return {
    root,
    /** @param {string} chapter @param {string} hidden */
    show(chapter, hidden) {
      choice.value = chapter;
      for (const o of choice.options) o.hidden = o.disabled = o.value === hidden;
      for (const [id, b] of buttons) {
        attr(b, "aria-current", id === chapter ? "true" : undefined);
        if (b.parentElement) b.parentElement.hidden = id === hidden;
      }
    },
  };
}

/**
 * @param {import("../types").Send} send
 * @param {Devices} devices
 * @param {ReturnType<typeof trialView>} trial
 * @param {import("./safety.js").Center} center
 * @param {import("./headsetview.js").Headsets} [headsets]
 * @returns {Map<string, Part>}
 */
function partsOf(send, devices, trial, center, headsets) {
  const sound = devicesView(send, devices), safety = safetyView(center), facts = factsView(networkFacts), update = updateBody(send), saved = savedView(send);
  const network = h("ul", { className: "trials" }, trial.network), ring = ringTrial(send, devices);
  const tried = (/** @type {Snapshot} */ snap, /** @type {Page} */ page) => trial.show(snap, page);
  const both = (/** @type {Snapshot} */ snap, /** @type {Page} */ page) => (sound.show(snap), tried(snap, page));
  return new Map(/** @type {[string, Part][]} */ ([
    ["basic", chapterOf("basic", send, saved)],
    ["safety", { root: h("section", {}, safety.root), show: safety.show, open: safety.open }],
    ["devices", { root: h("section", {}, sound.root, trial.root), show: both, open: sound.open }],
    ["ring", chapterOf("ring", send, { root: h("ul", { className: "trials" }, ring.root), show: ring.show })],
    ["calls", chapterOf("calls", send, headsets && headsetView(headsets))],
    ...["hotkeys", "links", "crm", "look"].map((id) => [id, chapterOf(id, send)]),
    ["network", chapterOf("network", send, { root: h("div", {}, facts.root, network), show: (snap, page) => (facts.show(snap), tried(snap, page)) })],
    ["update", chapterOf("update", send, { root: h("div", {}, update.root, h("div", { className: "ask-row" }, ...update.buttons)), show: update.show })],
    ["move", chapterOf("move", send, moveView(send))],
  ]));
}

/**
 * A chapter: its heading, what it says, its settings as a form, and what else belongs to it. Sign-in stands at the bottom, as the manual has it.
 * @param {string} id
 * @param {import("../types").Send} send
 * @param {Part} [more]
 * @returns {Part}
 */
function chapterOf(id, send, more) {
  const options = (CHAPTERS[id] ?? []).map((s) => optionView(s, send)), last = options.filter((o) => o.name.startsWith("sign."));
  const root = h("section", { "aria-labelledby": `set-${id}` }, h("h3", { id: `set-${id}` }, t(`set.chapter.${id}`)), h("p", { className: "quiet-text" }, t(`set.about.${id}`)),
    ...options.filter((o) => !last.includes(o)).map((o) => o.root), more?.root, ...last.map((o) => o.root));
  return {
    root,
    show(snap, page) {
      for (const o of options) o.show(snap);
      more?.show?.(snap, page);
    },
  };
}

/** The account kept for auto sign-in, with what forgets it. @param {import("../types").Send} send */
function savedView(send) {
  const facts = factsView(savedFacts, "facts-list");
  const none = h("p", { className: "quiet-text" });
  const forget = h("button", { type: "button", onclick: () => send("account.forget") }, t("saved.forget"));
  const root = h("section", { className: "saved", "aria-labelledby": "saved-title" }, h("h4", { id: "saved-title" }, t("saved.title")), facts.root, none, forget);
  return {
    root,
    /** @param {Snapshot} snap */
    show(snap) {
      const there = !!snap.saved?.account;
      root.hidden = !!snap.local && !there;
      facts.show(snap);
      facts.root.hidden = forget.hidden = !there;
      put(none, there ? "" : snap.saved?.can ? t("saved.none") : t("saved.never"));
    },
  };
}

/** @param {import("../types").Send} send @param {Devices} devices */
function devicesView(send, devices) {
  /** @type {Preferred} */
  let wanted = {};
  /** @type {string[] | undefined} */
  let rings;
  /** @type {(() => void) | undefined} */
  let unwatch;
  const save = (/** @type {keyof Preferred} */ kind) => (/** @type {string[]} */ labels) => send("devices.save", (wanted = { ...wanted, [kind]: labels }));
  const lists = {
    microphone: preferView("microphone", { title: t("devices.microphone"), add: t("devices.add.microphone") }, save("microphone")),
    speaker: preferView("speaker", { title: t("devices.speaker"), add: t("devices.add.speaker") }, save("speaker")),
    ring: preferView("ring", { title: t("devices.ring"), add: t("devices.add.ring") }, save("ring")),
  };
  const unnamed = h("p", { className: "settings-note", role: "status" });
  const allow = h("button", { type: "button", onclick: () => void ask() }, t("devices.allow"));
  const naming = h("div", { className: "settings-ask", hidden: true }, unnamed, allow);
  const root = h("section", { "aria-labelledby": "settings-devices" }, h("h3", { id: "settings-devices" }, t("devices.title")),
    h("p", { className: "quiet-text" }, t("devices.order")), naming, lists.microphone.root, lists.speaker.root, lists.ring.root);

  /** A browser tells no names before it was allowed to listen. */
  async function ask() {
    try {
      (await devices.meter("", () => {}))();
      put(unnamed, t("devices.unnamed"));
    } catch (/** @type {any} */ e) {
      put(unnamed, say({ code: refusal(e) }));
    }
    paint();
  }
  function paint() {
    const there = devices.list();
    naming.hidden = there.some((d) => d.kind === "microphone");
    if (!unnamed.textContent) put(unnamed, t("devices.unnamed"));
    for (const kind of /** @type {(keyof Preferred)[]} */ (["microphone", "speaker", "ring"])) lists[kind].show(wanted[kind], present(kind, there, rings));
    if (devices.choosesSpeaker()) return;
    lists.speaker.form.hidden = true;
    put(lists.speaker.note, t("devices.fixed"));
  }
  return {
    root,
    /** @param {boolean} on */
    open(on) {
      unwatch?.();
      unwatch = on ? devices.watch(paint) : undefined;
    },
    /** @param {Snapshot} snap */
    show(snap) {
      wanted = snap.devices ?? {};
      rings = snap.rings;
      paint();
    },
  };
}
