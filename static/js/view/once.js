// @ts-check
import { h } from "../dom.js";
import { option, row, terminalName } from "../form.js";
import { clean, t, word } from "../text.js";

/** @typedef {import("../types").Choice} Choice */
/** @typedef {import("../types").Snapshot} Snapshot */

/**
 * Terminal, status and seat on the form of one step (PRODUCT A4). What they offer is what this machine saw at its last sign-in, so that
 * nothing is told to whoever has not signed in; a terminal or seat that is not among it may be typed.
 */
export function onceFields() {
  const terminals = h("datalist", { id: "once-terminals" }), seats = h("datalist", { id: "once-seats" });
  const terminal = h("input", { id: "once-terminal", name: "terminal", autocomplete: "off", spellcheck: false, maxLength: 64 });
  const seat = h("input", { id: "once-seat", name: "seat", autocomplete: "off", spellcheck: false, maxLength: 64, placeholder: t("signin.seat.none") });
  terminal.setAttribute("list", terminals.id);
  seat.setAttribute("list", seats.id);
  const status = h("select", { id: "once-status", name: "status" });
  const root = h("div", { className: "once", hidden: true }, row(t("signin.terminal"), terminal), terminals, row(t("signin.status"), status), row(t("signin.seat"), seat), seats);
  let built = "";
  return {
    root,
    values: () => ({ terminal: terminal.value.trim(), status: status.value, seat: seat.value.trim() === t("signin.seat.none") ? "" : seat.value.trim() }),
    /** @param {Snapshot} snap */
    show(snap) {
      root.hidden = !snap.once;
      if (snap.phase === "in") return void (built = ""); // the next sign-in begins with what is offered, not with what was chosen (PRODUCT A7)
      const key = snap.once ? JSON.stringify(snap.once) : "";
      if (!snap.once || key === built) return;
      built = key;
      const c = snap.once, of = (/** @type {string} */ value, /** @type {string} */ label) => h("option", { value, label });
      terminals.replaceChildren(...(c.terminals ?? []).map((x) => of(clean(x.extension), terminalName(x))));
      seats.replaceChildren(of(t("signin.seat.none"), ""), ...(c.seats ?? []).map((s) => of(clean(s.name), clean(s.floor))));
      status.replaceChildren(...(c.statuses ?? []).map((x) => option(x.id, word(x.name))));
      terminal.value = clean((c.terminals ?? []).find((x) => x.id === c.terminal)?.extension);
      seat.value = clean((c.seats ?? []).find((s) => s.id === c.seat)?.name);
      status.value = c.status;
      if (status.selectedIndex < 0) status.selectedIndex = 0;
    },
  };
}
