import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, key, nameOf, page, snapshot, speak } from "./page.js";
import { contactsView } from "../js/view/contacts.js";
import { identityView, readyView } from "../js/view/head.js";
import { signInView } from "../js/view/signin.js";

function mount(view) {
  document.body.replaceChildren(view.root);
  return view;
}
beforeEach(() => speak("en"));

const out = (more = {}) => snapshot({ phase: "out", me: undefined, account: "", ...more });
const kept = { server: "pbx.example.com", user: "2001", authUser: "u2001", transport: "tls", voice: "required" };

test("a SIP account is the second way in, by mouse and by keys", () => {
  const { send } = ear();
  const view = mount(signInView(send));
  view.show(out(), page());
  const center = find(view.root, "Center account"), sip = find(view.root, "SIP account");
  assert.deepEqual([center.getAttribute("aria-selected"), sip.getAttribute("aria-selected"), sip.tabIndex], ["true", "false", -1]);
  assert.throws(() => find(view.root, "Server"));
  center.focus();
  key(center, "ArrowRight");
  assert.equal(document.activeElement, sip);
  find(view.root, "Server");
  assert.throws(() => find(view.root, "Account"));
  find(view.root, "Sign in");
  key(sip, "ArrowLeft");
  find(view.root, "Account");
});

test("a SIP account is asked with what was typed, once, and keeps it through a refusal", () => {
  const { said, send } = ear();
  const view = mount(signInView(send));
  view.show(out(), page());
  find(view.root, "SIP account").click();
  const server = find(view.root, "Server"), user = find(view.root, "Extension"), password = find(view.root, "Password");
  find(view.root, "Sign in").click();
  assert.deepEqual([said, document.activeElement], [[], server], "nothing is asked of empty fields");
  server.value = " pbx.example.com:5061 ";
  user.value = "2001";
  password.value = " two words ";
  find(view.root, "Transport").value = "tls";
  find(view.root, "Encryption").value = "required";
  find(view.root, "Authentication name").value = "u2001";
  find(view.root, "Display name").value = "Sato Hanako";
  find(view.root, "Send voice keys even without TLS").click();
  find(view.root, "Sign in").click();
  const asked = { server: "pbx.example.com:5061", user: "2001", password: " two words ", authUser: "u2001", display: "Sato Hanako", domain: "", transport: "tls", voice: "required", keysInClear: true };
  assert.deepEqual(said, [["signin.sip", asked]]);
  const { password: _, ...form } = asked;
  view.show(out({ phase: "checking", sip: form }), page());
  find(view.root, "Sign in").click();
  assert.equal(said.length, 1, "one question at a time");
  assert.equal(find(view.root, "Sign in").getAttribute("aria-disabled"), "true");
  view.show(out({ sip: form, problem: { code: "sip.refused", holes: { code: "403", reason: "Forbidden" } } }), page());
  assert.match(view.root.querySelector("form:not([hidden]) [role=alert]").textContent, /refuses this terminal \(403 Forbidden\)/);
  assert.deepEqual([server.value.trim(), user.value, password.value], ["pbx.example.com:5061", "2001", " two words "]);
  assert.equal(find(view.root, "Send voice keys even without TLS").checked, true);
  find(view.root, "Show").click();
  assert.equal(password.type, "text");
});

test("a field that cannot be used is named, marked and found", () => {
  for (const [lang, label, words] of [["en", "Domain", /^Domain cannot be used as typed/], ["ja", "ドメイン", /^ドメイン はこのままでは使えません/]]) {
    speak(lang);
    const view = mount(signInView(ear().send));
    view.show(out({ centerless: true }), page());
    const domain = find(view.root, label), more = domain.closest("details");
    assert.equal(more.open, false);
    view.show(out({ centerless: true, problem: { code: "sip.form", holes: { field: "domain" } } }), page());
    assert.deepEqual([more.open, document.activeElement === domain, domain.getAttribute("aria-invalid")], [true, true, "true"]);
    assert.match(document.getElementById(domain.getAttribute("aria-describedby")).textContent, words);
    const near = domain.closest(".field").querySelector(".field-problem");
    assert.ok(near.textContent, "and beside its label for those who look");
    view.show(out({ centerless: true }), page());
    assert.deepEqual([domain.hasAttribute("aria-invalid"), near.isConnected], [false, false]);
    const late = mount(signInView(ear().send));
    late.show(out({ centerless: true, sip: kept, problem: { code: "sip.form", holes: { field: "server" } } }), page());
    assert.equal(document.activeElement, late.root.querySelector("#sip-server"), "a page opened now begins there too");
  }
});

test("a problem of one way is not said at the other", () => {
  const view = mount(signInView(ear().send));
  view.show(out({ account: "sato", problem: { code: "signin.refused" } }), page());
  find(view.root, "SIP account").click();
  const words = () => view.root.querySelector("form:not([hidden]) [role=alert]").textContent;
  assert.equal(words(), "");
  view.show(out({ account: "sato", problem: { code: "sip.unreachable", holes: { server: "pbx" } } }), page());
  assert.match(words(), /pbx does not answer/);
  find(view.root, "Center account").click();
  assert.equal(words(), "");
  const fresh = mount(signInView(ear().send));
  fresh.show(out({ account: "sato", problem: { code: "sip.unreachable", holes: { server: "pbx" } } }), page());
  assert.ok(find(fresh.root, "Server"), "a page opened now shows where it went wrong");
});

