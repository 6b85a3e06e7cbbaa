// @ts-check
import { t, word } from "../text.js";
import { peerOf } from "./parts.js";
import { defOf, isAgent } from "./status.js";

/**
 * What a glance at the tab should tell; it blinks while it rings.
 * @param {import("../types").Snapshot | undefined} snap
 * @param {number} now
 */
export function titleOf(snap, now) {
  const call = snap?.calls?.find((c) => c.phase === "offered"), bright = Math.floor(now / 1000) % 2 === 0;
  if (call && bright) return t("title.ringing", { name: peerOf(call) });
  if (!snap || snap.phase !== "in" || !isAgent(snap)) return t("app.name");
  const missed = snap.missed ? `(${Math.min(snap.missed, 99)}) ` : "";
  return `${missed}${word(defOf(snap.statuses, snap.status.shown || snap.status.now).name)} · ${t("app.name")}`;
}
