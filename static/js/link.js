// @ts-check
// The page's one connection to the phone's process. Losing it loses nothing: the next snapshot is whole.

/** @typedef {{ type: string, op?: string, body?: any }} Envelope */

const SHORTEST = 200;
const LONGEST = 2000;

/**
 * Trades the secret of the address for a session cookie and takes it out of the address and the history. The answer is the phone as it is
 * now, so that there is something to draw while the connection is made. Without a secret an earlier session may still be good.
 * @param {Promise<Envelope | undefined>} [told] the phone as it came with the page: whoever was told it has a session
 * @returns {Promise<{ open: boolean, word?: Promise<Envelope | undefined> }>} whether there is a session
 */
export async function openSession(told) {
  const token = location.hash.slice(1);
  if (token) history.replaceState(null, "", location.pathname + location.search);
  const asked = token ? post("/session", { token, show: true }).catch(() => undefined) : undefined;
  if (await told) return { open: true, word: told };
  const answer = await asked;
  return answer?.ok ? { open: true, word: answer.json().catch(() => undefined) } : { open: await known() };
}

/** Whether this browser has a session; true too when the phone does not answer just now, for then nobody knows. */
async function known() {
  const answer = await fetch("/session/check", { cache: "no-store" }).catch(() => undefined);
  return answer?.status !== 401;
}

/**
 * @param {string} path
 * @param {object} body
 */
const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/**
 * Posts and reads the answer; an answer that is not OK is an error.
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
export async function request(path, body) {
  const answer = await post(path, body);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/**
 * Posts and reads the answer; the error of one that is not OK has its problem if it tells one.
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
export async function ask(path, body) {
  return (await told(path, await post(path, body))).json();
}

/**
 * Reads what the phone answers to that path. The error of an answer that is not OK has its status, and its problem if it tells one.
 * @param {string} path
 * @returns {Promise<any>}
 */
export const read = async (path) => (await get(path)).json();

/** The same as it came. @param {string} path @returns {Promise<Blob>} */
export const readBlob = async (path) => (await get(path)).blob();

/** @param {string} path */
const get = async (path) => told(path, await fetch(path, { cache: "no-store" }));

/** @param {string} path @param {Response} answer */
async function told(path, answer) {
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => undefined);
  throw Object.assign(new Error(`${path}: ${answer.status}`), { status: answer.status, problem: typeof said?.code === "string" ? said : undefined });
}

/**
 * This tab's own name, kept over a reload. A duplicated tab inherits it; the lock tells, and it takes a new one.
 * @returns {Promise<string>}
 */
export async function pageName() {
  const kept = sessionStorage.getItem("zaseki.page");
  if (kept && (await holds(kept))) return kept;
  const fresh = crypto.randomUUID();
  void holds(fresh); // nobody else can have it
  sessionStorage.setItem("zaseki.page", fresh);
  return fresh;
}

/**
 * @param {string} name
 * @returns {Promise<boolean>}
 */
function holds(name) {
  return new Promise((resolve) => {
    navigator.locks.request(`zaseki.page.${name}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {}); // until the page goes
    });
  });
}

/** Who listens: hear gets every message, linked the ups and downs, ended the end of the session. @typedef {{ hear(e: Envelope): void, linked(up: boolean): void, ended(): void }} Listener */

/**
 * Stays connected. What comes before somebody listens is kept for them.
 * @param {string} page
 */
export function connect(page) {
  /** @type {((to: Listener) => void)[]} */
  const early = [];
  /** @type {Listener} */
  let on = { hear: (e) => early.push((to) => to.hear(e)), linked: (up) => early.push((to) => to.linked(up)), ended: () => early.push((to) => to.ended()) };
  /** @type {WebSocket | undefined} */
  let socket;
  /** What is said before there is a connection; undefined when the first is there, or failed. @type {string[] | undefined} */
  let unsaid = [];
  let wait = SHORTEST;
  let over = false;

  function open() {
    const ws = new WebSocket(`ws://${location.host}/ws?page=${page}`);
    socket = ws;
    ws.onopen = () => {
      wait = SHORTEST;
      for (const text of unsaid ?? []) ws.send(text);
      unsaid = undefined;
      on.linked(true);
    };
    ws.onmessage = (e) => on.hear(JSON.parse(e.data));
    ws.onclose = () => {
      if (over) return;
      unsaid = undefined;
      on.linked(false);
      setTimeout(again, wait);
      wait = Math.min(LONGEST, wait * 1.6);
    };
  }
  async function again() {
    if (over) return;
    if (await known()) open();
    else close(), on.ended();
  }
  function close() {
    over = true;
    socket?.close();
  }
  open();

  return {
    close,
    /** @param {Listener} to */
    listen(to) {
      on = to;
      for (const tell of early) tell(to);
    },
    /**
     * Says something, the first words as soon as there is a connection. When that breaks they are lost, and the page shows it.
     * @param {string} type
     * @param {object} [body]
     */
    send(type, body = {}) {
      const text = JSON.stringify({ type, body });
      if (socket?.readyState === WebSocket.OPEN) socket.send(text);
      else unsaid?.push(text);
    },
  };
}
