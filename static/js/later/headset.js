// @ts-check
// Buttons and lights of headsets by WebHID: the telephony usages of the HID Usage Tables (§11 Telephony Device, §8 LED), which all makers
// share. What fails here never touches the sound.

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {{ report: number, bit: number, size: number, array?: boolean, usage: number, absolute: boolean, min: number }} Field */
/** @typedef {{ hook?: boolean, mute?: boolean }} Pressed */

/** Usages as page and id. */
const BUTTONS = { hook: 0x000b0020, mute: 0x000b002f };
const LIGHTS = { mute: 0x00080009, offHook: 0x00080017, ring: 0x00080018, hold: 0x00080020 };
/** How long a headset may repeat what it was told, in milliseconds. */
const ECHO = 400;

/**
 * Where the usages lie in the reports of one kind.
 * @param {any[]} collections as WebHID lists them
 * @param {"inputReports" | "outputReports"} kind
 * @param {Record<string, number>} wanted
 * @returns {Record<string, Field>}
 */
export function fieldsOf(collections, kind, wanted) {
  /** @type {Record<string, Field>} */
  const found = {};
  /** @type {Map<number, number>} Bits used up in each report */
  const used = new Map();
  const walk = (/** @type {any} */ c) => {
    for (const r of c[kind] ?? []) {
      let bit = used.get(r.reportId) ?? 0;
      for (const item of r.items ?? []) {
        const { reportSize: size = 0, reportCount: count = 0 } = item, usages = item.isRange ? range(item.usageMinimum, item.usageMaximum) : (item.usages ?? []);
        for (const [name, usage] of Object.entries(wanted)) {
          const at = item.isConstant ? -1 : usages.indexOf(usage);
          if (at < 0 || found[name]) continue;
          found[name] = { report: r.reportId, bit: bit + (item.isArray ? 0 : at * size), size, array: item.isArray, usage, absolute: item.isAbsolute !== false, min: at + (item.logicalMinimum ?? 0) };
        }
        bit += size * count;
      }
      used.set(r.reportId, bit);
    }
    for (const child of c.children ?? []) walk(child);
  };
  collections.forEach(walk);
  return found;
}

/** @param {number} from @param {number} to */
const range = (from, to) => Array.from({ length: Math.min(256, Math.max(0, to - from + 1)) }, (_, i) => from + i);

/** @param {DataView} data @param {number} bit @param {number} size up to 16 */
export function bits(data, bit, size) {
  let value = 0;
  for (let i = 0; i < Math.min(size, 16); i++) {
    const byte = (bit + i) >> 3;
    if (byte < data.byteLength) value |= ((data.getUint8(byte) >> ((bit + i) & 7)) & 1) << i;
  }
  return value;
}

/**
 * What a report says is pressed; undefined for what it does not speak of.
 * @param {Record<string, Field>} fields
 * @param {number} report
 * @param {DataView} data
 * @returns {Pressed}
 */
export function pressedIn(fields, report, data) {
  /** @type {Pressed} */
  const said = {};
  for (const name of /** @type {const} */ (["hook", "mute"])) {
    const f = fields[name];
    if (f?.report === report) said[name] = f.array ? bits(data, f.bit, f.size) === f.min : bits(data, f.bit, f.size) !== 0;
  }
  return said;
}

/** What the lights shall show. @param {Snapshot | undefined} snap */
export function lightsOf(snap) {
  const calls = snap?.phase === "in" ? (snap.calls ?? []) : [];
  return {
    offHook: calls.some((c) => ["talking", "held", "joining", "dialing", "alerted"].includes(c.phase)), ring: calls.some((c) => c.phase === "offered"),
    mute: !!snap?.muted && calls.some((c) => c.phase === "talking"), hold: calls.length > 0 && calls.every((c) => c.phase === "held"),
  };
}

/**
 * What a press means for the calls as they are: lifting answers what rings, putting down ends what is talked on.
 * @param {Snapshot} snap
 * @param {"lift" | "drop" | "mute"} press
 * @returns {[type: string, body: object] | undefined}
 */
export function meaning(snap, press) {
  const calls = snap.calls ?? [], rings = calls.find((c) => c.phase === "offered"), up = calls.find((c) => ["talking", "dialing", "alerted"].includes(c.phase)) ?? calls.find((c) => c.phase === "held");
  if (press === "mute") return up ? ["call.mute", { on: !snap.muted }] : undefined;
  if (press === "lift") return rings ? ["call.answer", { call: rings.id }] : undefined;
  return up ? ["call.hangup", { call: up.id }] : rings ? ["call.decline", { call: rings.id }] : undefined;
}

