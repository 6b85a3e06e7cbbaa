// @ts-check
// The map editor: seats and shapes on a grid, moved by mouse, finger or arrow keys, saved as a whole.
import { h, put } from "../../js/dom.js";
import { clean, t } from "../../js/text.js";
import { ask, get } from "./api.js";
import { seatTable } from "./seats.js";
import { confirmed, go, guard, link, title } from "./shell.js";

const CELL = 48;
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, unknown>} [props] @param {...(Node | string)} children */
function s(tag, props = {}, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(props)) if (v !== undefined) el.setAttribute(k, String(v));
  el.append(...children);
  return el;
}

/** @param {string} id @param {any} me */
export async function floorPage(id, me) {
  const admin = me.role === "administrator";
  const path = `/floors/${encodeURIComponent(id)}`;
  let got = await get(path + "/map");
  let map = structuredClone(got.map);
  map.floor.shapes ??= [];
  /** @type {string[]} */
  let undo = [];
  /** @type {{ kind: "seat" | "shape", i: number } | null} */
  let chosen = null;
  const told = h("span", { role: "status", className: "told" });
  const banner = h("div", { role: "alert", className: "banner", hidden: true });
  const board = /** @type {SVGSVGElement} */ (s("svg", { class: "board", role: "application", "aria-label": t("admin.map", { name: clean(map.floor.name) }) }));
  const panel = h("section", { className: "card map-panel" });
  const saved = () => JSON.stringify(got.map.floor.shapes?.length || map.floor.shapes.length ? got.map : { ...got.map, floor: { ...got.map.floor, shapes: [] } });
  const dirty = () => JSON.stringify(map) !== saved();

  /** What is about to change can be taken back. */
  function keep() {
    undo.push(JSON.stringify(map));
    if (undo.length > 100) undo.shift();
  }
  const thing = () => (chosen ? (chosen.kind === "seat" ? map.seats[chosen.i] : map.floor.shapes[chosen.i]) : null);
  const size = () => {
    const all = [...map.seats.map((/** @type {any} */ x) => [x.x + 1, x.y + 1]), ...map.floor.shapes.map((/** @type {any} */ x) => [x.x + x.width, x.y + x.height])];
    return [Math.max(map.floor.width || 0, 15, ...all.map((a) => a[0] + 1)), Math.max(map.floor.height || 0, 8, ...all.map((a) => a[1] + 1))];
  };

  /** @param {any} what @param {number} i @param {"seat" | "shape"} kind */
  function item(what, i, kind) {
    const [w, d] = kind === "seat" ? [1, 1] : [what.width, what.height];
    const name = kind === "seat" ? what.name || what.id : what.text || t("admin.shape." + what.kind);
    const on = chosen?.kind === kind && chosen.i === i;
    const el = s("g", {
      class: `item ${kind} ${what.kind ?? ""}`, transform: `translate(${what.x * CELL} ${what.y * CELL})`, tabindex: admin ? 0 : -1, role: "button",
      "aria-pressed": on, "aria-label": t(kind === "seat" ? "admin.seat_at" : "admin.shape_at", { name: clean(name), x: what.x, y: what.y }),
    }, s("rect", { x: 2, y: 2, width: w * CELL - 4, height: d * CELL - 4, rx: 6 }), s("text", { x: (w * CELL) / 2, y: (d * CELL) / 2 }, clean(name)));
    if (!admin) return el;
    el.addEventListener("pointerdown", (e) => drag(/** @type {PointerEvent} */ (e), what, i, kind, el));
    el.addEventListener("focus", () => choose({ kind, i }));
    el.addEventListener("keydown", (e) => key(/** @type {KeyboardEvent} */ (e)));
    return el;
  }

  /** @param {{ kind: "seat" | "shape", i: number } | null} what */
  function choose(what) {
    if (chosen?.kind === what?.kind && chosen?.i === what?.i) return;
    chosen = what;
    for (const [n, el] of [...board.querySelectorAll(".item")].entries()) el.setAttribute("aria-pressed", String(what !== null && n === index(what)));
    side();
  }
  const index = (/** @type {any} */ c) => (c.kind === "shape" ? c.i : map.floor.shapes.length + c.i);

  /** @param {PointerEvent} e @param {any} what @param {number} i @param {"seat" | "shape"} kind @param {Element} el */
  function drag(e, what, i, kind, el) {
    if (e.button) return;
    const scale = board.viewBox.baseVal.width / board.getBoundingClientRect().width;
    const start = { x: e.clientX, y: e.clientY, wx: what.x, wy: what.y };
    let moved = false;
    el.setPointerCapture(e.pointerId);
    const move = (/** @type {any} */ m) => {
      const x = limit(start.wx + Math.round(((m.clientX - start.x) * scale) / CELL)), y = limit(start.wy + Math.round(((m.clientY - start.y) * scale) / CELL));
      if (x === what.x && y === what.y) return;
      if (!moved) keep();
      moved = true;
      what.x = x;
      what.y = y;
      el.setAttribute("transform", `translate(${x * CELL} ${y * CELL})`);
    };
    const end = () => {
      el.removeEventListener("pointermove", move);
      if (moved) paint();
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerup", end, { once: true });
    el.addEventListener("pointercancel", end, { once: true });
  }
  const limit = (/** @type {number} */ n) => Math.min(999, Math.max(0, n));

  /** @param {KeyboardEvent} e */
  function key(e) {
    const what = thing();
    if (!what) return;
    const step = /** @type {Record<string, number[]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[e.key];
    if (step) {
      keep();
      what.x = limit(what.x + step[0]);
      what.y = limit(what.y + step[1]);
      paint(true);
      put(told, t("admin.moved_to", { x: what.x, y: what.y }));
    } else if (e.key === "Delete" || e.key === "Backspace") drop();
    else if (e.key === "z" && (e.ctrlKey || e.metaKey)) back();
    else return;
    e.preventDefault();
  }

  function back() {
    const was = undo.pop();
    if (!was) return;
    map = JSON.parse(was);
    chosen = null;
    paint();
  }

  function drop() {
    if (!chosen) return;
    keep();
    (chosen.kind === "seat" ? map.seats : map.floor.shapes).splice(chosen.i, 1);
    chosen = null;
    paint();
  }

  /** @param {boolean} [focus] */
  function paint(focus) {
    const [w, d] = size();
    board.setAttribute("viewBox", `0 0 ${w * CELL} ${d * CELL}`);
    board.style.setProperty("--cells", String(w));
    board.replaceChildren(
      s("defs", {}, s("pattern", { id: "grid", width: CELL, height: CELL, patternUnits: "userSpaceOnUse" }, s("path", { d: `M${CELL} 0H0V${CELL}`, class: "grid" }))),
      s("rect", { width: "100%", height: "100%", fill: "url(#grid)" }),
      ...map.floor.shapes.map((/** @type {any} */ x, /** @type {number} */ i) => item(x, i, "shape")),
      ...map.seats.map((/** @type {any} */ x, /** @type {number} */ i) => item(x, i, "seat")));
    if (focus && chosen) /** @type {any} */ (board.querySelectorAll(".item")[index(chosen)])?.focus();
    undoButton.disabled = !undo.length;
    width.value = String(map.floor.width || "");
    height.value = String(map.floor.height || "");
    name.value = map.floor.name;
    table.show();
    side();
  }

  /** What lies outside of the floor as it is set; nothing lies outside of one that is as large as its seats need. */
  function outside() {
    const [w, d] = [map.floor.width || 1000, map.floor.height || 1000];
    return [...map.seats, ...map.floor.shapes].filter((/** @type {any} */ x) => x.x + (x.width || 1) > w || x.y + (x.height || 1) > d);
  }

  /** @param {"width" | "height"} k @param {string} v */
  function resize(k, v) {
    keep();
    map.floor[k] = Math.min(999, Math.max(0, Math.round(Number(v)) || 0));
    paint();
    complain();
  }

  /** Seats outside can be moved to where there is room. */
  function complain() {
    const n = outside().length;
    banner.hidden = !n;
    if (n) banner.replaceChildren(h("p", {}, t("admin.outside", { n })), h("div", { className: "acts" }, h("button", { type: "button", onclick: bring }, t("admin.bring_in"))));
  }

  function bring() {
    keep();
    const [w, d] = [map.floor.width || 1000, map.floor.height || 1000];
    const taken = new Set(map.seats.map((/** @type {any} */ x) => x.x + "," + x.y));
    for (const x of outside()) {
      x.width = x.width && Math.min(x.width, w);
      x.height = x.height && Math.min(x.height, d);
      [x.x, x.y] = [Math.min(x.x, w - (x.width || 1)), Math.min(x.y, d - (x.height || 1))];
      if (x.kind || !taken.has(x.x + "," + x.y)) continue;
      for (let i = 0; i < w * d; i++) {
        if (taken.has((i % w) + "," + Math.floor(i / w))) continue;
        [x.x, x.y] = [i % w, Math.floor(i / w)];
        break;
      }
      taken.add(x.x + "," + x.y);
    }
    paint();
    complain();
  }

  /** @param {string} label @param {string} type @param {any} value @param {(v: string) => void} change */
  function field(label, type, value, change) {
    const id = "m" + label;
    const el = h("input", { id, type, value: String(value ?? ""), min: type === "number" ? "0" : undefined, autocomplete: "off" });
    el.addEventListener("change", () => (keep(), change(el.value), paint()));
    return h("div", { className: "box" }, h("label", { for: id }, t("admin.field." + label)), el);
  }

  /** What is chosen, in figures and words. */
  function side() {
    const what = thing();
    if (panel.contains(document.activeElement) && what) return;
    if (!what || !chosen) {
      panel.replaceChildren(h("p", { className: "hint" }, t("admin.map_hint")));
      return;
    }
    const num = (/** @type {string} */ k) => field("map." + k, "number", what[k], (v) => (what[k] = limit(Number(v) || 0)));
    panel.replaceChildren(h("h2", {}, chosen.kind === "seat" ? t("admin.field.seat") : t("admin.shape." + what.kind)),
      ...(chosen.kind === "seat" ? [field("map.id", "text", what.id, (v) => (what.id = v.trim())), field("map.name", "text", what.name, (v) => (what.name = v.trim()))] : [field("map.text", "text", what.text, (v) => (what.text = v.trim()))]),
      h("div", { className: "pair" }, num("x"), num("y")),
      ...(chosen.kind === "shape" ? [h("div", { className: "pair" }, num("width"), num("height"))] : []),
      h("button", { type: "button", className: "danger", onclick: drop }, t("admin.take_out")));
  }

  /** The next number that no seat has. */
  function nextID() {
    let n = 1;
    while (map.seats.some((/** @type {any} */ x) => x.id === String(n))) n++;
    return String(n);
  }
  function room() {
    const taken = new Set(map.seats.map((/** @type {any} */ x) => x.x + "," + x.y));
    const w = Math.min(8, map.floor.width || 8);
    for (let y = 0; ; y++) for (let x = 0; x < w; x++) if (!taken.has(x + "," + y)) return [x, y];
  }
  /** @param {boolean} [quiet] the focus stays where it is */
  function addSeat(quiet) {
    keep();
    const [x, y] = room(), n = nextID();
    map.seats.push({ id: n, name: n, floor: id, x, y });
    chosen = { kind: "seat", i: map.seats.length - 1 };
    paint(!quiet);
  }
  const count = h("input", { id: "count", type: "number", min: "1", max: "100", value: "6" });
  function addRow() {
    keep();
    const y = map.seats.length ? Math.max(...map.seats.map((/** @type {any} */ x) => x.y)) + 1 : 0;
    for (let x = 0; x < Math.min(100, Number(count.value) || 0); x++) {
      const n = nextID();
      map.seats.push({ id: n, name: n, floor: id, x, y });
    }
    chosen = null;
    paint();
  }
  const shape = h("select", { id: "shape" }, ...["wall", "desk", "room", "text"].map((k) => h("option", { value: k }, t("admin.shape." + k))));
  function addShape() {
    keep();
    const [w, d] = { wall: [4, 1], desk: [4, 2], room: [4, 3], text: [3, 1] }[shape.value] ?? [1, 1];
    map.floor.shapes.push({ kind: shape.value, x: 0, y: Math.max(0, ...map.seats.map((/** @type {any} */ x) => x.y + 1)), width: w, height: d, ...(shape.value === "text" || shape.value === "room" ? { text: t("admin.shape." + shape.value) } : {}) });
    chosen = { kind: "shape", i: map.floor.shapes.length - 1 };
    paint(true);
  }
  const undoButton = h("button", { type: "button", onclick: back }, t("admin.undo"));

  /** @param {string} [rev] */
  async function save(rev) {
    banner.hidden = true;
    try {
      const gone = got.map.seats.filter((/** @type {any} */ x) => !map.seats.some((/** @type {any} */ y) => y.id === x.id));
      if (gone.length && !(await confirmed(t("admin.seats_gone", { n: gone.length }), t("admin.save")))) return;
      got = await ask("PUT", path + "/map", map, rev ?? got.rev);
      map = structuredClone(got.map);
      map.floor.shapes ??= [];
      undo = [];
      paint();
      put(told, t("admin.saved"));
    } catch (err) {
      const e = /** @type {any} */ (err);
      if (e.code !== "row.stale") banner.replaceChildren(h("p", {}, e.faults?.length ? t("admin.faults") : e.message), ...(e.faults ?? []).map((/** @type {any} */ f) => h("p", {}, clean(f.message))));
      else {
        const theirs = await get(path + "/map");
        banner.replaceChildren(h("p", {}, t("admin.stale")), h("div", { className: "acts" },
          h("button", { type: "button", onclick: () => ((got = theirs), (map = structuredClone(theirs.map)), (map.floor.shapes ??= []), (undo = []), (chosen = null), (banner.hidden = true), paint()) }, t("admin.stale_theirs")),
          h("button", { type: "button", className: "warn", onclick: () => save(theirs.rev) }, t("admin.stale_mine"))));
      }
      banner.hidden = false;
      banner.scrollIntoView({ block: "nearest" });
    }
  }
  const measure = (/** @type {"width" | "height"} */ k) => {
    const el = h("input", { id: "floor" + k, type: "number", min: "0", max: "999", placeholder: t("admin.as_needed") });
    el.addEventListener("change", () => resize(k, el.value));
    return el;
  };
  const width = measure("width"), height = measure("height");
  const table = seatTable(() => map.seats, {
    change(f) {
      keep();
      f();
      paint();
      complain();
    },
    drop(i) {
      chosen = { kind: "seat", i };
      drop();
    },
    add: () => addSeat(true),
  });
  const name = h("input", { id: "floorname", value: map.floor.name, autocomplete: "off" });
  name.addEventListener("change", () => (keep(), (map.floor.name = name.value.trim())));
  const tools = h("div", { className: "bar" },
    h("div", { className: "search" }, h("label", { for: "floorname" }, t("admin.field.name")), name),
    h("div", { className: "search" }, h("label", { for: "floorwidth" }, t("admin.floor_width")), width), h("div", { className: "search" }, h("label", { for: "floorheight" }, t("admin.floor_height")), height),
    h("button", { type: "button", onclick: () => addSeat() }, t("admin.add_seat")),
    h("div", { className: "search" }, h("label", { for: "count" }, t("admin.row_length")), count), h("button", { type: "button", onclick: addRow }, t("admin.add_row")),
    h("div", { className: "search" }, h("label", { for: "shape" }, t("admin.shape")), shape), h("button", { type: "button", onclick: addShape }, t("admin.add_shape")), undoButton);
  const drop2 = h("button", { type: "button", className: "danger", onclick: async () => {
    if (!(await confirmed(t("admin.floor_sure", { id: clean(map.floor.name), n: got.map.seats.length }), t("admin.remove")))) return;
    try {
      await ask("PUT", path + "/map", { floor: got.map.floor, seats: [] }, got.rev);
      await ask("DELETE", path);
      guard(() => false);
      go("/admin/floors");
    } catch (err) {
      banner.replaceChildren(h("p", {}, /** @type {Error} */ (err).message));
      banner.hidden = false;
    }
  } }, t("admin.remove"));
  paint();
  guard(() => admin && dirty());
  return [link("/admin/floors", "← " + t("admin.nav.floors"), "back"), title(clean(map.floor.name)), banner, ...(admin ? [tools] : []),
    h("div", { className: "map" }, h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("admin.map", { name: clean(map.floor.name) }) }, board), ...(admin ? [panel] : [])),
    ...(admin ? [table.root] : []),
    ...(admin ? [h("div", { className: "acts" }, h("button", { type: "button", className: "primary", onclick: () => save() }, t("admin.save")), drop2, told)] : [])];
}
