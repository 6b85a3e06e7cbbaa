// @ts-check
import { h, put } from "../dom.js";
import { busy, isBusy, row, trouble } from "../form.js";
import { clean, language, say, t } from "../text.js";
import { digits } from "./code.js";

/** @typedef {import("../types").Ask} Ask */

const SVG = "http://www.w3.org/2000/svg";

/** The sentence of what went wrong with a request. @param {any} e */
export const failure = (e) => (e?.problem ? say(e.problem) : t("safety.failed"));

/**
 * A picture for a telephone's camera, dark on light whatever the page's colours are, with four cells of light around it.
 * @param {{ size: number, path: string }} qr
 */
export function picture(qr) {
  const svg = document.createElementNS(SVG, "svg"), light = document.createElementNS(SVG, "rect"), dark = document.createElementNS(SVG, "path");
  for (const [k, v] of Object.entries({ viewBox: `-4 -4 ${qr.size + 8} ${qr.size + 8}`, class: "qr", role: "img", "aria-label": t("enrol.picture"), "shape-rendering": "crispEdges" })) svg.setAttribute(k, v);
  for (const [k, v] of Object.entries({ x: "-4", y: "-4", width: "100%", height: "100%", class: "qr-light" })) light.setAttribute(k, v);
  dark.setAttribute("d", qr.path);
  dark.setAttribute("class", "qr-dark");
  svg.append(light, dark);
  return svg;
}

/** A button that copies, and says so. @param {string} label @param {() => string} what */
export function copier(label, what) {
  const button = h("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(what());
    put(button, t("enrol.copied"));
    setTimeout(() => put(button, label), 2000);
  } }, label);
  return button;
}

/**
 * An authenticator that is being set up: the picture, the key to copy, and a code of it that makes it count.
 * @param {Ask} ask
 * @param {string} label of the code's field
 * @param {(codes: string[]) => void} done
 */
export function scanForm(ask, label, done) {
  const place = h("div", { className: "qr-box" }), key = h("code", { className: "qr-key" });
  const code = h("input", { id: "enrol-code", name: "enrol-code", autocomplete: "one-time-code", inputMode: "numeric", maxLength: 40, required: true });
  const alert = trouble();
  const go = h("button", { type: "submit", className: "primary wide" }, t("code.go"));
  const root = h("form", { noValidate: true, className: "scan", "aria-label": t("enrol.title"), onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (code.value.trim() === "") return code.focus();
    if (isBusy(go)) return;
    busy(go, true);
    put(alert, "");
    try {
      const { recovery } = await ask("/factor/confirm", { code: digits(code.value) });
      done(recovery);
    } catch (e) {
      put(alert, failure(e));
      code.select();
    } finally {
      busy(go, false);
    }
  } }, h("p", {}, t("enrol.scan")), place, h("p", { className: "qr-words" }, h("span", { className: "quiet-text" }, t("enrol.key")), key, copier(t("enrol.copy"), () => key.textContent ?? "")),
  h("p", {}, t("enrol.then")), row(label, code), alert, go);
  return {
    root,
    /** @param {{ secret: string, qr: { size: number, path: string } }} start */
    show(start) {
      place.replaceChildren(picture(start.qr));
      put(key, clean(start.secret));
      code.value = "";
      put(alert, "");
    },
    focus: () => code.focus(),
  };
}

/**
 * The codes for paper, once. @param {() => void} kept
 */
export function papersView(kept) {
  const list = h("ul", { className: "papers-list" });
  const title = h("h1", { tabIndex: -1 }, t("papers.title"));
  const all = () => [...list.children].map((li) => li.textContent).join("\n");
  const root = h("section", { className: "papers", "aria-label": t("papers.title"), hidden: true }, title, h("p", {}, t("papers.note")), list,
    h("div", { className: "papers-act" }, copier(t("papers.copy"), all), h("button", { type: "button", onclick: print }, t("papers.print"))),
    h("button", { type: "button", className: "primary wide", onclick: () => {
      list.replaceChildren();
      root.hidden = true;
      kept();
    } }, t("papers.kept")));
  return {
    root,
    open: () => list.children.length > 0,
    focus: () => title.focus(),
    /** Nobody else may read them here. */
    clear: () => list.replaceChildren(),
    /** @param {string[]} codes */
    show(codes) {
      list.replaceChildren(...codes.map((c) => h("li", {}, h("code", {}, clean(c)))));
      root.hidden = false;
    },
  };
}

/** Only the codes go on the paper. */
function print() {
  document.documentElement.dataset.print = "papers";
  window.print();
  delete document.documentElement.dataset.print;
}

/**
 * A factor that the center demands, set up on the way in (PRODUCT A13).
 * @param {import("../types").Send} send
 * @param {Ask} ask
 * @param {() => void} turn called when there is something else to see
 */
export function enrolStep(send, ask, turn) {
  const papers = papersView(turn);
  const scan = scanForm(ask, t("code.label"), (codes) => {
    papers.show(codes);
    turn();
  });
  const alert = trouble();
  const begin = h("button", { type: "button", className: "primary wide", onclick: async () => {
    if (isBusy(begin)) return;
    busy(begin, true);
    put(alert, "");
    try {
      scan.show(await ask("/factor/start", { lang: language() }));
      first.hidden = true;
      scan.root.hidden = false;
      scan.focus();
    } catch (e) {
      put(alert, failure(e));
    } finally {
      busy(begin, false);
    }
  } }, t("enrol.start"));
  const first = h("div", { className: "enrol-first" }, h("p", {}, t("enrol.must")), alert, begin);
  scan.root.hidden = true;
  const root = h("section", { className: "enrol", hidden: true, "aria-label": t("enrol.title") }, h("h1", {}, t("enrol.title")), first, scan.root,
    h("button", { type: "button", className: "wide", onclick: () => send("signin.back") }, t("signin.back")));
  return {
    root, papers,
    focus: () => (first.hidden ? scan.focus() : begin.focus()),
    /** Nothing is left of an earlier one. */
    clear() {
      first.hidden = false;
      scan.root.hidden = true;
    },
  };
}
