import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ear, find, page, snapshot, speak, texts } from "./page.js";
import { seatsView } from "../js/later/seats.js";
import { signInView } from "../js/view/signin.js";

beforeEach(() => speak("en"));

const STATUSES = snapshot().statuses;

function form(snap) {
  const { said, send } = ear();
  const view = signInView(send, async () => ({}));
  document.body.replaceChildren(view.root);
  const show = (more) => view.show(snapshot({ phase: "out", me: undefined, ...more }), page());
  show(snap);
  return { root: view.root, said, show, view };
}

test("an account is kept only where it can be, and only when it is ticked", () => {
  const d = form({ saved: { can: false } });
  assert.throws(() => find(d.root, "Save"));
  find(d.root, "Account").value = "sato";
  find(d.root, "Password").value = "secret";
  find(d.root, "Sign in").click();
  assert.deepEqual(d.said.pop(), ["account.check", { account: "sato", password: "secret", keep: false }]);
  d.show({ saved: { can: true } });
  assert.equal(find(d.root, "Save").checked, false, "nobody is kept unasked");
  find(d.root, "Save").click();
  d.show({ saved: { can: true } });
  find(d.root, "Sign in").click();
  assert.equal(d.said.pop()[1].keep, true);
  assert.equal(find(form({ saved: { can: true, account: "sato" } }).root, "Save").checked, true, "as it was the last time");
});

test("the oldest generation asks for everything at once, from what this machine saw at its last sign-in", () => {
  const once = { center: "Tokyo", name: "", terminals: [{ id: "t1", extension: "2001", type: "softphone" }], statuses: STATUSES.filter((s) => s.pickable), seats: [{ id: "s2", name: "A-2", floor: "1F" }],
    seatView: false, terminal: "t1", status: "break", seat: "s2", profile: {} };
  const d = form({ once, saved: { can: true } });
  assert.deepEqual([find(d.root, "Terminal").value, find(d.root, "Status").value, find(d.root, "Seat").value], ["2001", "break", "A-2"], "the seat too, without a seat view (A9)");
  find(d.root, "Account").value = "sato";
  find(d.root, "Password").value = "secret";
  find(d.root, "Terminal").value = " 2002 ";
  find(d.root, "Seat").value = texts("en")["signin.seat.none"];
  d.show({ once, saved: { can: true } });
  find(d.root, "Sign in").click();
  assert.deepEqual(d.said.pop(), ["signin.once", { account: "sato", password: "secret", keep: false, terminal: "2002", status: "break", seat: "" }]);
});

test("a sign-in that goes on by itself says as whom, why it waits, and lets one out", () => {
  const d = form({ auto: {}, phase: "checking", saved: { can: true, account: "sa<b>to" } });
  assert.match(d.root.textContent, /Signing in as sa<b>to/);
  assert.throws(() => find(d.root, "Password"));
  d.show({ auto: { again: new Date(Date.now() + 4500).toISOString() }, problem: { code: "center.offline" }, saved: { can: true, account: "sato" } });
  assert.match(d.root.textContent, /Next try in 5 s\./);
  assert.ok(d.root.textContent.includes(texts("en")["problem.center.offline"]));
  d.view.tick(Date.now() + 2000);
  assert.match(d.root.textContent, /Next try in 3 s\./);
  find(d.root, "Cancel and sign in by hand").click();
  assert.deepEqual(d.said.pop(), ["signin.back", {}]);
  d.show({ saved: { can: true } });
  find(d.root, "Password");
});

test("only the floor that is looked at is watched", () => {
  const { said, send } = ear(), view = seatsView(send);
  document.body.replaceChildren(view.root);
  assert.deepEqual(view.wants(), { mine: true });
  const floors = [{ id: "1", name: "1F" }, { id: "2", name: "2F" }];
  const seat = (id, floor) => ({ id, name: id, floor, x: 0, y: 0 });
  view.showFloor({ rev: 1, floors, seats: [seat("b", "2")], statuses: [], mine: "b", only: "2", at: "" });
  assert.deepEqual([view.wants(), find(view.root, "2F").getAttribute("aria-selected")], [{ floor: "2" }, "true"]);
  find(view.root, "1F").click();
  assert.deepEqual(said.pop(), ["floor.watch", { on: true, floor: "1" }]);
  assert.equal(view.root.querySelector(".empty").hidden, false, "until it has come");
  view.showFloor({ rev: 2, floors, seats: [seat("a", "1")], statuses: [], mine: "b", only: "1", at: "" });
  assert.deepEqual([view.root.querySelector(".empty").hidden, view.root.querySelectorAll(".seat").length], [true, 1]);
});
