// @ts-check
// A plane of cells that is moved and zoomed in its frame: by buttons, keys, the wheel, the mouse and fingers.
import { h } from "../dom.js";
import { t } from "../text.js";

/** @typedef {{ cell: number, x: number, y: number }} Spot a cell's width in letters, and the cell in the middle */

/** How small and how large a cell may get, in pixels; a step of the buttons; the room around the plane, and below it for the buttons. */
const LEAST = 9, MOST = 220, STEP = 1.3, EDGE = 12, FOOT = 58;
/** So far, in pixels, a press is a click. */
const STILL = 5;

/**
 * @param {HTMLElement} plane
 * @param {{ box(): { width: number, height: number }, ratio: number, usual: number, changed(cell: number): void, moved(): void }} on
 *   box: in cells; changed: a cell is so wide now, 0 where nothing is laid out; moved: by a person
 */
export function zoomable(plane, on) {
  const root = h("div", { className: "seat-scroll", tabIndex: 0, role: "region", "aria-label": t("seats.map") }, plane);
  const button = (/** @type {string} */ name, /** @type {string} */ sign, /** @type {() => void} */ act) => h("button", { type: "button", className: "round", "aria-label": name, title: name, onclick: act }, sign);
  const tools = h("div", { className: "seat-zoom", role: "group", "aria-label": t("seats.zoom") },
    button(t("seats.zoom.in"), "+", () => by(STEP)), button(t("seats.zoom.out"), "−", () => by(1 / STEP)), h("button", { type: "button", className: "quiet", onclick: whole }, t("seats.zoom.fit")));
  let cell = 0, fitted = true;
  let frame = { width: 0, height: 0 };
  const letter = () => (parseFloat(getComputedStyle(document.documentElement).fontSize) || 15) / 15;

  function measure() {
    frame = { width: root.clientWidth, height: root.clientHeight };
  }
  /** As large as shows all of it, and no larger than a seat needs. */
  function fit() {
    const { width, height } = on.box();
    return Math.max(LEAST, Math.min(on.usual * letter(), (frame.width - 2 * EDGE) / width, (frame.height - EDGE - FOOT) / (height * on.ratio)));
  }
  /** @param {number} to pixels @param {number} [x] what stays where it is: a place in the window @param {number} [y] @returns {boolean} whether it is another size */
  function set(to, x, y) {
    const next = Math.max(Math.min(LEAST, fit()), Math.min(MOST * letter(), to));
    if (!frame.width || next === cell) return false;
    const box = root.getBoundingClientRect(), [cx, cy] = [x ?? box.left + frame.width / 2, y ?? box.top + frame.height / 2];
    const was = plane.getBoundingClientRect(), kept = cell ? { x: (cx - was.left) / cell, y: (cy - was.top) / cell } : undefined;
    cell = next;
    size();
    if (kept) {
      const is = plane.getBoundingClientRect();
      root.scrollLeft += is.left + kept.x * cell - cx;
      root.scrollTop += is.top + kept.y * cell - cy;
    }
    on.changed(cell);
    return true;
  }
  function size() {
    const { width, height } = on.box();
    plane.style.setProperty("width", `${(width * cell).toFixed(1)}px`);
    plane.style.setProperty("height", `${(height * cell * on.ratio).toFixed(1)}px`);
  }
  /** @param {number} factor @param {number} [x] @param {number} [y] */
  function by(factor, x, y) {
    fitted = false;
    set(cell * factor, x, y);
    on.moved();
  }
  function whole() {
    fitted = true;
    set(fit());
    on.moved();
  }

  root.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "+" || e.key === "=" || e.key === ";") by(STEP);
    else if (e.key === "-") by(1 / STEP);
    else if (e.key === "0") whole();
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  root.addEventListener("wheel", (e) => {
    if (!e.ctrlKey) return;
    e.preventDefault();
    by(Math.exp(-Math.max(-60, Math.min(60, e.deltaMode ? e.deltaY * 16 : e.deltaY)) / 150), e.clientX, e.clientY);
  }, { passive: false });
  drag(root, on.moved);
  pinch(root, by);
  if (globalThis.ResizeObserver) {
    new ResizeObserver(() => {
      measure();
      if (!(fitted || !cell) || !set(fit())) on.changed(cell);
    }).observe(root);
  }

  return {
    root, tools,
    /** Something of the plane is new: it is measured anew, and all of it is shown unless somebody chose a part. */
    settle() {
      measure();
      if (!frame.width) return on.changed(0);
      size();
      if (!(fitted || !cell) || !set(fit())) on.changed(cell);
    },
    /** What can be seen, in cells; undefined where nothing is laid out. */
    view() {
      if (!frame.width || !cell) return undefined;
      const high = cell * on.ratio, left = (root.scrollLeft - EDGE) / cell, top = (root.scrollTop - EDGE) / high;
      return { left, top, right: left + frame.width / cell, bottom: top + frame.height / high };
    },
    /** @param {string} key an arrow */
    pan(key) {
      const step = Math.max(40, cell);
      root.scrollBy({ left: key === "ArrowRight" ? step : key === "ArrowLeft" ? -step : 0, top: key === "ArrowDown" ? step : key === "ArrowUp" ? -step : 0 });
    },
    /** @returns {Spot | undefined} where somebody has brought it; undefined: all of it is shown */
    spot() {
      const v = this.view();
      return fitted || !v ? undefined : { cell: Math.round((cell / letter()) * 10) / 10, x: Math.round((v.left + v.right) * 5) / 10, y: Math.round((v.top + v.bottom) * 5) / 10 };
    },
    /** @param {Spot | undefined} s */
    bring(s) {
      fitted = !s;
      measure();
      if (!frame.width) return;
      if (!s) return void set(fit());
      set(s.cell * letter());
      root.scrollTo(s.x * cell + EDGE - frame.width / 2, s.y * cell * on.ratio + EDGE - frame.height / 2);
      on.changed(cell);
    },
    soon,
  };
}

