// @ts-check
// What comes first, before anything is built: the session, the connection, the words.
import { connect, openSession, pageName } from "./link.js";
import { wearLast } from "./settings.js";
import { preferred, speak } from "./text.js";

/** When the page is read: a script that does not wait for its turn may be there first. */
const read = new Promise((done) => (document.readyState === "loading" ? addEventListener("DOMContentLoaded", done) : done(undefined)));

/** Whether there is a session, and the phone as it was when it let us in: that can be drawn before there is a connection. */
export const session = openSession(read.then(() => JSON.parse(document.querySelector("script#phone")?.textContent || "null") ?? undefined)); // first of all: the secret leaves the address
wearLast();

/** When the page can speak. */
export const words = read.then(() => speak(preferred()));

const named = pageName();

/** The connection and what this tab is called, once the browser has said that no other tab is called so; nothing without a session. */
export const linked = session.then(async ({ open }) => {
  if (!open) return undefined;
  const name = await named;
  return { name, link: connect(name) };
});
