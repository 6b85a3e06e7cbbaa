import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { call, ear, find, page, snapshot, speak } from "./page.js";
import { noticesView } from "../js/view/notices.js";

beforeEach(() => speak("en"));

test("another terminal than the center keeps for the account is told, and mended by one click, but not in a call (A17)", () => {
  const { said, send } = ear(), view = noticesView(send);
  document.body.replaceChildren(view.root);
  const desk = (bound) => ({ keep: true, view: true, bound });
  const article = () => view.root.querySelector(".terminal-notice");
  view.show(snapshot(), page());
  assert.ok(article().hidden);
  view.show(snapshot({ desk: desk({ id: "1001", extension: "1001", type: "softphone" }), notices: [{ id: "n", level: "info", problem: { code: "internal" }, at: new Date().toISOString() }] }), page());
  assert.match(article().textContent, /uses extension 2001.*keeps extension 1001.*affect your account/);
  assert.equal(view.root.querySelectorAll("article").length, 2);
  find(view.root, "Use extension 1001").click();
  assert.deepEqual(said, [["terminal.use", { terminal: "1001" }]]);
  view.show(snapshot({ desk: desk({ id: "1001", extension: "1001", type: "softphone" }), calls: [call()] }), page());
  assert.ok(find(view.root, "Use extension 1001").disabled);
  view.show(snapshot({ desk: desk({ id: "", extension: "", type: "" }) }), page());
  assert.match(article().textContent, /Ask an administrator/);
  assert.ok(article().querySelector("button").hidden);
  view.show(snapshot(), page());
  assert.ok(article().hidden);
});
