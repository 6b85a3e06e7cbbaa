import assert from "node:assert/strict";
import { test } from "node:test";
import { ear, find, key, page, settled, snapshot, texts } from "./page.js";

const { signInView } = await import("../js/view/signin.js");
const { safetyView } = await import("../js/later/safety.js");

const out = (more = {}) => snapshot({ phase: "out", me: undefined, account: "sato", ...more });
const proving = (more = {}, rest = {}) => out({ phase: "proving", proof: { ways: ["app", "mail", "recovery"], mail: "s…@example.jp", days: 30, keeps: true, ...more }, ...rest });
const START = { secret: "JBSWY3DPEHPK3PXP", url: "otpauth://totp/x", qr: { size: 21, path: "M0 0h1v1h-1z" } };
const CODES = ["abcd-efgh", "ijkl-mnop"];

/** A phone that answers what a test says, and remembers what it was asked. */
function phone(answers) {
  const asked = [];
  return { asked, ask: async (path, body) => {
    asked.push([path, body]);
    const a = answers[path];
    if (a?.code) throw Object.assign(new Error(path), { problem: a });
    return a ?? {};
  } };
}

/** Puts a view on an empty page. */
function mount(view) {
  document.body.replaceChildren(view.root);
  return view;
}

test("a code is asked for after the password, as people paste it", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(out(), page());
  view.show(proving(), page());
  const code = find(view.root, "Code");
  assert.equal(document.activeElement, code);
  assert.deepEqual([code.autocomplete, code.getAttribute("inputmode")], ["one-time-code", "numeric"]);
  find(view.root, "Continue").click();
  assert.deepEqual(said, [], "nothing is asked of an empty field");
  code.value = " １２3 456 ";
  find(view.root, "Do not ask on this machine for 30 days").checked = true;
  find(view.root, "Continue").click();
  view.show(proving({ asked: true }), page());
  find(view.root, "Continue").click();
  view.show(proving({}, { problem: { code: "factor.wrong", holes: { left: "4" } } }), page());
  assert.match(view.root.querySelector("form:not([hidden]) [role=alert]").textContent, /4 tries are left/);
  assert.equal(code.getAttribute("aria-invalid"), "true");
  assert.equal(code.value, " １２3 456 ", "what was typed stays");
  find(view.root, "Back").click();
  assert.deepEqual(said, [["signin.code", { way: "app", code: "123456", trust: true }], ["signin.back", {}]]);
});

test("a code comes by mail, again after half a minute, and one of paper keeps its form", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(proving(), page());
  find(view.root, "By mail").click();
  assert.match(view.root.textContent, /can be sent to s…@example\.jp/);
  find(view.root, "Send a code").click();
  view.show(proving({ sent: new Date().toISOString() }), page());
  assert.match(view.root.textContent, /on its way to s…@example\.jp/);
  const again = find(view.root, "Send again in 30 s");
  again.click();
  view.show(proving({ sent: new Date(Date.now() - 30_001).toISOString() }), page());
  find(view.root, "Send again").click();
  key(find(view.root, "By mail"), "ArrowRight");
  const code = find(view.root, "Code");
  assert.equal(code.getAttribute("inputmode"), "text");
  code.value = " abcd-efgh ";
  find(view.root, "Continue").click();
  assert.deepEqual(said, [["signin.mail", { lang: "en" }], ["signin.mail", { lang: "en" }], ["signin.code", { way: "recovery", code: "abcd-efgh", trust: false }]]);
});

test("one way needs no choice, and without days or a keyring the page says so", () => {
  const view = mount(signInView(ear().send));
  view.show(proving({ ways: ["app"], days: 0 }), page());
  assert.throws(() => find(view.root, "Authenticator app"));
  assert.ok(view.root.querySelector("#trust").closest("[hidden]"));
  view.show(proving({ ways: ["app"], keeps: false }), page());
  assert.match(view.root.textContent, /no keyring/);
});

