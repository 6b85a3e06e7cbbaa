// @ts-check
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { say, span, t } from "../text.js";
import { readWave } from "../wave.js";

/** Parts of the drawing, one every four pixels on a wide page. */
const PARTS = 160;
/** Seconds that the arrows and the page keys go. */
const [STEP, LEAP] = [5, 30];

const SVG = "http://www.w3.org/2000/svg";

/**
 * One recording: who spoke when (agent above, caller below), play, and a position that mouse and keyboard move.
 * @param {string} id of the call
 * @param {string} name of the other side
 * @param {{ blob: (path: string) => Promise<Blob>, close: () => void }} io
 */
export function playerView(id, name, io) {
  let seconds = 0, closed = false, failed = false, url = "";
  const audio = new Audio();
  const words = h("p", { className: "player-words", role: "status" });
  const play = h("button", { type: "button", className: "round", "aria-label": t("player.play"), title: t("player.play"), disabled: true, onclick: () => void (audio.paused ? audio.play() : audio.pause()) }, icon("play"));
  const time = h("span", { className: "time" });
  const close = h("button", { type: "button", className: "round", "aria-label": t("player.close"), title: t("player.close"), onclick: io.close }, icon("close"));
  const cursor = h("span", { className: "wave-cursor" });
  const waves = [wave("agent"), wave("caller")];
  const slider = h("div", { className: "wave", role: "slider", tabIndex: 0, "aria-label": t("player.position"), "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0", onkeydown: keys }, ...waves, cursor);
  const names = h("div", { className: "wave-names", "aria-hidden": "true" }, h("span", {}, t("player.agent")), h("span", {}, t("player.caller")));
  const board = h("div", { className: "player-board", hidden: true }, play, names, slider, time);
  const root = h("div", { className: "player", role: "group", "aria-label": t("player.title", { name }), onkeydown: (/** @type {KeyboardEvent} */ e) => e.key === "Escape" && io.close() }, board, words, close);
  slider.addEventListener("pointerdown", (e) => {
    slider.setPointerCapture?.(e.pointerId);
    point(e);
  });
  slider.addEventListener("pointermove", (e) => e.buttons && point(e));
  for (const event of ["timeupdate", "play", "pause", "ended", "seeked"]) audio.addEventListener(event, paint);
  audio.addEventListener("error", () => closed || fail(t("player.broken")));

  /** @param {PointerEvent} e */
  function point(e) {
    const box = slider.getBoundingClientRect();
    if (box.width) seek((seconds * (e.clientX - box.left)) / box.width);
  }
  /** @param {number} to seconds */
  function seek(to) {
    audio.currentTime = Math.min(seconds, Math.max(0, to));
    paint();
  }
  /** @param {KeyboardEvent} e */
  function keys(e) {
    const now = audio.currentTime;
    const to = /** @type {Record<string, number>} */ ({ ArrowRight: now + STEP, ArrowUp: now + STEP, ArrowLeft: now - STEP, ArrowDown: now - STEP, PageUp: now + LEAP, PageDown: now - LEAP, Home: 0, End: seconds });
    if (e.key === " ") play.click();
    else if (e.key in to) seek(to[e.key] ?? 0);
    else return;
    e.preventDefault();
  }
  function paint() {
    const at = Math.min(audio.currentTime, seconds), text = t("player.of", { at: span(at * 1000), all: span(seconds * 1000) });
    put(time, text);
    cursor.style.left = `${seconds ? (100 * at) / seconds : 0}%`;
    attr(slider, "aria-valuenow", String(Math.round(at)));
    attr(slider, "aria-valuetext", text);
    const label = audio.paused ? t("player.play") : t("player.pause");
    if (play.title === label && play.firstChild) return;
    play.replaceChildren(icon(audio.paused ? "play" : "pause"));
    play.title = label;
    attr(play, "aria-label", label);
  }
  /** @param {string} why */
  function fail(why) {
    board.hidden = failed = true;
    put(words, why);
    attr(words, "data-level", "bad");
  }
  async function load() {
    failed = false;
    put(words, t("player.wait"));
    attr(words, "data-level", undefined);
    try {
      const blob = await io.blob("/recording?call=" + encodeURIComponent(id)), sound = await readWave(blob, PARTS);
      if (closed) return;
      seconds = sound.seconds;
      waves.forEach((w, i) => attr(/** @type {Element} */ (w.firstChild), "d", outline(sound.loud[i] ?? [])));
      attr(slider, "aria-valuemax", String(Math.round(seconds)));
      audio.src = url = URL.createObjectURL(blob);
      board.hidden = play.disabled = false;
      put(words, "");
      paint();
      if (document.activeElement === close) play.focus();
    } catch (/** @type {any} */ e) {
      if (!closed) fail(reason(e));
    }
  }
  void load();
  return {
    root,
    focus: () => close.focus(),
    pause: () => audio.pause(),
    /** Something changed at the center: what could not be heard is asked for once more. */
    again: () => failed && void load(),
    end() {
      closed = true;
      audio.pause();
      audio.removeAttribute("src");
      if (url) URL.revokeObjectURL(url);
    },
  };
}

/** Why there is nothing to hear. @param {{ status?: number, name?: string, problem?: import("../types").Problem }} e */
function reason(e) {
  if (e.problem) return say(e.problem);
  return e.status || e.name !== "TypeError" ? t("player.broken") : t("player.lost"); // fetch has a TypeError for no answer
}

/** @param {string} cls */
function wave(cls) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 -1 ${PARTS} 2`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", `wave-${cls}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  return svg;
}

/** The loudness of each part as a bar around the middle; quiet is a thin line. @param {number[]} loud */
export const outline = (loud) => loud.map((v, i) => {
  const high = Math.max(0.02, Math.min(1, Math.sqrt(v))).toFixed(2); // the ear's scale more than the meter's
  return `M${i + 0.15} -${high}h.7V${high}h-.7z`;
}).join("");
