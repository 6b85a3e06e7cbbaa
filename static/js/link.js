// @ts-check
// The page's one connection to the phone's process. Losing it loses nothing: the next snapshot is whole.

/** @typedef {{ type: string, op?: string, body?: any }} Envelope */

const SHORTEST = 200;
const LONGEST = 2000;

/**
 * Trades the secret of the address for a session cookie and takes it out of the address and the history.
 * Without a secret an earlier session may still be good.
 * @returns {Promise<boolean>} whether there is a session
 */
export async function openSession() {
  const token = location.hash.slice(1);
  if (!token) return known();
  history.replaceState(null, "", location.pathname + location.search);
  const answer = await post("/session", { token }).catch(() => undefined);
  return answer?.ok || known();
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
 * Reads what the phone answers to that path. The error of an answer that is not OK has its status.
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function read(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw Object.assign(new Error(`${path}: ${answer.status}`), { status: answer.status });
  return answer.json();
}

/**
 * This tab's own name, kept over a reload. A duplicated tab inherits it; the lock tells, and it takes a new one.
 * @returns {Promise<string>}
 */
export async function pageName() {
  const fresh = () => crypto.randomUUID();
  const name = sessionStorage.getItem("zaseki.page") ?? fresh();
  const mine = (await holds(name)) ? name : fresh();
  if (mine !== name) await holds(mine);
  sessionStorage.setItem("zaseki.page", mine);
  return mine;
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

/**
 * Stays connected. hear gets every message, linked the ups and downs, ended the end of the session.
 * @param {string} page
 * @param {{ hear(e: Envelope): void, linked(up: boolean): void, ended(): void }} on
 */
export function connect(page, on) {
  /** @type {WebSocket | undefined} */
  let socket;
  let wait = SHORTEST;
  let over = false;

  function open() {
    const ws = new WebSocket(`ws://${location.host}/ws?page=${page}`);
    socket = ws;
    ws.onopen = () => {
      wait = SHORTEST;
      on.linked(true);
    };
    ws.onmessage = (e) => on.hear(JSON.parse(e.data));
    ws.onclose = () => {
      if (over) return;
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
    /**
     * Says something; while the connection is down it is lost, and the page shows that it is down.
     * @param {string} type
     * @param {object} [body]
     */
    send(type, body = {}) {
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type, body }));
    },
  };
}
