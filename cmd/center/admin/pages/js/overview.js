// @ts-check
import { each, h, put } from "../../js/dom.js";
import { at, clean, span, t, word } from "../../js/text.js";
import { ask, get } from "./api.js";
import { healthCard } from "./health.js";
import { logCard } from "./log.js";
import { copyable, title } from "./shell.js";
import { badge } from "./statuses.js";

const EVERY = 3000; // ms
const LOG_EVERY = 10; // of those

/** The center as it is, and it goes on. @param {(f: () => void) => void} end @param {any} me */
export async function overviewPage(end, me) {
  let o = await get("/overview?brief=1");
  const trouble = h("p", { role: "status", className: "banner", hidden: true });
  const tiles = h("dl", { className: "tiles" });
  const chips = h("ul", { className: "chips", "aria-label": t("admin.people_now") });
  const calls = h("tbody"), seats = h("tbody");
  const noCalls = h("p", { className: "quiet-text" }, t("admin.no_calls")), callsTable = table("admin.calls_now", calls, "admin.col.from", "admin.col.to", "admin.col.queue", "admin.col.agent", "admin.col.length");
  const seatsTable = table("admin.seats_now", seats, "admin.col.seat", "admin.col.agent", "admin.col.extension", "admin.col.status", "admin.col.for", "admin.col.hand");
  const noSeats = h("p", { className: "quiet-text" }, t("admin.nobody_sits"));
  const cutSeats = h("p", { className: "quiet-text" });
  const kept = { tiles: new Map(), chips: new Map(), calls: new Map(), seats: new Map() };
  const def = (/** @type {string} */ id) => o.statuses.find((/** @type {any} */ d) => d.id === id) ?? { name: { en: id }, colour: "grey", sign: "?" };

  function paint() {
    const c = o.count;
    each(tiles, kept.tiles, [["signed_in", c.signedIn, c.accounts], ["seats", c.taken, c.seats], ["registered", c.registered, c.terminals], ["calls", c.calls, null]], (x) => String(x[0]), (x) => {
      const n = h("dd");
      return { root: h("div", {}, h("dt", {}, t("admin.tile." + x[0])), n), n };
    }, (v, x) => put(v.n, x[2] === null ? String(x[1]) : `${x[1]} / ${x[2]}`));
    each(chips, kept.chips, Object.entries(c.status).sort(), (x) => String(x[0]), (x) => {
      const n = h("b");
      const d = def(x[0]);
      return { root: h("li", { "data-colour": d.colour }, badge(d), word(d.name), " ", n), n };
    }, (v, x) => put(v.n, String(x[1])));
    const now = Date.parse(o.at);
    each(calls, kept.calls, o.calls, (x) => x.id, () => line(5), (v, x) =>
      v.show(clean(x.from + " " + (x.name ?? "")), clean(x.to), clean(x.queue), clean(x.callee || x.account), span(now - at(x.began))));
    const taken = o.seats.filter((/** @type {any} */ s) => s.account);
    each(seats, kept.seats, taken, (x) => x.id, (s) => handLine(s, paintAgain), (v, s) => {
      v.show(clean(s.name), clean(s.agent), clean(s.extension), def(s.status).sign + " " + word(def(s.status).name), span(now - at(s.since)));
      v.root.children[3].setAttribute("data-colour", def(s.status).colour);
      v.hand(s, now);
    });
    callsTable.hidden = !o.calls.length;
    noCalls.hidden = !!o.calls.length;
    seatsTable.hidden = !taken.length;
    noSeats.hidden = !!taken.length;
    put(cutSeats, c.taken > taken.length ? t("admin.count_cut", { n: c.taken, most: taken.length }) : "");
    cutSeats.hidden = c.taken <= taken.length;
  }

  async function paintAgain() {
    o = await get("/overview?brief=1");
    paint();
  }

  const log = logCard(), health = me.role === "administrator" ? healthCard() : null;
  let n = 0;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      if (++n % LOG_EVERY === 0) await Promise.all([log.show(), health?.show()]);
      o = await get("/overview?brief=1");
      trouble.hidden = true;
      paint();
    } catch (err) {
      put(trouble, /** @type {Error} */ (err).message);
      trouble.hidden = false;
    }
  }, EVERY);
  end(() => clearInterval(timer));
  paint();
  await Promise.allSettled([log.show(), health?.show()]); // the rest is worth showing without them
  return [title(t("admin.nav.overview")), trouble, tiles, chips, ...(health ? [health.root] : []),
    h("section", { className: "card" }, h("h2", {}, t("admin.calls_now")), callsTable, noCalls),
    h("section", { className: "card" }, h("h2", {}, t("admin.seats_now")), seatsTable, cutSeats, noSeats),
    h("section", { className: "card" }, h("h2", {}, t("admin.join")), h("p", { className: "hint" }, t("admin.join_hint")), copyable(o.join, t("admin.join")),
      h("p", { className: "quiet-text" }, `SIP ${o.sip} · ${o.domain} · ${o.version}`)), log.root];
}

/** @param {string} name @param {Element} body @param {...string} heads */
function table(name, body, ...heads) {
  return h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t(name) }, h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((k) => h("th", { scope: "col" }, t(k))))), body));
}

/** A taken seat; with its raised hand, which can be lowered. @param {any} seat @param {() => Promise<void>} again */
function handLine(seat, again) {
  const row = line(5), since = h("span");
  let who = seat;
  const lower = h("button", { type: "button", className: "small", onclick: async () => {
    lower.disabled = true;
    try {
      await ask("POST", `/agents/${encodeURIComponent(who.account)}/hand`, { on: false });
      await again();
    } catch (err) {
      put(since, /** @type {Error} */ (err).message);
    }
    lower.disabled = false;
  } }, t("admin.hand_lower"));
  const cell = h("td", { className: "hand" }, since, lower);
  row.root.append(cell);
  return { ...row, hand(/** @type {any} */ s, /** @type {number} */ now) {
    who = s;
    lower.hidden = !s.hand;
    lower.setAttribute("aria-label", t("admin.hand_lower_of", { name: clean(s.agent) }));
    put(since, s.hand ? t("admin.hand_up", { time: span(now - at(s.hand)) }) : "");
  } };
}

/** @param {number} n */
function line(n) {
  const cells = Array.from({ length: n }, (_, i) => (i ? h("td") : h("th", { scope: "row" })));
  return { root: h("tr", {}, ...cells), show: (/** @type {string[]} */ ...texts) => texts.forEach((x, i) => put(cells[i], x)) };
}
