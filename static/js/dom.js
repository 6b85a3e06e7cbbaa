// @ts-check

/**
 * Makes an element. Keys with a dash and role are attributes, the others properties; texts go in as text, never as HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (key.includes("-") || key === "role" || key === "for") el.setAttribute(key, String(value));
    else Object.assign(el, { [key]: value });
  }
  for (const child of children) if (child) el.append(child);
  return el;
}

/**
 * Sets an element's text only when it differs, so that screen readers and selections are left in peace.
 * @param {Element} el
 * @param {string} text
 */
export function put(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

/**
 * Sets or, with undefined, removes an attribute; touches nothing when it is right already.
 * @param {Element} el
 * @param {string} name
 * @param {string | undefined} value
 */
export function attr(el, name, value) {
  if (value === undefined) el.removeAttribute(name);
  else if (el.getAttribute(name) !== value) el.setAttribute(name, value);
}

/**
 * Keeps one child per item, by key: changes what is there, adds what is new, removes what is gone, and moves only what stands wrong.
 * @template T
 * @template {{ root: Element }} V
 * @param {Element} parent
 * @param {Map<string, V>} kept
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => V} make
 * @param {(view: V, item: T) => void} show
 */
export function each(parent, kept, items, key, make, show) {
  const now = new Set(items.map(key));
  for (const [k, v] of kept) {
    if (!now.has(k)) {
      v.root.remove();
      kept.delete(k);
    }
  }
  items.forEach((item, i) => {
    const k = key(item);
    let v = kept.get(k);
    if (!v) kept.set(k, (v = make(item)));
    if (parent.children[i] !== v.root) parent.insertBefore(v.root, parent.children[i] ?? null);
    show(v, item);
  });
}
