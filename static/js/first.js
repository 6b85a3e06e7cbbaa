// @ts-check
// What comes first, while the browser still reads the rest of the page: the session, the connection, the words.
import { connect, openSession, pageName } from "./link.js";
import { wearLast } from "./settings.js";
import { preferred, speak } from "./text.js";

const session = openSession(); // first of all: the secret leaves the address
wearLast();

/** When the page can speak. */
export const words = speak(preferred());

const named = pageName();

/** The connection, what this tab is called, and the phone as it was when it let us in; nothing without a session. */
export const linked = session.then(async ({ open, word }) => {
  if (!open) return undefined;
  const name = await named;
  return { name, link: connect(name), word };
});