test("a factor that is demanded is set up on the way, and its codes stay until they are kept", async () => {
  const { said, send } = ear();
  const { asked, ask } = phone({ "/factor/start": START, "/factor/confirm": { recovery: CODES } });
  const view = mount(signInView(send, ask));
  view.show(proving({ ways: [], enrol: true }), page());
  find(view.root, "Begin").click();
  await settled();
  assert.equal(view.root.querySelector("svg.qr .qr-dark").getAttribute("d"), START.qr.path);
  assert.match(view.root.textContent, /JBSWY3DPEHPK3PXP/);
  find(view.root, "Code").value = "123 456";
  find(view.root, "Continue").click();
  await settled();
  const choice = { center: "Tokyo", name: "Sato", terminals: [], statuses: [], seatView: false, profile: snapshot().profile };
  view.show(out({ phase: "choosing", choice }), page());
  assert.match(view.root.querySelector(".papers").textContent, /abcd-efghijkl-mnop/);
  assert.throws(() => find(view.root, "Terminal"), "the codes are read first");
  find(view.root, "I have kept them").click();
  find(view.root, "Terminal");
  assert.doesNotMatch(view.root.textContent, /abcd-efgh/);
  assert.deepEqual(asked, [["/factor/start", { lang: "en" }], ["/factor/confirm", { code: "123456" }]]);
  assert.deepEqual(said, []);
});

test("codes that nobody kept are not shown to the next person", async () => {
  const { ask } = phone({ "/factor/start": START, "/factor/confirm": { recovery: CODES } });
  const view = mount(signInView(ear().send, ask));
  view.show(proving({ ways: [], enrol: true }), page());
  find(view.root, "Begin").click();
  await settled();
  find(view.root, "Code").value = "123456";
  find(view.root, "Continue").click();
  await settled();
  view.show(snapshot(), page());
  view.show(out(), page());
  find(view.root, "Account");
  assert.doesNotMatch(view.root.textContent, /abcd-efgh/);
});

test("a refusal while a factor is set up is told in words", async () => {
  const answers = { "/factor/start": START, "/factor/confirm": { code: "factor.wrong", holes: { left: "2" } } };
  const view = mount(signInView(ear().send, phone(answers).ask));
  view.show(proving({ ways: [], enrol: true }), page());
  find(view.root, "Begin").click();
  await settled();
  find(view.root, "Code").value = "000000";
  find(view.root, "Continue").click();
  await settled();
  assert.match(view.root.querySelector(".scan [role=alert]").textContent, /2 tries are left/);
});

test("single sign-on has its button where the center offers it, and the browser can be given up", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(out(), page());
  assert.throws(() => find(view.root, "Sign in with Example ID"));
  view.show(out({ signOn: { name: "Example ID", only: false } }), page());
  find(view.root, "Password");
  find(view.root, "Sign in with Example ID").click();
  view.show(out({ phase: "browser", away: "javascript:alert(1)", signOn: { name: "Example ID", only: false } }), page());
  assert.throws(() => find(view.root, "No page has opened? Open it here"));
  view.show(out({ phase: "browser", away: "https://center.example/auth", signOn: { name: "Example ID", only: false } }), page());
  assert.equal(find(view.root, "No page has opened? Open it here").href, "https://center.example/auth");
  assert.match(view.root.textContent, /Waiting for the browser/);
  find(view.root, "Cancel").click();
  view.show(out({ signOn: { name: "Example ID", only: true } }), page());
  assert.throws(() => find(view.root, "Password"), "passwords are not taken");
  find(view.root, "Use a password").click();
  find(view.root, "Password");
  assert.deepEqual(said, [["signin.sso", {}], ["signin.back", {}]]);
});

const desk = { keep: true, view: true };
async function safety(state, answers = {}, more = {}) {
  const p = phone(answers);
  const view = mount(safetyView({ ask: p.ask, read: async () => state }));
  view.show(snapshot({ desk, ...more }), page());
  view.open(true);
  await settled();
  return { view, asked: p.asked };
}
const NONE = { app: false, codes: 0, devices: [] };

