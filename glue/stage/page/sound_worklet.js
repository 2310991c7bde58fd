// Plays what /audio sends, sample for sample, on the audio thread. Knows nothing of the page.
//
// A packet's samples carry their place on the show's clock. `offset` maps it to this context's frames, and is
// moved only while nothing sounds, so that the distance between two sounds is what the show meant.

const FLUSH = 2;
const HEADER = 16; // bytes: u32 kind, u32 running number, f64 first sample's index
const START = 0.05, LEAST = 0.03, MOST = 0.25; // seconds of sound held against late packets
const STEP = 0.02, EASE = 0.005; // seconds more after an underrun, less after a calm while
const CALM = 30; // seconds
const LOOSE = 0.015; // seconds off the target that are not worth moving for
const FADE = 0.003; // seconds
const REPORT = 0.1; // seconds
const SEND = 16; // energy values a message

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = []; // {start, samples}: start on the show's clock
    this.offset = null; // frames: context frame = show sample + offset
    this.end = null; // show sample after the last one that was queued
    this.target = START * sampleRate;
    this.underruns = 0;
    this.calmSince = currentFrame;
    this.reported = 0;
    this.energy = [];
    this.port.onmessage = ({ data }) => {
      this.feed = data.feed;
      this.feed.onmessage = (message) => this.packet(message.data);
    };
  }

  packet(buffer) {
    const head = new DataView(buffer);
    if (head.getUint32(0, true) === FLUSH) this.flush();
    else this.place(head.getFloat64(8, true), new Int16Array(buffer, HEADER));
  }

  place(start, samples) {
    const slack = this.offset === null ? -1 : start + this.offset - currentFrame;
    const follows = start === this.end;
    const idle = this.queue.length === 0;
    if (slack < 0 && follows) this.starved();
    const free = idle && !follows && Math.abs(slack - this.target) > LOOSE * sampleRate;
    if (slack < 0 || free) {
      this.offset = currentFrame + Math.round(this.target) - start;
      this.report();
    }
    this.queue.push({ start, samples });
    this.end = start + samples.length;
  }

  starved() {
    this.underruns += 1;
    this.target = Math.min(MOST * sampleRate, this.target + STEP * sampleRate);
    this.calmSince = currentFrame;
  }

  flush() {
    this.end = null;
    if (this.offset === null) return;
    const tail = new Float32Array(FADE * sampleRate);
    const start = currentFrame - this.offset;
    this.mix(tail, start);
    tail.forEach((value, place) => { tail[place] = value * 32768 * (1 - place / tail.length); });
    this.queue = [{ start, samples: tail }];
  }

  /** Add what the queue holds for [from, from + out.length) to `out`; drop what is past. */
  mix(out, from) {
    const to = from + out.length;
    while (this.queue.length) {
      const { start, samples } = this.queue[0];
      const end = start + samples.length;
      for (let at = Math.max(from, start); at < Math.min(to, end); at += 1) {
        out[at - from] = samples[at - start] / 32768;
      }
      if (end > to) return;
      this.queue.shift();
    }
  }

  process(_inputs, outputs) {
    const out = outputs[0][0];
    if (this.offset !== null) this.mix(out, currentFrame - this.offset);
    for (let channel = 1; channel < outputs[0].length; channel += 1) outputs[0][channel].set(out);
    this.tap(out);
    if (currentFrame - this.calmSince > CALM * sampleRate) {
      this.target = Math.max(LEAST * sampleRate, this.target - EASE * sampleRate);
      this.calmSince = currentFrame;
    }
    if (this.queue.length && currentFrame - this.reported > REPORT * sampleRate) this.report();
    return true;
  }

  /** Tell the feed how the show's samples map to frames; it makes the position report of it. */
  report() {
    this.reported = currentFrame;
    this.feed.postMessage({
      offset: this.offset,
      underruns: this.underruns,
      target: this.target / sampleRate,
      held: this.end === null ? 0 : Math.max(0, this.end + this.offset - currentFrame) / sampleRate,
    });
  }

  /** The loudness of each quantum (128 frames), for who measures. */
  tap(out) {
    let power = 0;
    for (const value of out) power += value * value;
    this.energy.push([currentFrame / sampleRate, Math.sqrt(power / out.length)]);
    if (this.energy.length < SEND) return;
    this.port.postMessage({ energy: this.energy });
    this.energy = [];
  }
}

registerProcessor("player", Player);
