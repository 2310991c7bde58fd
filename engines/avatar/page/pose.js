// Where a point of the head or the body is on the screen, for a pose: depth makes the parallax.
//
// Drawing space: x right, y down, z towards the viewer; (0, 0) is between the eyes, the chin is at y = 162.

import { clamp } from "./geometry.js";

const RADIANS = Math.PI / 180;
const TURN = 0.78, NOD = 0.62, TILT = 0.72; // of the tracked angles: more would leave the drawn front
const CENTRE = [20, -30]; // y and z of what the head turns about
const NECK = 150; // y of what it tilts about
const FAR = 1500; // the viewer's distance

/** How far the face's surface is in front of the head's middle plane. */
export const surface = (x, y) => 92 * Math.sqrt(Math.max(0.04, 1 - (x / 172) ** 2 - ((y - 10) / 215) ** 2));

export class Pose {
  /** Angles in degrees, positions in drawing units, breath 0-1. */
  set({ turn, nod, tilt, x, y, near, breath }) {
    const yaw = turn * TURN * RADIANS, pitch = nod * NOD * RADIANS;
    this.roll = tilt * TILT * RADIANS;
    [this.sy, this.cy] = [Math.sin(yaw), Math.cos(yaw)];
    [this.sp, this.cp] = [Math.sin(pitch), Math.cos(pitch)];
    [this.sr, this.cr] = [Math.sin(this.roll), Math.cos(this.roll)];
    this.breath = breath;
    this.lean = clamp(x * 0.5 + turn * 0.35, -30, 30); // the body goes along, less
    this.bodyRoll = (tilt * 0.16 + x * 0.08) * RADIANS;
    [this.br, this.bc] = [Math.sin(this.bodyRoll), Math.cos(this.bodyRoll)];
    this.bodyTurn = Math.sin(yaw * 0.45);
    this.dx = x + turn * 0.25;
    this.dy = y - nod * 0.12 - breath * 3.5;
    this.size = 1 + near * 0.012;
  }

  /** A point of the head. */
  head = (x, y, z) => {
    const depth = z - CENTRE[1], up = y - CENTRE[0];
    const x1 = x * this.cy + depth * this.sy;
    const z1 = depth * this.cy - x * this.sy;
    const y1 = up * this.cp - z1 * this.sp;
    const z2 = z1 * this.cp + up * this.sp;
    const grow = FAR / (FAR - z2 - CENTRE[1]) * this.size;
    const px = x1 * grow, py = (y1 + CENTRE[0]) * grow - NECK;
    return [
      px * this.cr - py * this.sr + this.dx + this.lean * 0.4,
      px * this.sr + py * this.cr + NECK + this.dy,
    ];
  };

  /** A point that lies on the face, `above` it. */
  face = (x, y, above = 0) => this.head(x, y, surface(x, y) + above);

  /** A point of the body: it breathes, sways about the hips and turns a little. */
  body = (x, y, z = 0) => {
    const chest = clamp((470 - y) / 250, 0, 1.2);
    const px = x * (1 + 0.006 * this.breath * chest) + z * this.bodyTurn;
    const py = y - 620 - 4 * this.breath * chest;
    return [
      px * this.bc - py * this.br + this.lean * chest * 0.55,
      px * this.br + py * this.bc + 620,
    ];
  };

  /** The matrix that puts a flat drawing, made around (0, 0), onto the face at (x, y). */
  decal(x, y, above = 0) {
    const [e, f] = this.face(x, y, above), [ax, ay] = this.face(x + 4, y, above);
    const [bx, by] = this.face(x, y + 4, above);
    return [(ax - e) / 4, (ay - f) / 4, (bx - e) / 4, (by - f) / 4, e, f];
  }
}
