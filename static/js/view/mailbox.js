// @ts-check
import { part } from "./part.js";

/** @typedef {import("../types").Floor} Floor */
/** @typedef {ReturnType<import("../later/messages.js").messagesView>} Whole */

/**
 * The mailbox, which is loaded when somebody first looks at it.
 * @param {import("../types").Send} send
 * @param {{ close(): void, people(): void, seen: Set<string>, notices?: Element }} io
 */
export function mailboxView(send, io) {
  /** @type {Whole | undefined} */
  let view;
  /** @type {Floor | undefined} */
  let floor;
  let looked = false;
  const whole = part(async () => {
    const [{ messagesView }, { sheet }] = await Promise.all([import("../later/messages.js"), import("../later/sheet.js")]);
    await sheet("messages");
    view = messagesView(send, io);
    view.look(looked);
    if (floor) view.showFloor(floor);
    return view;
  }, () => false);
  return {
    ...whole,
    /** Somebody chooses to whom to write: those on the seats are to be known. */
    choosing: () => !!view?.choosing(),
    /** @param {boolean} on */
    look(on) {
      looked = on;
      if (on) void whole.open();
      view?.look(on);
    },
    /** @param {Floor} f */
    showFloor(f) {
      floor = f;
      view?.showFloor(f);
    },
    /** @param {{ account: string, name: string }} [to] nobody: where it was */
    write: (to) => void whole.open().then((v) => v?.write(to)),
  };
}
