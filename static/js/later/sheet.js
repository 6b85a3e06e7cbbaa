// @ts-check
import { h } from "../dom.js";

/**
 * Loads a style sheet of css/later, once; resolves when it is there, or never will be: a view without its styles is better than none.
 * @param {string} name
 * @returns {Promise<void>}
 */
export function sheet(name) {
  const href = `/css/later/${name}.css`;
  if (document.head.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((done) => document.head.append(h("link", { rel: "stylesheet", href, onload: () => done(), onerror: () => done() })));
}
