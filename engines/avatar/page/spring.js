// What hangs and swings: a point that follows its place late and overshoots a little.

import { clamp } from "./geometry.js";

const STEP = 1 / 120; // seconds; stiff springs stay stable at any frame rate
const LONGEST = 0.1; // seconds that are made up for after a pause
const JUMP = 260; // drawing units: farther than that is a cut, not a move

export class Spring {
  /** `pace` in swings a second; `drag` 0-1, 1 does not overshoot; `reach` is how far it may lag. */
  constructor(pace, drag, reach) {
    this.stiff = (2 * Math.PI * pace) ** 2;
    this.damp = 2 * drag * 2 * Math.PI * pace;
    this.reach = reach;
    this.at = null;
    this.speed = [0, 0];
    this.left = 0;
  }

  /** Follow `goal` for `dt` seconds; how far behind it now is. */
  follow(goal, dt) {
    if (!this.at || Math.hypot(goal[0] - this.at[0], goal[1] - this.at[1]) > JUMP) this.rest(goal);
    this.left = Math.min(LONGEST, this.left + dt);
    for (; this.left >= STEP; this.left -= STEP) {
      for (const i of [0, 1]) {
        this.speed[i] += ((goal[i] - this.at[i]) * this.stiff - this.speed[i] * this.damp) * STEP;
        this.at[i] += this.speed[i] * STEP;
      }
    }
    return [0, 1].map((i) => clamp(this.at[i] - goal[i], -this.reach, this.reach));
  }

  rest(goal) {
    this.at = [...goal];
    this.speed = [0, 0];
  }
}
