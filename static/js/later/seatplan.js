// @ts-check
// Where things lie on a floor: seats and what an administrator has drawn, in cells.

/** @typedef {import("../types").SeatState} SeatState */
/** @typedef {{ id: string, name: string, width?: number, height?: number, shapes?: Shape[] }} Plan */
/** @typedef {{ kind: string, x: number, y: number, width: number, height: number, text?: string }} Shape */
/** @typedef {{ seat: SeatState, x: number, y: number }} Place */

/** No floor is drawn wider or higher than this, in cells; the administrator's editor goes so far. */
const MOST = 1000;
/** What lies farther away than this from the others, in cells, was put there by mistake where nobody has drawn a floor. */
const FAR = 200;

/**
 * Places every seat: as the map has it, or below the map where two are on one place or one is far off, rather than lose it.
 * @param {SeatState[]} seats
 * @param {Plan | undefined} plan
 * @returns {{ places: Place[], left: number, top: number, width: number, height: number }} left and top are of the plan's corner
 */
export function placed(seats, plan) {
  const shapes = plan?.shapes ?? [];
  const left = plan?.width ? 0 : least([...seats, ...shapes].map((s) => s.x)), top = plan?.height ? 0 : least([...seats, ...shapes].map((s) => s.y));
  let width = plan?.width ?? 0, height = plan?.height ?? 0;
  for (const s of shapes) {
    width = Math.max(width, Math.min(MOST, s.x - left + s.width));
    height = Math.max(height, Math.min(MOST, s.y - top + s.height));
  }
  const reach = { x: Math.max(width, FAR), y: Math.max(height, FAR) };
  /** @type {Place[]} */
  const places = [];
  /** @type {SeatState[]} */
  const rest = [];
  const taken = new Set();
  for (const seat of seats) {
    const x = seat.x - left, y = seat.y - top, key = `${x},${y}`;
    if (x < 0 || y < 0 || x >= reach.x || y >= reach.y || taken.has(key)) {
      rest.push(seat);
      continue;
    }
    taken.add(key);
    places.push({ seat, x, y });
    width = Math.max(width, x + 1);
    height = Math.max(height, y + 1);
  }
  const row = Math.max(1, Math.min(width, 20));
  rest.forEach((seat, i) => places.push({ seat, x: i % row, y: height + Math.floor(i / row) }));
  return { places, left, top, width: Math.max(width, rest.length ? row : 0, 1), height: Math.max(1, height + Math.ceil(rest.length / row)) };
}

/** The corner that a map begins at: what is far off from most does not decide it. @param {number[]} all */
function least(all) {
  const near = all.filter((n) => Math.abs(n) <= MOST);
  return near.length ? Math.min(...near) : 0;
}

/**
 * The place that an arrow leads to: the nearest that way, straight ahead before aside.
 * @template {{ x: number, y: number }} P
 * @param {P[]} all
 * @param {P} from
 * @param {string} key
 * @returns {P | undefined}
 */
export function towards(all, from, key) {
  const [dx, dy] = /** @type {Record<string, [number, number]>} */ ({ ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] })[key] ?? [0, 0];
  /** @type {P | undefined} */
  let best;
  let least = Infinity;
  for (const p of all) {
    const ahead = (p.x - from.x) * dx + (p.y - from.y) * dy, aside = Math.abs((p.x - from.x) * dy) + Math.abs((p.y - from.y) * dx);
    if (ahead <= 0 || (aside > ahead * 2 && aside > 1)) continue;
    const way = ahead + aside * 4;
    if (way < least) [best, least] = [p, way];
  }
  return best;
}
