// @ts-check
import { part } from "./part.js";

/** Whom a supervisor attends: loaded when there is somebody. @param {import("../types").Send} send */
export const attendedView = (send) => part(async () => {
  const [{ supervisedView }, { sheet }] = await Promise.all([import("../later/supervised.js"), import("../later/sheet.js")]);
  await sheet("attend");
  return supervisedView(send);
}, (snap) => !!snap.supervised);
