// @ts-check
// A chord of keys as web/wire.Chord keeps it: Ctrl, Alt, Shift, Super in this order, and one key.

/** Keys that have another name in a chord than in a browser. @type {Record<string, string>} */
const NAMES = { ArrowUp: "Up", ArrowDown: "Down", ArrowLeft: "Left", ArrowRight: "Right", MediaPlayPause: "MediaPlayPause", MediaStop: "MediaStop",
  Space: "Space", Pause: "Pause", Insert: "Insert", Home: "Home", End: "End", PageUp: "PageUp", PageDown: "PageDown" };

/**
 * The chord that was pressed. "" while only modifiers are down; undefined for what cannot be a chord: a letter alone would be gone for
 * every other program. The place of the key counts, not the letter that a Japanese or shifted keyboard makes of it.
 * @param {KeyboardEvent} e
 * @returns {string | undefined}
 */
export function pressed(e) {
  if (["Control", "Alt", "Shift", "Meta", "AltGraph", "OS"].includes(e.key)) return "";
  const mods = [e.ctrlKey && "Ctrl", e.altKey && "Alt", e.shiftKey && "Shift", e.metaKey && "Super"].filter(Boolean);
  const plain = /^(?:Key([A-Z])|Digit([0-9]))$/.exec(e.code), f = /^F([1-9]|1\d|2[0-4])$/.test(e.code);
  const key = plain ? (plain[1] ?? plain[2]) : f ? e.code : NAMES[e.code];
  if (!key) return undefined;
  const alone = f || key === "Pause" || key.startsWith("Media");
  const strong = mods.some((m) => m !== "Shift");
  if (plain ? !strong : !alone && mods.length === 0) return undefined;
  return [...mods, key].join("+");
}

/** The modifiers that are down, as the beginning of a chord. @param {KeyboardEvent} e */
export const begun = (e) => [e.ctrlKey && "Ctrl", e.altKey && "Alt", e.shiftKey && "Shift", e.metaKey && "Super"].filter(Boolean).map((m) => `${m}+`).join("");
