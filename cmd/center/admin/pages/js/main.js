// @ts-check
import { h, put } from "../../js/dom.js";
import { clean, setWords, t } from "../../js/text.js";
import { ask, get, Refused } from "./api.js";
import { auditPage } from "./audit.js";
import { editPage, listPage } from "./crud.js";
import { floorPage } from "./floor.js";
import { warningsPage } from "./health.js";
import { specs } from "./kinds.js";
import { overviewPage } from "./overview.js";
import { importPage } from "./phonebook.js";
import { reportsPage } from "./reports.js";
import { guard, go, link, title } from "./shell.js";
import { signInPage } from "./signin.js";
import { sitePage } from "./site.js";
import { statusList } from "./statuses.js";
import { versionsPage } from "./versions.js";
import { wizardPage } from "./wizard.js";

const lang = document.documentElement.lang === "ja" ? "ja" : "en";
/** The pages in their groups; those of a supervisor among them. */
const NAV = { now: ["overview", "reports"], people: ["accounts", "groups", "policies"], calls: ["terminals", "queues", "calendars", "contacts", "outcomes", "pbxs"], seats: ["statuses", "floors"], center: ["site", "versions", "audit", "warnings"] };
const STAFF = ["overview", "accounts", "groups", "terminals", "queues", "calendars", "contacts", "outcomes", "statuses", "floors", "reports"];

const center = h("span", { className: "brand" });
const who = h("span", { className: "who" });
const nav = h("nav", { "aria-label": t("admin.nav") });
const menu = h("button", { type: "button", className: "menu-button", "aria-expanded": "false", "aria-controls": "nav" });
const out = h("button", { type: "button", hidden: true });
const other = h("a", { className: "tab", lang: lang === "ja" ? "en" : "ja" }, lang === "ja" ? "English" : "日本語");
const main = h("main", { id: "main" });
const frame = h("div", { className: "frame" }, nav, main);
const skip = h("a", { className: "skip", href: "#main" });
nav.id = "nav";

/** @type {any} */
let me = null;
/** @type {() => void} ends what the page before did by itself */
let leave = () => {};

async function start() {
  const parts = await Promise.all(["", "admin-"].map(async (part) => (await fetch(`/static/i18n/${part}${lang}.json`)).json()));
  setWords(lang, Object.assign({}, ...parts));
  put(skip, t("admin.skip"));
  put(menu, t("admin.menu"));
  put(out, t("admin.signout"));
  nav.setAttribute("aria-label", t("admin.nav"));
  document.body.append(skip, h("header", { className: "top" }, h("img", { src: "/static/icons/zaseki.svg", alt: "" }), center, menu, h("span", { className: "space" }), who, other, out), frame);
  menu.addEventListener("click", () => open(menu.getAttribute("aria-expanded") !== "true"));
  other.addEventListener("click", () => {
    const u = new URL(location.href);
    u.searchParams.set("lang", lang === "ja" ? "en" : "ja");
    other.href = u.href;
  });
  other.href = "?lang=" + (lang === "ja" ? "en" : "ja");
  out.addEventListener("click", async () => {
    await ask("DELETE", "/session").catch(() => {});
    signedOut();
  });
  try {
    me = await get("/session");
  } catch {
    me = null;
  }
  addEventListener("moved", show);
  addEventListener("signedout", signedOut);
  show();
}

/** @param {boolean} on */
function open(on) {
  menu.setAttribute("aria-expanded", String(on));
  nav.toggleAttribute("data-open", on);
}

function signedOut() {
  guard(() => false);
  me = null;
  show();
}

/** @param {any} person */
function entered(person) {
  me = person;
  if (me.fresh && me.role === "administrator") go("/admin/setup");
  else show();
}

async function show() {
  leave();
  leave = () => {};
  guard(() => false);
  open(false);
  const [, page = "overview", id = ""] = location.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  put(center, clean(me?.center) || document.title.split(" – ")[0]);
  put(who, clean(me?.name ?? ""));
  out.hidden = !me;
  nav.hidden = menu.hidden = !me;
  frame.toggleAttribute("data-bare", !me);
  if (me) drawNav(page);
  try {
    const content = me ? await contentOf(page, id) : await signInPage(entered);
    main.replaceChildren(...content);
  } catch (err) {
    main.replaceChildren(title(t("admin.trouble")), h("p", { role: "alert", className: "banner" }, err instanceof Refused ? err.message : String(err)));
    if (!(err instanceof Refused)) throw err;
  }
  const heading = main.querySelector("h1");
  document.title = [heading?.textContent, clean(me?.center)].filter(Boolean).join(" – ") || document.title;
  if (me) heading?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** @param {string} page */
function drawNav(page) {
  const item = (/** @type {string} */ p) => {
    const a = link(p === "overview" ? "/" : "/admin/" + p, t("admin.nav." + p));
    if (p === page) a.setAttribute("aria-current", "page");
    return h("li", {}, a);
  };
  const admin = me.role === "administrator";
  const groups = Object.entries(NAV).map(([name, all]) => /** @type {const} */ ([name, all.filter((p) => admin || STAFF.includes(p))]));
  nav.replaceChildren(...(admin && me.fresh ? [h("ul", {}, item("setup"))] : []),
    ...groups.filter(([, all]) => all.length).map(([name, all]) => h("div", { className: "nav-group" }, h("p", { id: "nav-" + name }, t("admin.nav_group." + name)), h("ul", { "aria-labelledby": "nav-" + name }, ...all.map(item)))));
}

/** @param {string} page @param {string} id @returns {Promise<(Node | string)[]>} */
async function contentOf(page, id) {
  const end = (/** @type {() => void} */ f) => (leave = f);
  switch (page) {
    case "overview":
      return overviewPage(end, me);
    case "setup":
      return wizardPage((fresh) => (me.fresh = fresh));
    case "site":
      return sitePage();
    case "versions":
      return versionsPage();
    case "audit":
      return auditPage();
    case "warnings":
      return warningsPage();
    case "reports":
      return reportsPage(id, end);
    case "floors":
      if (id && id !== "+") return floorPage(id, me);
      break;
    case "contacts":
      if (id === "import" && me.book) return importPage();
      break;
    case "statuses":
      if (!id) return statusList(specs.statuses, me);
  }
  const spec = specs[page];
  if (!spec) return [title(t("admin.no_page")), link("/", t("admin.nav.overview"))];
  return id ? editPage(spec, me, id) : listPage(spec, me);
}

start();
