// @ts-check

/** With whom a message is, as the center names it: u:ACCOUNT, g:GROUP, or "all". @param {import("./types").Message} m */
export const keyOf = (m) => (m.group ? `g:${m.group}` : !m.to ? "all" : `u:${m.mine ? m.to : m.from}`);
