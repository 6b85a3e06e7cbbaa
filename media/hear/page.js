// @ts-nocheck
// What a page under test plays, as "rate:" and 16-bit samples in base64; the rate is the codec's. The frames are taken from the track that its <audio>
// plays, through a queue: a tap in the audio graph loses some whenever the page's thread is late.
globalThis.hearing = {
  async start() {
    const audio = document.querySelector("audio");
    if (audio.paused) return "paused";
    const [track] = audio.srcObject.getAudioTracks();
    this.parts = [];
    this.reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 2000 }).readable.getReader();
    this.reading = this.read();
    return "running";
  },
  async read() {
    for (;;) {
      const { value, done } = await this.reader.read();
      if (done) return;
      if (this.parts.length && value.sampleRate !== this.rate) throw new Error("the rate changed to " + value.sampleRate);
      this.rate = value.sampleRate;
      const from = new Float32Array(value.numberOfFrames);
      value.copyTo(from, { planeIndex: 0, format: "f32-planar" });
      value.close();
      this.parts.push(Int16Array.from(from, (v) => Math.max(-1, Math.min(1, v)) * 32767));
    }
  },
  async stop() {
    await this.reader.cancel();
    await this.reading;
    const text = [];
    for (const part of this.parts) {
      const bytes = new Uint8Array(part.buffer);
      for (let i = 0; i < bytes.length; i += 4096) text.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
    }
    return this.rate + ":" + btoa(text.join(""));
  },
};
