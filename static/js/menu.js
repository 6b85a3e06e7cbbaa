// @ts-check
import { h } from "./dom.js";

/**
 * @typedef {{ label: string, role?: "menuitem" | "menuitemradio" | "menuitemcheckbox", checked?: boolean, sign?: string, colour?: string,
 *   note?: string, disabled?: boolean, act?: () => void, items?: Item[] } | "line"} Item items: a menu that opens beside it
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
  const menu = list(name, items, close);
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
  menu.addEventListener("contextmenu", (e) => (e.preventDefault(), e.stopPropagation()));
  first(menu);
}

/** @param {string} name @param {Item[]} items @param {(back: boolean) => void} close */
function list(name, items, close) {
  const menu = h("div", { className: "menu", role: "menu", "aria-label": name, tabIndex: -1 }, ...items.map((i) => entry(i, close)));
  menu.addEventListener("keydown", (e) => keys(e, menu, close));
  return menu;
}

/** The keyboard goes to what is chosen now, else to the first. @param {HTMLElement} menu */
function first(menu) {
  const rows = choices(menu);
  (rows.find((r) => r.getAttribute("role") === "menuitemradio" && r.getAttribute("aria-checked") === "true") ?? rows[0] ?? menu).focus();
}

/**
 * @param {Item} item
 * @param {(back: boolean) => void} close
 */
function entry(item, close) {
  if (item === "line") return h("hr", { role: "separator" });
  const { label, role = "menuitem", checked, sign, colour, note, disabled, act, items } = item;
  const tick = h("span", { className: "menu-tick", "aria-hidden": "true" }, checked ? "✓" : "");
  const row = h("button", {
    type: "button", role, tabIndex: -1, className: "menu-row", "aria-label": note ? `${label}, ${note}` : label,
    "aria-checked": role === "menuitem" ? undefined : String(checked === true),
    "aria-disabled": disabled ? "true" : undefined, "aria-haspopup": items ? "menu" : undefined, "aria-expanded": items ? "false" : undefined,
    "data-colour": colour,
    onclick: () => {
      if (disabled) return;
      if (items) return beside(row, label, items, close);
      if (role === "menuitemcheckbox") {
        const on = row.getAttribute("aria-checked") !== "true";
        row.setAttribute("aria-checked", String(on)); // it stays open: what it belongs to is chosen next
        tick.textContent = on ? "✓" : "";
      } else close(true);
      act?.();
    },
  },
  tick,
  sign ? h("span", { className: "sign", "aria-hidden": "true" }, sign) : null,
  h("span", { className: "menu-label" }, label),
  note ? h("span", { className: "menu-note" }, note) : null,
  items ? h("span", { className: "menu-note", "aria-hidden": "true" }, "▸") : null);
  return row;
}

/**
 * The menu of a row, at its side; over it where the window is too narrow for both. One at a time.
 * @param {HTMLElement} row
 * @param {string} name
 * @param {Item[]} items
 * @param {(back: boolean) => void} close
 */
function beside(row, name, items, close) {
  const open = row.getAttribute("aria-expanded") === "true";
  shut(/** @type {HTMLElement} */ (row.parentElement));
  if (open) return;
  const menu = list(name, items, close), box = row.getBoundingClientRect();
  row.after(menu);
  row.setAttribute("aria-expanded", "true");
  const { width } = menu.getBoundingClientRect(), right = box.right + width + 8 < innerWidth;
  place(menu, { x: right ? box.right - 2 : box.left - width > 8 ? box.left - width + 2 : box.left + 24, y: right || box.left - width > 8 ? box.top - 6 : box.bottom });
  first(menu);
}

/** Closes the menu beside a row of this one. @param {HTMLElement} menu @returns {HTMLElement | undefined} the row */
function shut(menu) {
  const row = menu.querySelector(":scope > [aria-expanded=true]");
  row?.setAttribute("aria-expanded", "false");
  menu.querySelector(":scope > .menu")?.remove();
  return row instanceof HTMLElement ? row : undefined;
}

/** @param {Element} menu @returns {HTMLElement[]} */
const choices = (menu) => [...menu.children].filter((e) => e instanceof HTMLElement).filter((e) => e.classList.contains("menu-row"));

/**
 * @param {KeyboardEvent} e
 * @param {HTMLElement} menu
 * @param {(back: boolean) => void} close
 */
function keys(e, menu, close) {
  const rows = choices(menu), above = menu.parentElement?.closest(".menu");
  const i = rows.findIndex((r) => r === document.activeElement);
  const go = (/** @type {number} */ n) => rows[(n + rows.length) % rows.length]?.focus();
  const out = () => (above instanceof HTMLElement ? shut(above)?.focus() : undefined);
  switch (e.key) {
    case "ArrowDown": go(i + 1); break;
    case "ArrowUp": go(i < 0 ? rows.length - 1 : i - 1); break;
    case "ArrowRight": rows[i]?.getAttribute("aria-haspopup") && rows[i].click(); break;
    case "ArrowLeft": out(); break;
    case "Home": go(0); break;
    case "End": go(rows.length - 1); break;
    case "Escape":
      if (above) out();
      else close(true);
      break;
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
