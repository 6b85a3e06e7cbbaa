// @ts-check
// What an administrator has drawn on a floor: walls, desks, rooms and words, below the seats.
import { clean } from "../text.js";

/** @typedef {import("./seatplan.js").Shape} Shape */

const SVG = "http://www.w3.org/2000/svg";

/** How much of its cell a wall that is one cell thick fills. */
const WALL = 0.3;

/** @param {string} tag @param {Record<string, string>} props */
function draw(tag, props) {
  const el = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(props)) el.setAttribute(k, v);
  return el;
}

/** The drawing, which is sized anew with every zoom: lines and letters stay as thick as they are. */
export function ground() {
  const root = draw("svg", { class: "seat-ground", "aria-hidden": "true" });
  /** @type {{ shape: Shape, x: number, y: number, box: Element, words: Element }[]} */
  let parts = [];
  let cell = 0, high = 0;

  function size() {
    for (const { shape, x, y, box, words } of parts) {
      const thin = shape.kind === "wall" ? WALL : 1, [across, down] = [shape.width === 1 && shape.height > 1 ? thin : 1, shape.height === 1 ? thin : 1];
      const [width, height] = [shape.width * cell * across, shape.height * high * down], [left, top] = [x * cell + (shape.width * cell - width) / 2, y * high + (shape.height * high - height) / 2];
      for (const [k, v] of Object.entries({ x: left + 2, y: top + 2, width: Math.max(1, width - 4), height: Math.max(1, height - 4) })) box.setAttribute(k, v.toFixed(1));
      const letter = Math.min(15, high * 0.4), above = shape.kind === "room";
      words.setAttribute("x", (left + (above ? 9 : width / 2)).toFixed(1));
      words.setAttribute("y", (above ? top + letter : top + height / 2).toFixed(1));
      words.setAttribute("font-size", letter.toFixed(1));
      words.setAttribute("visibility", letter < 6 ? "hidden" : "visible");
    }
  }
  return {
    root,
    /** @param {Shape[]} shapes @param {number} left @param {number} top cells */
    show(shapes, left, top) {
      const order = ["room", "desk", "wall", "text"];
      parts = [...shapes].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)).map((shape) => {
        const kind = order.includes(shape.kind) ? shape.kind : "desk", words = draw("text", { class: `ground-word ${kind}` });
        words.textContent = clean(shape.text);
        return { shape, x: shape.x - left, y: shape.y - top, box: draw("rect", { class: `ground ${kind}`, rx: kind === "wall" ? "1" : "6" }), words };
      });
      root.replaceChildren(...parts.flatMap((p) => (p.shape.kind === "text" ? [p.words] : p.shape.text ? [p.box, p.words] : [p.box])));
      size();
    },
    /** @param {number} to a cell's width in pixels @param {number} ratio its height by that */
    size(to, ratio) {
      [cell, high] = [to, to * ratio];
      size();
    },
  };
}
