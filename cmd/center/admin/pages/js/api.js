// @ts-check
// The center's API: every page asks here and nowhere else.
import { language, say, t } from "../../js/text.js";

export const BASE = "/api/v1/admin";

/** What the center refused: a problem with its words, faults by field. */
export class Refused extends Error {
  /** @param {number} status @param {any} answer */
  constructor(status, answer) {
    super(answer?.code ? say(answer) : answer?.error || t("admin.refused", { status }));
    this.status = status;
    this.code = answer?.code ?? "";
    /** @type {{list: string, row?: number, field: string, message: string}[]} */
    this.faults = answer?.faults ?? [];
  }
}

/**
 * @param {string} method
 * @param {string} path below /api/v1/admin, or a whole one
 * @param {any} [body]
 * @param {string} [rev] the revision it was decided on
 * @returns {Promise<any>}
 */
export async function ask(method, path, body, rev) {
  /** @type {Record<string, string>} */
  const headers = { "Accept-Language": language() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (rev) headers["If-Match"] = `"${rev}"`;
  let answer;
  try {
    answer = await fetch(path.startsWith("/api/") ? path : BASE + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused(0, { error: t("admin.unreachable") });
  }
  const text = await answer.text();
  /** @type {any} */
  let value = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    value = { error: text.slice(0, 200) };
  }
  if (answer.ok) return value;
  if (answer.status === 401 && !path.startsWith("/session")) dispatchEvent(new Event("signedout"));
  throw new Refused(answer.status, value);
}

export const get = (/** @type {string} */ path) => ask("GET", path);

/**
 * All rows of a kind of which there are few.
 * @param {string} kind
 * @returns {Promise<{id: string, rev: string, data: any}[]>}
 */
export const rowsOf = async (kind) => (await get("/" + kind)).rows;

/** Rows to choose from: [value, words], and whether there are more. @param {string} kind @param {string} text @param {number} most @returns {Promise<{ rows: [string, string][], more: boolean }>} */
export async function search(kind, text, most) {
  const found = await get(`/${kind}?${new URLSearchParams({ q: text, limit: String(most) })}`);
  return { more: !!found.next, rows: found.rows.map((/** @type {any} */ r) => [r.id, r.data.name && r.data.name !== r.id ? `${r.id} ${typeof r.data.name === "string" ? r.data.name : ""}`.trim() : r.id]) };
}

const FEW = 60;

/** The rows of a kind if they are few; of many the first ones. @param {string} kind */
export async function choices(kind) {
  try {
    return await search(kind, "", kind === "accounts" || kind === "terminals" ? FEW : 1000);
  } catch {
    return { more: false, rows: [] }; // a supervisor may not read everything
  }
}
