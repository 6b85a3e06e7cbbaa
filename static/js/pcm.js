// @ts-check
/**
 * The way of the sound where WebRTC cannot work, such as a machine with no network at all: samples by a websocket, 20 ms at 16 kHz
 * in a message. The tray process puts them in order and knows the codecs.
 *
 * @typedef {import("./types").Way} Way
 * @typedef {import("./types").WayIo} WayIo
 */

/** Bytes that may wait to be sent, 100 ms: what is older than that is not said any more. */
const WAITING = 3200;
/** A page without microphone and sound lets the sound card rest after so long, in milliseconds. */
const REST = 5000;

/**
 * @param {WayIo} io
 * @returns {Way}
 */
export function createPCM(io) {
  /** @type {AudioContext | null} */
  let ctx = null;
  /** @type {AudioWorkletNode | null} */
  let node = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  let source = null;
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {MediaStreamTrack | null} */
  let mic = null;
  let rest = 0;
  let still = 0; // frames of the microphone that were exactly nothing
  let energy = 0, frames = 0; // of the microphone since the last stats
  let played = 0, starved = 0, buffer = 0; // of the loudspeaker since then

  /** @param {MessageEvent} e */
  function fromCard(e) {
    if (!(e.data instanceof ArrayBuffer)) {
      played += e.data.played;
      starved += e.data.starved;
      buffer = e.data.buffer;
      return;
    }
    let sum = 0;
    for (const v of new Int16Array(e.data)) sum += v * v;
    still = sum === 0 ? still + 1 : 0;
    energy += sum / 320 / 32768 / 32768;
    frames++;
    if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < WAITING) socket.send(e.data);
  }

  /** @param {MessageEvent} e */
  function fromLine(e) {
    node?.port.postMessage(e.data, [e.data]);
    wake();
  }

  function wake() {
    if (ctx?.state === "suspended") ctx.resume().then(io.play, () => {});
    clearTimeout(rest);
    rest = setTimeout(() => { if (!mic) void ctx?.suspend(); }, REST);
  }

  async function open() {
    ctx = new AudioContext({ latencyHint: "interactive" });
    await ctx.audioWorklet.addModule("/js/worklet.js");
    if (!ctx) return; // closed meanwhile
    node = new AudioWorkletNode(ctx, "zaseki-line", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1], channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = fromCard;
    const out = ctx.createMediaStreamDestination();
    out.channelCount = 1;
    node.connect(out);
    io.hear(out.stream);
    wake();
    await dial();
  }

  /** @returns {Promise<void>} */
  function dial() {
    const mine = new WebSocket(`ws://${location.host}/media/pcm?page=${io.page}`);
    socket?.close();
    socket = mine;
    mine.binaryType = "arraybuffer";
    mine.onmessage = fromLine;
    return new Promise((resolve, reject) => {
      mine.onopen = () => (resolve(), io.changed());
      mine.onclose = () => {
        reject(new Error("websocket refused"));
        if (mine === socket) io.changed();
      };
    });
  }

  return {
    name: "websocket",
    open,
    restart: dial,
    async carry(track) {
      if (track === mic && (source || !track)) return;
      mic = track;
      still = 0;
      source?.disconnect();
      source = null;
      if (!ctx || !node || !track) return;
      source = ctx.createMediaStreamSource(new MediaStream([track]));
      source.connect(node);
      wake();
    },
    async speak() {},
    up: () => socket?.readyState === WebSocket.OPEN,
    dead: () => socket?.readyState === WebSocket.CLOSED,
    hopeless: () => false,
    state: () => ({ [WebSocket.CONNECTING]: "connecting", [WebSocket.OPEN]: "connected" }[socket?.readyState ?? 3] ?? "closed"),
    unlock() { if (mic || socket) wake(); },
    still: async () => still * 20,
    async stats() {
      const now = {
        concealed: played ? (starved / played) * 100 : 0, buffer, playout: (ctx?.outputLatency ?? 0) * 1000,
        level: frames ? Math.sqrt(energy / frames) : 0,
      };
      energy = frames = played = starved = 0;
      return now;
    },
    close() {
      clearTimeout(rest);
      const old = socket;
      socket = null;
      old?.close();
      void ctx?.close();
      ctx = node = source = mic = null;
    },
  };
}
