// What each expression changes in the drawing. Weights fade; several together add up.

import { clamp, ease } from "./geometry.js";

/** Per expression, at full strength; see `calm` for what each number is. */
const MOODS = {
  happy: { smile: 0.35, lowerLid: 0.75, brows: 0.3, blush: 0.3, bend: 0.3, sparkle: 0.6 },
  laugh: { smile: 0.5, shut: 1, glad: 1, brows: 0.45, bend: 0.4, blush: 0.35, open: 0.72, sparkle: 0.4 },
  love: {
    smile: 0.35, lowerLid: 0.3, brows: 0.25, anger: -0.25, blush: 0.8, heart: 1, hearts: 1, wide: 0.08,
  },
  angry: {
    smile: -0.55, brows: -0.35, anger: 1, narrow: 0.3, angle: 0.9, vein: 1, startle: 0.25, blush: 0.1,
  },
  sad: {
    smile: -0.5, brows: 0.1, anger: -0.95, narrow: 0.2, lowerLid: 0.25, angle: -0.55, tears: 1, wave: 0.6,
  },
  surprised: {
    brows: 0.85, wide: 0.22, startle: 1, bend: 0.5, open: 0.55, round: 0.9, smile: -0.1, marks: 1,
  },
  smug: { smile: 0.3, narrow: 0.42, brows: 0.05, anger: 0.3, crook: 1.2, cat: 0.25, lopsided: 0.6 },
  shy: {
    smile: -0.08, blush: 1, brows: 0.2, anger: -0.6, gazeX: 0.45, gazeY: -0.4, wave: 1, narrow: 0.12,
    sweat: 1, lowerLid: 0.3,
  },
};

const calm = () => ({
  smile: 0, // added to the mouth's, 0-1
  open: 0, // the mouth's least opening
  round: 0, wave: 0, cat: 0, crook: 0, // the mouth's shape
  // eyes
  shut: 0, glad: 0, lowerLid: 0, narrow: 0, wide: 0, angle: 0, startle: 0, heart: 0, gazeX: 0, gazeY: 0,
  brows: 0, anger: 0, bend: 0, lopsided: 0,
  blush: 0, gloom: 0,
  sparkle: 0, hearts: 0, vein: 0, tears: 0, marks: 0, sweat: 0, // drawn beside her
});

/** The expressions that are on, and how far each has faded in. */
export class Mood {
  constructor() {
    this.parts = new Map(); // name: {goal, fade, at}
  }

  /** `active`: {expression: seconds to fade}; what is missing fades out as it faded in. */
  want(active) {
    for (const [name, fade] of Object.entries(active)) {
      if (name in MOODS) this.parts.set(name, { at: 0, ...this.parts.get(name), goal: 1, fade });
    }
    for (const [name, part] of this.parts) if (!(name in active)) part.goal = 0;
  }

  /** Fade for `dt` seconds; the sum of what is on. */
  step(dt) {
    const sum = calm();
    for (const [name, part] of this.parts) {
      const step = part.fade > 0 ? dt / part.fade : 1;
      part.at = clamp(part.at + clamp(part.goal - part.at, -step, step));
      if (part.at === 0 && part.goal === 0) this.parts.delete(name);
      for (const [key, value] of Object.entries(MOODS[name])) sum[key] += value * ease(part.at);
    }
    return sum;
  }
}