/**
 * One headset that was allowed and opened.
 * @param {any} device HIDDevice
 * @param {(press: "lift" | "drop" | "mute") => void} press
 */
export function openHeadset(device, press) {
  const buttons = fieldsOf(device.collections, "inputReports", BUTTONS), lights = fieldsOf(device.collections, "outputReports", LIGHTS);
  /** @type {Pressed} */
  let was = {};
  /** What the lights were told last, and when. */
  let told = "", at = 0;
  /** @param {{ reportId: number, data: DataView }} e */
  function heard(e) {
    const now = pressedIn(buttons, e.reportId, e.data), before = was;
    was = { ...was, ...now };
    if (now.mute && !before.mute) press("mute");
    if (now.hook === undefined || now.hook === !!before.hook || Date.now() - at < ECHO) return; // some repeat the light as a press
    if (now.hook || buttons.hook?.absolute) press(now.hook ? "lift" : "drop");
  }
  device.addEventListener("inputreport", heard);
  return {
    name: String(device.productName ?? ""),
    can: { hook: !!buttons.hook, mute: !!buttons.mute, ring: !!lights.ring, light: !!(lights.offHook ?? lights.mute) },
    /** Tells the lights, when something has changed. @param {Snapshot | undefined} snap */
    async show(snap) {
      const shall = lightsOf(snap), key = JSON.stringify(shall);
      if (key === told) return;
      told = key;
      at = Date.now();
      was = { ...was, hook: buttons.hook?.absolute ? shall.offHook : was.hook };
      /** @type {Map<number, Uint8Array>} */
      const reports = new Map();
      for (const [name, f] of Object.entries(lights)) {
        const bytes = reports.get(f.report) ?? new Uint8Array(lengthOf(device.collections, f.report));
        reports.set(f.report, bytes);
        if (shall[/** @type {keyof typeof shall} */ (name)]) bytes[f.bit >> 3] = (bytes[f.bit >> 3] ?? 0) | (1 << (f.bit & 7));
      }
      for (const [id, bytes] of reports) await device.sendReport(id, bytes).catch(() => {}); // it was unplugged
    },
    close() {
      device.removeEventListener("inputreport", heard);
      void device.close?.().catch?.(() => {});
    },
  };
}

/** Bytes of an output report. @param {any[]} collections @param {number} id */
function lengthOf(collections, id) {
  let all = 0;
  const walk = (/** @type {any} */ c) => {
    for (const r of c.outputReports ?? []) if (r.reportId === id) for (const i of r.items ?? []) all += (i.reportSize ?? 0) * (i.reportCount ?? 0);
    for (const child of c.children ?? []) walk(child);
  };
  collections.forEach(walk);
  return Math.max(1, Math.ceil(all / 8));
}

/**
 * All headsets that this browser was allowed: opened when they are plugged in, lit as the calls are.
 * @param {import("../types").Send} send
 * @param {any} hid navigator.hid
 * @param {() => void} changed
 */
export function createHeadsets(send, hid, changed) {
  /** @type {Map<any, ReturnType<typeof openHeadset>>} */
  const open = new Map();
  /** @type {Snapshot | undefined} */
  let last;
  const telephony = (/** @type {any} */ d) => (d.collections ?? []).some((/** @type {any} */ c) => c.usagePage === 0x0b);
  async function look() {
    for (const d of await hid.getDevices()) {
      if (open.has(d) || !telephony(d)) continue;
      try {
        if (!d.opened) await d.open();
      } catch {
        continue; // another program has it
      }
      const set = openHeadset(d, (press) => {
        const said = last && meaning(last, press);
        if (said) send(...said);
      });
      open.set(d, set);
      void set.show(last);
    }
    changed();
  }
  const gone = (/** @type {{ device: any }} */ e) => {
    open.get(e.device)?.close();
    open.delete(e.device);
    changed();
  };
  const come = () => void look();
  hid.addEventListener("connect", come);
  hid.addEventListener("disconnect", gone);
  void look();
  return {
    list: () => [...open.values()].map(({ name, can }) => ({ name, can })),
    /** Asks the person for one; wants a click. */
    async choose() {
      await hid.requestDevice({ filters: [{ usagePage: 0x0b }] });
      await look();
    },
    /** @param {Snapshot} snap */
    show(snap) {
      last = snap;
      for (const set of open.values()) void set.show(snap);
    },
    close() {
      hid.removeEventListener("connect", come);
      hid.removeEventListener("disconnect", gone);
      for (const set of open.values()) set.close();
      open.clear();
    },
  };
}