test("in the settings an authenticator is set up, and another only with a code of the first", async () => {
  const answers = { "/factor/start": START, "/factor/confirm": { recovery: CODES } };
  const fresh = await safety(NONE, answers);
  find(fresh.view.root, "Set up: Authenticator app").click();
  await settled();
  find(fresh.view.root, texts("en")["safety.code.new"]).value = "111111";
  find(fresh.view.root, "Continue").click();
  await settled();
  assert.match(fresh.view.root.textContent, /abcd-efgh/);
  assert.deepEqual(fresh.asked, [["/factor/start", { code: "", lang: "en" }], ["/factor/confirm", { code: "111111" }]]);
  const had = await safety({ ...NONE, app: true, codes: 7 }, answers);
  assert.match(had.view.root.textContent, /7 left/);
  find(had.view.root, "Change: Authenticator app").click();
  find(had.view.root, texts("en")["safety.code.now"]).value = "222 222";
  find(had.view.root, "Continue").click();
  await settled();
  find(had.view.root, texts("en")["safety.code.new"]);
  assert.deepEqual(had.asked, [["/factor/start", { code: "222222", lang: "en" }]]);
});

test("what is demanded cannot be turned off, and the page says so", async () => {
  const { view } = await safety({ ...NONE, app: true }, { "/factor/off": { code: "factor.needed" } });
  find(view.root, "Turn off: Authenticator app").click();
  find(view.root, texts("en")["safety.code.now"]).value = "123456";
  find(view.root, "Turn off").click();
  await settled();
  assert.match(view.root.textContent, /cannot be turned off/);
});

test("recovery codes that ran out are made anew, for a code, and shown once", async () => {
  const { view, asked } = await safety({ ...NONE, app: true, codes: 1 }, { "/factor/codes": { recovery: CODES } });
  find(view.root, "New codes: Recovery codes").click();
  find(view.root, texts("en")["safety.code.now"]).value = "123456";
  find(view.root, "New codes").click();
  await settled();
  assert.deepEqual(asked, [["/factor/codes", { code: "123456" }]]);
  assert.match(view.root.textContent, new RegExp(CODES[0]));
});

test("a policy for shared seats: nobody is asked whether this machine may be trusted", () => {
  const { send } = ear(), view = mount(signInView(send, async () => ({})));
  view.show(proving({ keep: true }), page());
  assert.equal(view.root.querySelector("#trust").closest("[hidden]"), null);
  view.show(proving({ keep: false }), page());
  assert.ok(view.root.querySelector("#trust").closest("[hidden]"));
});

test("trusted machines are listed as text and forgotten", async () => {
  const { view, asked } = await safety({ ...NONE, app: true, devices: [{ id: "d1", label: "<img src=x onerror=alert(1)>\u202epc", since: "2026-04-01T00:00:00Z", until: "2026-05-01T00:00:00Z" }] });
  assert.equal(view.root.querySelector("img"), null);
  view.root.querySelector(".devices button").click();
  await settled();
  assert.deepEqual(asked, [["/factor/forget", { device: "d1" }]]);
});

test("the password is changed only when both new ones are the same", async () => {
  const { view, asked } = await safety(NONE, {});
  find(view.root, "Change the password").click();
  const type = (name, v) => (find(view.root, name).value = v);
  type("Present password", "old one"), type("New password", "a new one"), type("New password again", "a new 0ne");
  const submit = () => view.root.querySelector(".safety-form [type=submit]").click();
  submit();
  await settled();
  assert.match(view.root.textContent, /differ/);
  type("New password again", "a new one");
  submit();
  await settled();
  assert.deepEqual(asked, [["/password", { old: "old one", new: "a new one" }]]);
  assert.match(view.root.textContent, /The password is changed/);
});

test("a policy that has nothing kept here is named, and without a center there is nothing to set", async () => {
  const { view } = await safety(NONE, {}, { desk: { keep: false, view: true } });
  assert.match(view.root.textContent, /The policy of .+ has nothing kept on this machine/);
  view.show(snapshot({ desk: undefined, local: true }), page());
  assert.ok(view.root.hidden);
});
