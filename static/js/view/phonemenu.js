// @ts-check
import { openMenu } from "../menu.js";
import { t } from "../text.js";
import { handItems, statusItems } from "./status.js";

/**
 * The menu of PRODUCT C2: statuses, sign-out, and last of all Exit.
 * @param {import("../types").Snapshot | undefined} snap of who is signed in; nobody: only what one can do then
 * @param {import("../types").Send} send
 * @param {(to: "settings" | "help") => void} go
 * @param {{ x: number, y: number } | Element} where
 */
export function phoneMenu(snap, send, go, where) {
  const help = { label: t("menu.help"), act: () => go("help") }, exit = { label: t("menu.exit"), act: () => send("exit") };
  if (!snap) return openMenu(t("menu.title"), [help, "line", exit], where);
  const statuses = statusItems(snap, send);
  openMenu(t("menu.title"), [...statuses, ...(statuses.length ? [/** @type {const} */ ("line")] : []), ...handItems(snap, send), { label: t("menu.settings"), act: () => go("settings") }, help, "line",
    { label: t("menu.signout"), act: () => send("signout") }, exit], where);
}
