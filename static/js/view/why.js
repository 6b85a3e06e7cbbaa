// @ts-check
import { part } from "./part.js";

/** @typedef {import("../types").Why} Why */

/**
 * What happened to a call: loaded when somebody first asks.
 * @param {(path: string) => Promise<any>} read
 * @param {(call: string) => void} shown
 * @returns {import("../types").View & { open: Why }}
 */
export function laterWhy(read, shown) {
  const whole = part(async () => {
    const [{ whyView }, { sheet }] = await Promise.all([import("../later/why.js"), import("../later/sheet.js")]);
    await sheet("why");
    return whyView(read, shown);
  }, () => false);
  return { ...whole, open: (call) => void whole.open().then((v) => v?.open(call)) };
}
