// What a browser gives to scripts in its audio thread; TypeScript's own library leaves it out.
// https://webaudio.github.io/web-audio-api/#AudioWorkletGlobalScope

declare const sampleRate: number;
declare class AudioWorkletProcessor { readonly port: MessagePort }
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
