// @ts-check
import { h } from "./dom.js";

/**
 * @typedef {{ label: string, role?: "menuitem" | "menuitemradio", checked?: boolean, sign?: string, colour?: string,
 *   note?: string, disabled?: boolean, act?: () => void } | "line"} Item
 */

/** The open menu, if any: there is one at a time. @type {{ close(back: boolean): void, owner?: Element } | undefined} */
let current;

export const menuOpen = () => current !== undefined;

/** Closes what is open. */
export const closeMenu = () => current?.close(true);

/**
 * Opens a menu at a point, or under an element, and gives it the keyboard (ARIA menu: arrows, Home, End, first letters,
 * Enter, Escape). Focus returns to where it was.
 * @param {string} name
 * @param {Item[]} items
 * @param {{ x: number, y: number } | Element} where
 */
export function openMenu(name, items, where) {
  const owner = where instanceof Element ? where : undefined;
  const again = owner !== undefined && current?.owner === owner;
  current?.close(again);
  if (again) return; // its button closes it as well
  const before = owner ?? document.activeElement; // not every browser focuses a clicked button
  const menu = h("div", { className: "menu", role: "menu", "aria-label": name, tabIndex: -1 }, ...items.map((i) => entry(i, close)));
  document.body.append(menu);
  place(menu, where);
  owner?.setAttribute("aria-expanded", "true");
  current = { close, owner };

  /** @param {boolean} back */
  function close(back) {
    if (current?.close !== close) return;
    current = undefined;
    removeEventListener("pointerdown", outside, true);
    removeEventListener("blur", away);
    owner?.setAttribute("aria-expanded", "false");
    menu.remove();
    if (back && before instanceof HTMLElement && before.isConnected) before.focus();
  }
  const outside = (/** @type {Event} */ e) => {
    if (e.target instanceof Node && !menu.contains(e.target) && !owner?.contains(e.target)) close(false);
  };
  const away = () => close(true);
  addEventListener("pointerdown", outside, true);
  addEventListener("blur", away);
  menu.addEventListener("keydown", (e) => keys(e, menu, close));
  menu.addEventListener("contextmenu", (e) => (e.preventDefault(), e.stopPropagation()));
  const rows = choices(menu);
  (rows.find((r) => r.getAttribute("aria-checked") === "true") ?? rows[0] ?? menu).focus();
}

/**
 * @param {Item} item
 * @param {(back: boolean) => void} close
 */
function entry(item, close) {
  if (item === "line") return h("hr", { role: "separator" });
  const { label, role = "menuitem", checked, sign, colour, note, disabled, act } = item;
  return h("button", {
    type: "button", role, tabIndex: -1, className: "menu-row", "aria-label": note ? `${label}, ${note}` : label,
    "aria-checked": role === "menuitemradio" ? String(checked === true) : undefined,
    "aria-disabled": disabled ? "true" : undefined,
    "data-colour": colour,
    onclick: () => {
      if (disabled) return;
      close(true);
      act?.();
    },
  },
  h("span", { className: "menu-tick", "aria-hidden": "true" }, checked ? "✓" : ""),
  sign ? h("span", { className: "sign", "aria-hidden": "true" }, sign) : null,
  h("span", { className: "menu-label" }, label),
  note ? h("span", { className: "menu-note" }, note) : null);
}

/** @param {Element} menu @returns {HTMLElement[]} */
const choices = (menu) => [...menu.querySelectorAll(".menu-row")].filter((e) => e instanceof HTMLElement);

/**
 * @param {KeyboardEvent} e
 * @param {HTMLElement} menu
 * @param {(back: boolean) => void} close
 */
function keys(e, menu, close) {
  const rows = choices(menu);
  const i = rows.findIndex((r) => r === document.activeElement);
  const go = (/** @type {number} */ n) => rows[(n + rows.length) % rows.length]?.focus();
  switch (e.key) {
    case "ArrowDown": go(i + 1); break;
    case "ArrowUp": go(i < 0 ? rows.length - 1 : i - 1); break;
    case "Home": go(0); break;
    case "End": go(rows.length - 1); break;
    case "Escape":
    case "Tab": close(true); break;
    default: {
      const rest = [...rows.slice(i + 1), ...rows.slice(0, i + 1)];
      const hit = e.key.length === 1 && e.key !== " " && !e.ctrlKey && !e.metaKey &&
        rest.find((r) => r.querySelector(".menu-label")?.textContent?.toLowerCase().startsWith(e.key.toLowerCase()));
      if (!hit) return;
      hit.focus();
    }
  }
  e.preventDefault();
  e.stopPropagation();
}

/**
 * Keeps the menu inside the window.
 * @param {HTMLElement} menu
 * @param {{ x: number, y: number } | Element} where
 */
function place(menu, where) {
  const box = where instanceof Element ? where.getBoundingClientRect() : undefined;
  const { x, y } = box ? { x: box.left, y: box.bottom + 4 } : /** @type {{ x: number, y: number }} */ (where);
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
}
