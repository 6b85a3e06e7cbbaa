// @ts-check
// Where on the page one is, and how the address says it.

/** @typedef {"phone" | "calls" | "contacts" | "seats"} Tab */
/** @typedef {Tab | "settings" | "help" | "messages"} Place */

const TABS = ["phone", "calls", "contacts", "seats"];

/** Whether it is one of those that stand in the line on top. @param {Place} to @returns {to is Tab} */
export const isTab = (to) => TABS.includes(to);

/** Addresses that open at a place of their own: links of the tray, bookmarks. @type {Record<string, Place>} */
const PLACES = { "/seats": "seats", "/settings": "settings", "/calls": "calls", "/contacts": "contacts", "/help": "help", "/messages": "messages" };
/** The same for /?at=PLACE, with dial for the number field and notes for the notes. @type {Record<string, Place>} */
const AT = { ...Object.fromEntries(Object.entries(PLACES).map(([path, to]) => [path.slice(1), to])), history: "calls", phone: "phone", dial: "phone", notes: "phone" };

const asks = () => new URLSearchParams(location.search);

/** Where the address wants the keyboard, or "why" with the call that one asks about; "" nowhere. */
export const wish = () => (location.pathname === "/why" ? "why" : asks().get("at") ?? "");

/** The place that the address names. @returns {Place} */
export const named = () => AT[wish()] ?? PLACES[location.pathname] ?? "phone";

/** The call of /why?call=ID; "" none. */
export const askedCall = () => (location.pathname === "/why" ? asks().get("call") ?? "" : "");

/** What was wanted once is no more in the address. */
export function granted() {
  const address = new URL(location.href);
  address.searchParams.delete("at");
  history.replaceState(null, "", address);
}

/** The address says where one is; a call that one asks about comes first, so that it can be kept and sent. @param {Place} place @param {string} [call] */
export function keepAddress(place, call) {
  const address = new URL(location.href);
  address.pathname = call ? "/why" : place === "seats" ? "/seats" : "/";
  if (call) address.searchParams.set("call", call);
  else address.searchParams.delete("call");
  history.replaceState(null, "", address);
}
