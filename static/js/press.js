// @ts-check
// A finger that rests opens the menu, also where the browser makes no contextmenu of it (iOS).

/** How long a finger rests, in milliseconds, and how far it may tremble, in pixels. */
const REST = 600;
const TREMBLE = 10;

/**
 * @param {(at: { x: number, y: number }, on: EventTarget | null) => void} open
 */
export function longPress(open) {
  let timer = 0, x = 0, y = 0;
  const end = () => clearTimeout(timer);
  addEventListener("pointerdown", (e) => {
    end();
    if (e.pointerType !== "touch" || !e.isPrimary) return;
    [x, y] = [e.clientX, e.clientY];
    timer = window.setTimeout(() => open({ x, y }, e.target), REST);
  });
  addEventListener("pointermove", (e) => {
    if (Math.hypot(e.clientX - x, e.clientY - y) > TREMBLE) end();
  });
  for (const type of ["pointerup", "pointercancel", "scroll", "contextmenu"]) addEventListener(type, end, { capture: true, passive: true });
}
