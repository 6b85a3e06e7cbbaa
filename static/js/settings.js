// @ts-check
// What can be set on this machine, as web/wire/settings.go has it; a test holds the two together. The words of a setting are
// set.NAME, set.NAME.note where there is more to say, and set.NAME.CHOICE.

/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {{ name: string, kind: string, usual: any, choices?: string[], min?: number, max?: number, step?: number }} Setting */

const toggle = (/** @type {string} */ name, usual = false) => ({ name, kind: "switch", usual });
const choice = (/** @type {string} */ name, /** @type {string[]} */ ...choices) => ({ name, kind: "choice", usual: choices[0], choices });
const number = (/** @type {string} */ name, /** @type {number} */ min, /** @type {number} */ max, /** @type {number} */ usual, /** @type {number} */ step) => ({ name, kind: "number", usual, min, max, step });
const chord = (/** @type {string} */ name) => ({ name, kind: "chord", usual: "" });

/** By the chapter in which it is found. @type {Record<string, Setting[]>} */
export const CHAPTERS = {
  basic: [toggle("start.login"), toggle("start.page", true), choice("page.window", "tab", "app"), toggle("sign.auto"), { name: "sign.status", kind: "status", usual: "" }],
  ring: [number("ring.volume", 0, 100, 100, 5), toggle("ring.raise")],
  calls: [choice("calls.waiting", "soft", "silent", "busy"), toggle("calls.confirm", true), toggle("calls.in_band"), toggle("headset.use")],
  hotkeys: [chord("hotkey.answer"), chord("hotkey.hangup"), chord("hotkey.mute"), chord("hotkey.hold"), chord("hotkey.show"), toggle("page.shortcuts", true)],
  links: [toggle("links.tel"), toggle("links.callto"), toggle("links.sip")],
  crm: [toggle("crm.api"), { name: "crm.origins", kind: "list", usual: [] }],
  look: [choice("page.look", "system", "light", "dark"), choice("page.lang", "system", "en", "ja"), number("page.size", 80, 200, 100, 10)],
};

/** @type {Record<string, Setting>} */
const ALL = Object.fromEntries(Object.values(CHAPTERS).flat().map((s) => [s.name, s]));

/**
 * What a setting holds now; its usual value where the phone names none.
 * @param {Snapshot | undefined} snap
 * @param {string} name
 * @returns {any}
 */
export const valueOf = (snap, name) => snap?.settings?.[name] ?? ALL[name]?.usual;

/** The chords that are set, by what they do: answer, hangup, mute, hold, show. @param {Snapshot | undefined} snap @param {string} what */
export const chordOf = (snap, what) => (valueOf(snap, "page.shortcuts") ? String(valueOf(snap, `hotkey.${what}`) || "") : "");

/**
 * Light or dark, and the size of the text, at once and for the whole page. Remembered, so that the next load does not flash.
 * @param {Snapshot | undefined} snap
 */
export function applyLook(snap) {
  const look = String(valueOf(snap, "page.look")), size = Number(valueOf(snap, "page.size"));
  wear(look, size);
  localStorage.setItem("zaseki.look", JSON.stringify({ look, size }));
}

/** What was worn last, before the phone is known. */
export function wearLast() {
  try {
    const { look, size } = JSON.parse(localStorage.getItem("zaseki.look") ?? "{}");
    wear(look, size);
  } catch {
    localStorage.removeItem("zaseki.look");
  }
}

/** @param {string} look @param {number} size */
function wear(look, size) {
  const root = document.documentElement;
  if (look === "light" || look === "dark") root.dataset.look = look;
  else delete root.dataset.look;
  const scale = size >= 80 && size <= 200 ? `${(15 * size) / 100}px` : "";
  if (root.style.fontSize !== scale) root.style.fontSize = scale;
}

/** How many of the usual 15-pixel letters the page is wide: the style sheets count in these, so that larger text gets a narrower page's layout. */
const WIDTHS = { narrow: 60, slim: 32.05, tiny: 26.7 };

/** Tells the style sheets which layout fits, now and whenever the window or the text changes its size. */
export function watchWidth() {
  const root = document.documentElement;
  const tell = () => {
    const letters = innerWidth / parseFloat(getComputedStyle(root).fontSize);
    const fits = Object.entries(WIDTHS).filter(([, most]) => letters < most).map(([name]) => name).join(" ");
    if (root.dataset.width !== fits) root.dataset.width = fits;
  };
  addEventListener("resize", tell);
  new MutationObserver(tell).observe(root, { attributes: true, attributeFilter: ["style"] });
  tell();
}
