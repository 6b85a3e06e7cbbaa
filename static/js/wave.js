// @ts-check
// Reads how loud a recording is along its way, without taking the whole of it into memory: an hour has 230 MB.

/** So many samples of each part are looked at, at most. */
const MOST = 8000;

/**
 * @param {Blob} blob a WAV file of 16 bits
 * @param {number} parts
 * @returns {Promise<{ seconds: number, loud: number[][] }>} the loudest sample of each part, 0 to 1, for each channel
 */
export async function readWave(blob, parts) {
  const { from, size, channels, rate } = headOf(new DataView(await blob.slice(0, 4096).arrayBuffer()), blob.size);
  const frame = 2 * channels, frames = Math.floor(size / frame);
  const loud = Array.from({ length: channels }, () => /** @type {number[]} */ ([]));
  for (let part = 0; part < parts && frames > 0; part++) {
    const first = Math.floor((part * frames) / parts), last = Math.max(first + 1, Math.floor(((part + 1) * frames) / parts));
    const bytes = await blob.slice(from + first * frame, from + Math.min(last, first + MOST) * frame).arrayBuffer();
    const samples = new DataView(bytes), peaks = new Array(channels).fill(0);
    for (let i = 0; i + 1 < samples.byteLength; i += 2) {
      const channel = (i / 2) % channels;
      peaks[channel] = Math.max(peaks[channel], Math.abs(samples.getInt16(i, true)));
    }
    peaks.forEach((peak, channel) => loud[channel]?.push(peak / 32768));
  }
  return { seconds: frames / rate, loud };
}

/**
 * What a RIFF file's chunks say about the sound in it.
 * @param {DataView} v
 * @param {number} length of the file
 */
function headOf(v, length) {
  const word = (/** @type {number} */ at) => (at + 4 <= v.byteLength ? String.fromCharCode(v.getUint8(at), v.getUint8(at + 1), v.getUint8(at + 2), v.getUint8(at + 3)) : "");
  if (word(0) !== "RIFF" || word(8) !== "WAVE") throw new Error("not a WAV file");
  let channels = 0, rate = 0;
  for (let at = 12; word(at); ) {
    const size = v.getUint32(at + 4, true);
    if (word(at) === "fmt ") {
      if (v.getUint16(at + 8, true) !== 1 || v.getUint16(at + 22, true) !== 16) throw new Error("not PCM of 16 bits");
      [channels, rate] = [v.getUint16(at + 10, true), v.getUint32(at + 12, true)];
    }
    if (word(at) === "data" && channels && rate) return { from: at + 8, size: Math.min(size, length - at - 8), channels, rate };
    at += 8 + size + (size % 2);
  }
  throw new Error("no sound in the WAV file");
}
