// @ts-check
// The customer system's tab: one, used again for every call (PRODUCT A15).

/** @typedef {import("./types").Snapshot} Snapshot */

const NAME = "zaseki-crm";

/**
 * Shows the addresses that belong on the screen, in one tab. The tab is opened when an address comes while a click still counts (the one
 * on Sign in, on Answer): a browser opens none otherwise, and the phone opens its page itself when no page says that it did.
 * @param {import("./types").Send} send
 */
export function createCrm(send) {
  /** @type {Window | null | undefined} */
  let tab;
  let shown = "";

  /** @param {string} url @returns {boolean} whether the tab shows it */
  function show(url) {
    if (!/^https?:\/\//i.test(url)) return false;
    if (tab && tab.closed) tab = undefined; // or its page has cut the connection (Cross-Origin-Opener-Policy)
    if (!tab && !navigator.userActivation?.isActive) return false;
    tab ??= open();
    try {
      if (tab) tab.location.href = url;
    } catch {
      tab = undefined; // this browser does not let us steer it
    }
    return !!tab;
  }
  return {
    /** @param {Snapshot} snap @param {boolean} owner one page shows them: the one that has the sound */
    show(snap, owner) {
      const pop = snap.pop;
      if (!pop || pop.id === shown || !owner) return;
      shown = pop.id;
      if (show(pop.url)) send("crm.shown", { id: pop.id });
    },
  };
}

/**
 * A new tab that cannot reach this page. Where the browser lets us steer a tab whose opener is cut, it is cut. Chromium does not: there the
 * opener is an empty frame without scripts, which no foreign page can be loaded into (our content policy), and through which none can be
 * steered.
 * @returns {Window | null}
 */
function open() {
  if (!("userAgentData" in navigator)) {
    const tab = window.open("about:blank", NAME);
    if (tab) tab.opener = null;
    return tab;
  }
  document.querySelector(`iframe[title="${NAME}"]`)?.remove(); // of a tab that is gone
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = NAME;
  frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
  document.body.append(frame);
  return frame.contentWindow?.open("about:blank", NAME) ?? null;
}
