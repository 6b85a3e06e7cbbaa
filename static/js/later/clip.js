// @ts-check
import { h } from "../dom.js";
import { readBlob } from "../link.js";
import { t } from "../text.js";
import { playerView } from "../view/player.js";

/** Plays the last words before a hand was raised. @param {string} clip @param {string} name of the agent */
export function playClip(clip, name) {
  const title = h("h2", { id: "clip-title" }, t("act.clip.title", { name }));
  const close = () => root.close();
  const player = playerView(clip, name, { blob: readBlob, close });
  const root = h("dialog", { className: "clip", "aria-labelledby": "clip-title", onclose: () => {
    player.end();
    root.remove();
  } }, title, player.root);
  document.body.append(root);
  root.showModal();
  player.focus();
}
