// @ts-check
import { attr } from "../dom.js";

/** Values that fit: three minutes, one every 5 s. */
const POINTS = 36;
const [WIDTH, HEIGHT, PAD] = [POINTS - 1, 24, 2];
/** MOS at the lower and the upper edge (ITU-T G.107). */
const [LOWEST, HIGHEST] = [1, 4.5];

const SVG = "http://www.w3.org/2000/svg";

/** The height of that MOS in the drawing. @param {number} mos */
const y = (mos) => Math.round(10 * (HEIGHT - PAD - ((Math.min(HIGHEST, Math.max(LOWEST, mos)) - LOWEST) / (HIGHEST - LOWEST)) * (HEIGHT - 2 * PAD))) / 10;

/**
 * The MOS of the last three minutes as a line that grows from the right; a value that was not measured is a gap. A faint
 * line stands where good ends. Its size never changes; whoever shows it says it in words.
 */
export function chart() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("class", "chart");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const limit = document.createElementNS(SVG, "path"), line = document.createElementNS(SVG, "path");
  limit.setAttribute("class", "chart-limit");
  limit.setAttribute("d", `M0 ${y(3)}H${WIDTH}`);
  line.setAttribute("class", "chart-line");
  svg.append(limit, line);
  return {
    root: svg,
    /** @param {number[]} trend */
    show: (trend) => attr(line, "d", path(trend.slice(-POINTS))),
  };
}

/** @param {number[]} trend newest last */
export function path(trend) {
  let drawn = "", on = false;
  trend.forEach((mos, i) => {
    const x = WIDTH - (trend.length - 1 - i), known = mos >= LOWEST;
    if (known) drawn += `${on ? "L" : "M"}${x} ${y(mos)}`;
    if (known && !on && !(trend[i + 1] >= LOWEST)) drawn += "h.5"; // one alone is a dot
    on = known;
  });
  return drawn;
}
