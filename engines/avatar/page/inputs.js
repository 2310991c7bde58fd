// From what plugins inject to what is drawn: smoothed, and alive where nobody moves her.
//
// Names and ranges are VTube Studio's input parameters.

import { lerp } from "./geometry.js";
import { Idle } from "./idle.js";

const REST = {
  EyeOpenLeft: 0.82, EyeOpenRight: 0.82, Brows: 0.5, BrowLeftY: 0.5, BrowRightY: 0.5, MouthSmile: 0.55,
  VoiceSilence: 1,
};
const EASE = { // seconds
  FaceAngle: 0.055, FacePosition: 0.07, Brow: 0.045, CheekPuff: 0.05, FaceAngry: 0.08,
};
const EASE_EYES = 0.012;
const RETURN = 0.25; // seconds: back to rest when nobody injects any more
const STILL = 2; // seconds: a part that was not moved for so long gets a life of its own
const WAKE = 0.5; // seconds: how softly it starts and ends
const PAUSE = 0.4; // seconds of a shut mouth that are still speech
const BEGIN = 0.02, END = 0.15; // seconds: how softly `speaking` comes and goes
const PARTS = {
  FaceAngle: "head", FacePosition: "head", EyeOpen: "lids", EyeLeft: "gaze", EyeRight: "gaze",
  SparkBreath: "breath",
};
const startOf = (table, name) => Object.keys(table).find((start) => name.startsWith(start));
export const rest = (name) => REST[name] ?? 0;

export class Inputs {
  constructor() {
    this.goals = {};
    this.params = {}; // smoothed
    this.injected = false;
    this.moved = { head: -99, lids: -99, gaze: -99, breath: -99 };
    this.held = { head: 0, lids: 0, gaze: 0, breath: 0 }; // 1: a plugin moves it
    this.spokeAt = -99;
    this.speaking = 0; // 1 while a voice moves the mouth
    this.idle = new Idle();
  }

  /** New values at `now`; a value that only repeats does not count as a move. */
  take(values, now) {
    for (const [name, value] of Object.entries(values)) {
      if (this.goals[name] === value) continue;
      this.goals[name] = value;
      if (name === "MouthOpen" && value > 0) this.spokeAt = now;
      const part = PARTS[startOf(PARTS, name)];
      if (part) this.moved[part] = now;
    }
  }

  /** All parameters at `now`, `dt` seconds after the last call. */
  step(now, dt) {
    for (const [name, value] of Object.entries(this.goals)) {
      const goal = this.injected ? value : rest(name);
      this.params[name] = lerp(this.params[name] ?? rest(name), goal, 1 - Math.exp(-dt / this.pace(name)));
    }
    for (const part of Object.keys(this.held)) {
      const held = this.injected && now - this.moved[part] < STILL ? 1 : 0;
      this.held[part] = lerp(this.held[part], held, 1 - Math.exp(-dt / WAKE));
    }
    const speaks = this.injected && now - this.spokeAt < PAUSE ? 1 : 0;
    this.speaking = lerp(this.speaking, speaks, 1 - Math.exp(-dt / (speaks ? BEGIN : END)));
    return this.alive(now, dt);
  }

  /** A time constant in seconds. Mouth and voice have none: they must not lag behind the sound. */
  pace(name) {
    if (/^(Mouth|Voice|Tongue)/.test(name)) return this.injected ? 1e-6 : 0.06;
    if (!this.injected) return RETURN;
    return EASE[startOf(EASE, name)] ?? EASE_EYES;
  }

  get(name) {
    return this.params[name] ?? rest(name);
  }

  alive(now, dt) {
    const own = this.idle.at(now, dt), free = (part) => 1 - this.held[part];
    const found = { ...REST, ...this.params };
    for (const name of ["FaceAngleX", "FaceAngleY", "FaceAngleZ", "FacePositionX"]) {
      found[name] = this.get(name) + own[name] * free("head");
    }
    for (const side of ["Left", "Right"]) {
      found[`EyeOpen${side}`] = this.get(`EyeOpen${side}`) * lerp(1, own.lids, free("lids"));
      for (const axis of "XY") {
        found[`Eye${side}${axis}`] = this.get(`Eye${side}${axis}`) + own[`Eye${axis}`] * free("gaze");
      }
    }
    found.breath = lerp(own.breath, this.get("SparkBreath"), this.held.breath);
    return found;
  }
}
