// @ts-check
// One seat on the map: a button whose inside is only made when somebody is near enough to read it.
import { attr, h, put } from "../dom.js";
import { icon } from "../icons.js";
import { at, span, t, word } from "../text.js";
import { defOf } from "../view/status.js";
import { briefOf } from "./seatcheckword.js";
import { callOf, factsOf, lookOf, placeOf, receiptOf, seatName, whoOf } from "./seatword.js";

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {import("../types").Floor} Floor */

/**
 * @param {SeatState} first
 * @param {Floor} on
 */
export function seatCell(first, on) {
  let seat = first, floor = on;
  const sign = h("span", { className: "sign", "aria-hidden": "true" });
  const button = h("button", { type: "button", className: "seat", tabIndex: -1, "aria-haspopup": "menu" }, sign);
  const root = h("div", { role: "gridcell", className: "seat-cell" }, button);
  /** @type {ReturnType<typeof inside> | undefined} */
  let words;
  const self = {
    root, button, x: 0, y: 0,
    seat: () => seat,
    /** @param {number} x @param {number} y in cells */
    place(x, y) {
      self.x = x;
      self.y = y;
      root.style.setProperty("--x", String(x));
    },
    /** @param {SeatState} s @param {Floor} f @param {number} now */
    show(s, f, now) {
      [seat, floor] = [s, f];
      const look = lookOf(s, f);
      attr(button, "aria-label", seatName(s, f));
      if (words) attr(button, "aria-description", factsOf(s, f).join(" ") || undefined);
      attr(button, "data-colour", look.colour);
      attr(button, "data-hand", s.account && s.hand ? "true" : undefined);
      attr(button, "aria-current", s.id === f.mine ? "true" : undefined);
      put(sign, look.sign);
      words?.show(s, f, now);
    },
    /** Near enough to be read. @param {number} now */
    near(now) {
      if (words) return words.tick(seat, now);
      words = inside(sign);
      button.append(...words.parts);
      self.show(seat, floor, now);
    },
    /** Whether its words are made. */
    made: () => words !== undefined,
    /** What rests on it, or comes to it by the keyboard, is told all. */
    tell() {
      const facts = factsOf(seat, floor);
      attr(button, "title", [seatName(seat, floor), ...facts].join("\n"));
      attr(button, "aria-description", facts.join(" ") || undefined);
    },
    /** @param {number} now */
    tick: (now) => words?.tick(seat, now),
    /** What a filter leaves out is still where it was. @param {boolean} fits */
    dim: (fits) => attr(root, "data-dim", fits ? undefined : "true"),
  };
  return self;
}

/** @param {HTMLElement} el @param {boolean} to */
const hide = (el, to) => void (el.hidden !== to && (el.hidden = to));

/** All that a seat has to say, for whoever is near. @param {HTMLElement} sign */
function inside(sign) {
  const name = h("span", { className: "seat-name" }), time = h("span", { className: "time" });
  const agent = h("bdi", { className: "seat-agent" }), status = h("span", { className: "seat-status" });
  const late = h("span", { className: "seat-over" }, t("seats.over"));
  const receipt = h("span", { className: "seat-ring" });
  const callSign = h("span", { className: "sign" }), callWord = h("span", { className: "seat-queue" }), callTime = h("span", { className: "time" });
  const call = h("span", { className: "seat-call" }, callSign, callWord, callTime);
  const ears = h("span", {}), attended = h("span", { className: "seat-ear" }, icon("ear"), ears);
  const next = h("span", { className: "seat-next" }), figures = h("span", { className: "seat-figures" });
  const up = h("span", { className: "time" });
  const hand = h("span", { className: "seat-hand" }, icon("hand"), h("span", {}, t("seats.hand")), up);
  return {
    parts: [h("span", { className: "seat-top" }, name, attended, time), agent, h("span", { className: "seat-low" }, sign, status, late, receipt), figures, call, next, hand],
    /** @param {SeatState} s @param {Floor} f @param {number} now */
    show(s, f, now) {
      const c = s.check ? undefined : callOf(s), r = s.check ? undefined : receiptOf(s);
      put(name, placeOf(s));
      put(agent, s.account ? whoOf(s) : t("seats.free"));
      put(status, lookOf(s, f).word);
      hide(late, !s.account || !s.over || !!s.check);
      hide(figures, !s.check);
      put(figures, s.check ? briefOf(s.check) : "");
      hide(receipt, !r);
      attr(receipt, "data-colour", r?.colour);
      put(receipt, r?.sign ?? "");
      hide(call, !c);
      if (c) {
        put(callSign, c.sign);
        put(callWord, c.queue || c.word);
      }
      hide(attended, !s.account || !s.attended);
      put(ears, s.attended && s.attended > 1 ? String(s.attended) : "");
      hide(next, !s.account || !s.next || !!s.check);
      put(next, s.next ? "→ " + word(defOf(f.statuses, s.next).name) : "");
      hide(hand, !s.account || !s.hand);
      this.tick(s, now);
    },
    /** @param {SeatState} s @param {number} now */
    tick(s, now) {
      put(time, s.account && s.since && !s.check ? span(now - at(s.since)) : "");
      if (s.call && s.talks) put(callTime, span(now - at(s.talks)));
      else put(callTime, "");
      if (s.hand) put(up, span(now - at(s.hand)));
    },
  };
}