test("without a center there is only the SIP account, filled as it was left", () => {
  const view = mount(signInView(ear().send));
  view.show(out({ centerless: true, sip: kept }), page());
  assert.throws(() => find(view.root, "Center account"));
  assert.equal(find(view.root, "Server").value, "pbx.example.com");
  assert.equal(find(view.root, "Transport").value, "tls");
  assert.equal(find(view.root, "Encryption").value, "required");
  assert.equal(find(view.root, "Authentication name").closest("details").open, true, "what is filled is seen");
  assert.equal(document.activeElement, find(view.root, "Password"), "the one thing missing");
  assert.match(view.root.textContent, /To join a center/);
  find(view.root, "Server").value = "half typed";
  find(view.root, "Server").focus();
  view.show(out({ centerless: true, sip: { ...kept, server: "other" } }), page());
  assert.equal(find(view.root, "Server").value, "half typed", "nobody writes where one types");
});

test("who signed in without a center sees the server and no center's facts", () => {
  const head = mount(identityView()), ready = readyView(() => {});
  const local = snapshot({ local: true, center: { name: "", url: "", online: false }, line: { ...snapshot().line, server: "pbx.example.com" }, seat: "", seatName: "" });
  head.show(local, page());
  assert.match(head.root.textContent, /pbx\.example\.com/);
  assert.doesNotMatch(head.root.textContent, /Not seated/);
  mount(ready).show(local, page());
  assert.equal([...ready.root.querySelectorAll(".fact:not([hidden])")].length, 2);
});

const people = [{ name: "スズキ イチロー", number: "2002", watch: true }, { name: "Yamada", number: "0312345678" }, { name: "鈴木(すずき)", number: "2003", watch: true }];

test("the phonebook tells who is free by sign and word, and calls", () => {
  const { said, send } = ear();
  const view = mount(contactsView(send));
  view.show(snapshot({ local: true }), page());
  assert.match(view.root.textContent, /No contacts yet/);
  const lamps = (state) => snapshot({ contacts: people, lamps: [{ number: "2002", state }] });
  const row = (n) => view.root.querySelectorAll("li")[n];
  for (const [state, words, colour] of [["idle", "●\ufe0eFree", "green"], ["ringing", "♪\ufe0eRinging", "amber"], ["busy", "☎\ufe0eOn a call", "red"], ["unknown", "·\ufe0eUnknown", "grey"]]) {
    view.show(lamps(state), page());
    assert.deepEqual([row(0).querySelector(".lamp").textContent, row(0).querySelector(".lamp").dataset.colour], [words, colour]);
  }
  assert.equal(row(1).querySelector(".lamp").textContent, "", "not watched");
  assert.match(row(2).querySelector(".lamp").textContent, /Unknown/, "watched, and nothing heard yet");
  const button = find(view.root, "Call Yamada");
  button.focus();
  view.show(lamps("busy"), page());
  assert.equal(document.activeElement, button);
  button.click();
  assert.deepEqual(said, [["call.dial", { number: "0312345678" }]]);
});

test("the phonebook is searched in any kana, width and case, and by digits", () => {
  const view = mount(contactsView(ear().send));
  view.show(snapshot({ contacts: people }), page());
  const search = find(view.root, "Search");
  for (const [typed, want] of [["すずき", ["2002", "2003"]], ["ｽｽﾞｷ", ["2002", "2003"]], ["YAMA", ["0312345678"]], ["03-12", ["0312345678"]], ["鈴木", ["2003"]], ["x", []], ["", ["2002", "0312345678", "2003"]]]) {
    search.value = typed;
    search.dispatchEvent(new window.Event("input"));
    assert.deepEqual([...view.root.querySelectorAll("li")].map((l) => people.find((p) => l.textContent.includes(p.number)).number), want, typed);
    assert.equal(view.root.querySelector(".empty").hidden, want.length > 0);
  }
});

test("a contact is added, changed and removed", () => {
  const { said, send } = ear();
  const view = mount(contactsView(send));
  view.show(snapshot({ contacts: people }), page());
  find(view.root, "Add a contact").click();
  const dialog = view.root.querySelector("dialog");
  assert.equal(dialog.open, true);
  assert.equal(nameOf(document.activeElement), "Name");
  find(dialog, "Save").click();
  assert.deepEqual([dialog.open, said], [true, []], "nothing is kept of empty fields");
  find(dialog, "Name").value = " Mori ";
  find(dialog, "Telephone number").value = "０３－１１１１";
  find(dialog, "Show whether the extension is busy").click();
  assert.throws(() => find(dialog, "Remove"));
  find(dialog, "Save").click();
  assert.equal(dialog.open, false);
  find(view.root, "Change Yamada").click();
  assert.deepEqual([find(dialog, "Name").value, find(dialog, "Telephone number").value], ["Yamada", "0312345678"]);
  find(dialog, "Telephone number").value = "0399";
  find(dialog, "Save").click();
  find(view.root, "Change Yamada").click();
  find(dialog, "Cancel").click();
  find(view.root, "Change Yamada").click();
  find(dialog, "Remove").click();
  assert.deepEqual(said, [
    ["contact.save", { name: "Mori", number: "031111", watch: true }], ["contact.save", { name: "Yamada", number: "0399", watch: false }],
    ["contact.remove", { number: "0312345678" }], ["contact.remove", { number: "0312345678" }],
  ]);
});
