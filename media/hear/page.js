// @ts-nocheck
// What a page under test plays, as 16-bit samples at 48 kHz in base64.
globalThis.hearing = {
  async start() {
    const stream = document.querySelector("audio").srcObject;
    this.ctx = new AudioContext({ sampleRate: 48000 });
    await this.ctx.resume();
    const tap = this.ctx.createScriptProcessor(4096, 1, 1);
    this.parts = [];
    tap.onaudioprocess = (e) => {
      const from = e.inputBuffer.getChannelData(0);
      const part = new Int16Array(from.length);
      for (let i = 0; i < from.length; i++) part[i] = Math.max(-1, Math.min(1, from[i])) * 32767;
      this.parts.push(part);
    };
    this.source = this.ctx.createMediaStreamSource(stream);
    this.source.connect(tap);
    tap.connect(this.ctx.destination);
    return this.ctx.state;
  },
  async stop() {
    await this.ctx.close();
    const text = [];
    for (const part of this.parts) {
      const bytes = new Uint8Array(part.buffer);
      for (let i = 0; i < bytes.length; i += 4096) text.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
    }
    return btoa(text.join(""));
  },
};
