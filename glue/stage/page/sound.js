// The page's sound: an audio clock, the worklet that plays, and whether this page is the one that does.

const CLOCK = 100; // milliseconds between readings of the audio clock
const KEPT = 12000; // energy values: about a minute

export class Sound {
  /** `name` is what other pages read; `changed()` is called whenever `state` or `player` has changed.
   * state: "off", "asleep" (the browser wants a click first), "standby" (another page plays), "playing". */
  constructor(name, changed) {
    this.name = name;
    this.changed = changed;
    this.wanted = false;
    this.mine = false;
    this.player = "";
    // For measuring: energy is [context time, RMS] pairs; `heard` says when a context time is heard (show clock).
    this.audio = { context: null, energy: [], mapping: null, heard: null, mine: () => this.mine };
  }

  get state() {
    if (!this.wanted) return "off";
    if (this.audio.context?.state !== "running") return "asleep";
    return this.mine ? "playing" : "standby";
  }

  /** Want to play; `asked` by a person, who then hears it here and nowhere else. */
  async enable(rate, asked) {
    this.wanted = true;
    this.asked = asked;
    if (!this.audio.context) await this.build(rate);
    this.audio.context.resume();
    this.claim();
  }

  disable() {
    this.wanted = false;
    this.worker?.postMessage({ release: true });
    this.changed();
  }

  /** The click that a browser wants. */
  async wake() {
    await this.audio.context?.resume();
  }

  async build(rate) {
    const context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    this.audio.context = context;
    await context.audioWorklet.addModule("/page/sound_worklet.js");
    const node = new AudioWorkletNode(context, "player", { numberOfInputs: 0, outputChannelCount: [1] });
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ feed: port1 }, [port1]);
    node.port.onmessage = ({ data }) => this.heard(data.energy);
    node.connect(context.destination);
    this.worker = new Worker("/page/sound_worker.js");
    this.worker.onmessage = ({ data }) => this.told(data);
    const url = `${location.protocol.replace("http", "ws")}//${location.host}/audio${location.search}`;
    this.worker.postMessage({ feed: port2, rate, url }, [port2]);
    context.onstatechange = () => this.claim();
    setInterval(() => this.clock(), CLOCK);
  }

  /** Only a page whose audio clock runs may play: a suspended one would hold the sound for ever. */
  claim() {
    const { context } = this.audio;
    if (this.wanted && context.state === "running") {
      this.clock();
      const expects = 0.05 + (context.outputLatency || context.baseLatency || 0);
      this.worker.postMessage({ claim: { name: this.name, asked: this.asked, expects } });
      this.asked = false;
    } else {
      this.worker.postMessage({ release: true });
    }
    this.changed();
  }

  /** Which moment of the context is heard now; browsers that cannot say know their latency at least. */
  clock() {
    const { context } = this.audio;
    if (context.state !== "running") return;
    const stamp = context.getOutputTimestamp?.();
    const known = stamp && stamp.contextTime > 0 && Math.abs(context.currentTime - stamp.contextTime) < 1;
    const at = known ? stamp.performanceTime : performance.now();
    const heard = known ? stamp.contextTime : context.currentTime - (context.outputLatency || context.baseLatency);
    this.worker.postMessage({ clock: { context: heard, at: performance.timeOrigin + at } });
  }

  told(data) {
    if (data.mapping) this.audio.mapping = data.mapping;
    if (data.heard) this.audio.heard = data.heard;
    if (data.player === undefined) return;
    this.player = data.player;
    this.mine = data.you;
    this.changed();
  }

  heard(energy) {
    this.audio.energy.push(...energy);
    if (this.audio.energy.length > KEPT) this.audio.energy.splice(0, this.audio.energy.length - KEPT);
  }
}
