// @ts-check
// Our own drawings, on a grid of 24, as strokes in the colour of the text beside them.

/** @type {Record<string, string>} */
const PATHS = {
  phone: "M6 3h3l2 5-2.4 1.6a12 12 0 0 0 5.8 5.8L16 13l5 2v3a3 3 0 0 1-3 3C10.3 21 3 13.7 3 6a3 3 0 0 1 3-3z",
  hangup: "M3 14.5c0-2 3.8-5 9-5s9 3 9 5v1.6l-5 1.4-.8-3.2a11 11 0 0 0-6.4 0L8 17.5l-5-1.4z",
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M9 21h6",
  pause: "M8 5v14M16 5v14",
  play: "M8 5l11 7-11 7z",
  transfer: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  join: "M4 7h3c4 0 4 5 8 5h5M4 17h3c4 0 4-5 8-5M17 9l3 3-3 3",
  split: "M4 12h4c4 0 4-5 8-5h4M8 12c4 0 4 5 8 5h4M17 4l3 3-3 3M17 14l3 3-3 3",
  people: "M9 5a3 3 0 0 1 0 6 3 3 0 0 1 0-6zM3 19c0-3 2.7-5 6-5s6 2 6 5M16 5.5a2.8 2.8 0 0 1 0 5.4M17.5 14.3c2.2.6 3.5 2.3 3.5 4.7",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  add: "M12 5v14M5 12h14",
  why: "M9 9a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2.1M12 17.5v.01M12 3a9 9 0 0 1 0 18 9 9 0 0 1 0-18z",
  record: "M12 4a8 8 0 0 1 0 16 8 8 0 0 1 0-16zM12 9.5a2.5 2.5 0 0 1 0 5 2.5 2.5 0 0 1 0-5z",
  card: "M3 6h18v12H3zM3 10h18M7 14.5h4",
  replay: "M5 4v5h5M5.6 9a7.5 7.5 0 1 1-1 5M12 8.5v4l2.8 1.8",
  gear: "M12 5.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM12 9.7a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6zM12 2.5v3M12 18.5v3M2.5 12h3M18.5 12h3M5.3 5.3l2.1 2.1M16.6 16.6l2.1 2.1M5.3 18.7l2.1-2.1M16.6 7.4l2.1-2.1",
  up: "M6 14.5l6-6 6 6",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  down: "M6 9.5l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  in: "M19 5L7 17M7 8v9h9",
  out: "M5 19L17 7M8 7h9v9",
  erase: "M9 6h11v12H9l-6-6zM12 9.5l5 5M17 9.5l-5 5",
  line: "M4 12h3l2.5-6 4 12 3-8 1.5 2H20",
  center: "M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5v.01M7.5 16.5v.01",
  sound: "M4 9.5h3.5L12 5.5v13l-4.5-4H4zM15.5 9a4.5 4.5 0 0 1 0 6M18 6a8.5 8.5 0 0 1 0 12",
  info: "M12 3a9 9 0 0 1 0 18 9 9 0 0 1 0-18zM12 11v5.5M12 7.5v.01",
  star: "M12 4l2.5 5.2 5.7.7-4.2 3.9 1.1 5.6-5.1-2.8-5.1 2.8 1.1-5.6-4.2-3.9 5.7-.7z",
  help: "M9 9a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2.1M12 17.5v.01M12 3a9 9 0 0 1 0 18 9 9 0 0 1 0-18z",
  hand: "M8 12.5V6.2a1.4 1.4 0 0 1 2.8 0V11M10.8 11V4.6a1.4 1.4 0 0 1 2.8 0V11M13.6 11V5.8a1.4 1.4 0 0 1 2.8 0v7.7c0 4-2.2 6.9-5.6 6.9-2.6 0-4-1.3-5.2-3.6l-2-3.7c-.9-1.7 1.3-2.7 2.4-1.3L8 14",
  ear: "M7 10a5 5 0 0 1 10 0c0 4-4 4.5-4 7.5a3 3 0 0 1-5.5 1.6M10 10a2 2 0 0 1 4 0c0 1.5-1.6 2-1.6 3.4",
  whisper: "M4 12h3M4 8h5M4 16h5M13 6a7 7 0 0 1 0 12M17 4a10 10 0 0 1 0 16",
  chat: "M4 5h16v11h-9l-5 4v-4H4zM8 9h8M8 12h5",
  seat: "M7 4h10v8H7zM5 9v7h14V9M8 16v4M16 16v4",
};

const SVG = "http://www.w3.org/2000/svg";

/**
 * A drawing that says nothing to a screen reader; its button says it.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}
