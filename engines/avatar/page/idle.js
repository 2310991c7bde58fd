// What she does by herself while nobody moves her: blinks, looks about, sways, breathes.

import { clamp, ease } from "./geometry.js";

const SHUT = 0.07, OPEN = 0.13; // seconds
const between = (a, b) => a + Math.random() * (b - a);
/** Log-normal: mostly 2 to 6 seconds. */
const pause = () => clamp(
  Math.exp(1.25 + 0.4 * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())),
  1.2, 9,
);

export class Idle {
  constructor() {
    this.phase = Array.from({ length: 6 }, () => between(0, 9));
    this.blinkAt = between(0.8, 2);
    this.shut = false;
    this.lookAt = 0;
    this.goal = [0, 0];
    this.gaze = [0, 0];
    this.attention = [0, 0]; // the head follows the eyes, later
  }

  /** Offsets at `t` seconds: angles in degrees, gaze -1 to 1, lids 0 (shut) to 1. */
  at(t, dt) {
    this.look(t, dt);
    const wave = (i, hertz) => Math.sin(2 * Math.PI * hertz * t + this.phase[i]);
    const [gx, gy] = this.gaze, [hx, hy] = this.attention;
    return {
      FaceAngleX: 4 * wave(0, 0.11) + 2 * wave(1, 0.23) + 11 * hx,
      FaceAngleY: 2 * wave(2, 0.13) + 1.2 * wave(3, 0.31) + 8 * hy,
      FaceAngleZ: 3.2 * wave(4, 0.09) + 1.4 * wave(1, 0.19) - 3 * hx,
      FacePositionX: 1.2 * wave(5, 0.07),
      EyeX: gx,
      EyeY: gy,
      lids: this.lids(t),
      breath: 0.5 - 0.5 * Math.cos((2 * Math.PI * t) / 3.6),
    };
  }

  look(t, dt) {
    if (t > this.lookAt) {
      const home = Math.random() < 0.55;
      this.goal = home ? [between(-0.08, 0.08), between(-0.06, 0.06)] : [
        between(-0.7, 0.7), between(-0.35, 0.4),
      ];
      this.lookAt = t + (home ? between(1.2, 3.2) : between(0.5, 1.6));
    }
    for (const i of [0, 1]) {
      this.gaze[i] += (this.goal[i] - this.gaze[i]) * (1 - Math.exp(-dt / 0.03));
      this.attention[i] += (this.goal[i] - this.attention[i]) * (1 - Math.exp(-dt / 0.45));
    }
  }

  lids(t) {
    const since = t - this.blinkAt;
    if (since < 0) return 1;
    if (since < SHUT) return 1 - ease(since / SHUT);
    if (!this.shut) { // on a slow machine too, where no frame would fall on it
      this.shut = true;
      this.blinkAt = t - SHUT;
      return 0;
    }
    if (since < SHUT + OPEN) return ease((since - SHUT) / OPEN);
    this.shut = false;
    this.blinkAt = t + (Math.random() < 0.13 ? 0.12 : pause());
    return 1;
  }
}