/** Does it once before the next picture, however often it is asked for. @param {() => void} act */
function soon(act) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      act();
    });
  };
}

/** The mouse moves the plane, also where it is pressed on a seat. @param {HTMLElement} root @param {() => void} moved */
function drag(root, moved) {
  /** @type {{ x: number, y: number, left: number, top: number, far: boolean } | undefined} */
  let from;
  root.addEventListener("pointerdown", (e) => {
    if (e.button === 0 && e.pointerType === "mouse") from = { x: e.clientX, y: e.clientY, left: root.scrollLeft, top: root.scrollTop, far: false };
  });
  root.addEventListener("pointermove", (e) => {
    if (!from || !(e.buttons & 1)) return void (from = undefined);
    if (!from.far && Math.hypot(e.clientX - from.x, e.clientY - from.y) < STILL) return;
    if (!from.far) root.setPointerCapture(e.pointerId);
    from.far = true;
    root.scrollTo(from.left - e.clientX + from.x, from.top - e.clientY + from.y);
  });
  root.addEventListener("pointerup", () => {
    if (!from?.far) return void (from = undefined);
    moved();
    setTimeout(() => (from = undefined)); // after the click that ends it
  });
  root.addEventListener("click", (e) => {
    if (!from?.far) return;
    e.stopPropagation();
    e.preventDefault();
  }, { capture: true });
  root.addEventListener("scrollend", moved);
}

/** Two fingers zoom; one moves the plane as the browser does it. @param {HTMLElement} root @param {(factor: number, x: number, y: number) => void} by */
function pinch(root, by) {
  let apart = 0;
  const spread = (/** @type {TouchList} */ t) => {
    const [a, b] = [t[0], t[1]];
    return a && b ? { apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 } : undefined;
  };
  root.addEventListener("touchstart", (e) => void (apart = spread(e.touches)?.apart ?? 0), { passive: true });
  root.addEventListener("touchmove", (e) => {
    const now = e.touches.length === 2 ? spread(e.touches) : undefined;
    if (!now || !apart) return;
    e.preventDefault();
    by(now.apart / apart, now.x, now.y);
    apart = now.apart;
  }, { passive: false });
}
