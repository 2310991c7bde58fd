// The page's microphone: samples at 16 kHz to /mic while it is on. The browser takes her own voice out of them.

const WANT = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const RATE = 16000;
const TAIL = 1200; // milliseconds of silence sent after a push-to-talk, so that the last words are final
const BEHIND = 32000; // bytes: a second; a socket that is further behind loses sound
const WHY = {
  NotAllowedError: "The browser does not allow the microphone: allow it beside the address.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "Another program holds the microphone.",
};

function release(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

export class Mic {
  /** `changed()` is called when `state` changed: "off", "asking", "on"; `failed(why)` with a sentence. */
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.state = "off";
    this.level = 0; // 0-1, for the meter
    this.heard = true; // false: another page's microphone is listened to
    this.sent = 0; // samples
    this.wish = 0; // counts what is wanted: who asked before the last start or stop is not wanted any more
  }

  /** What a browser asks a person for can take long: the key may be released before it is there. */
  async start() {
    if (this.state !== "off") return;
    const wish = ++this.wish;
    this.turn("asking");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: WANT });
      if (wish !== this.wish) return release(stream);
      this.stream = stream; // stop() releases it from now on
      stream.getAudioTracks()[0].onended = () => { // unplugged, or no longer allowed
        this.stop();
        this.failed("The microphone is gone: is it plugged in?");
      };
      const context = await (this.listening ??= this.listener());
      await context.resume();
      if (wish !== this.wish) return;
      this.source = context.createMediaStreamSource(stream);
      this.source.connect(this.node);
      this.open();
      this.turn("on");
    } catch (error) {
      if (!this.node) this.listening = null;
      if (wish !== this.wish) return;
      this.stop();
      this.failed(WHY[error.name] ?? `The microphone cannot be used: ${error.message}`);
    }
  }

  stop() {
    this.wish++;
    this.source?.disconnect();
    if (this.stream) release(this.stream);
    this.source = this.stream = null;
    this.silence(TAIL);
    const socket = this.socket;
    this.socket = null;
    setTimeout(() => socket?.close(), 100);
    this.level = 0;
    this.turn("off");
  }

  turn(state) {
    this.state = state;
    this.changed();
  }

  async listener() {
    const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    await context.audioWorklet.addModule("/page/mic_worklet.js");
    this.node = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => this.take(data);
    return context;
  }

  open() {
    const socket = this.socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/mic${location.search}`);
    socket.onmessage = ({ data }) => { this.heard = JSON.parse(data).heard; this.changed(); };
    socket.onclose = () => { // one that stop() closed is not the one of a quick start() behind it
      if (this.socket !== socket) return;
      this.stop();
      this.failed("The microphone's line broke.");
    };
  }

  take(samples) {
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    this.level = Math.max(peak / 32768, this.level * 0.8);
    this.send(samples);
  }

  silence(milliseconds) {
    for (let left = milliseconds; left > 0; left -= 100) this.send(new Int16Array(RATE / 10));
  }

  send(samples) {
    if (this.socket?.readyState !== WebSocket.OPEN || this.socket.bufferedAmount > BEHIND) return;
    this.socket.send(samples.buffer);
    this.sent += samples.length;
  }
}
