// Draws the brows; they show through the hair, so that they are read from afar.

import { ink } from "./geometry.js";

const HOME = { x: 68, y: -48 };
const LINE = [[-33, 3], [-12, -6], [12, -7], [35, 4]]; // outwards

/** `up` -1 to 1; `anger` > 0 pulls the inner end down, < 0 lifts it (sadness); `bend` rounds it. */
export function drawBrow(ctx, pose, side, palette, { up, anger, bend }) {
  const points = LINE.map(([u, v]) => {
    const inner = (35 - u) / 68, x = HOME.x + u - anger * 5 * inner;
    const y = HOME.y + v * (1 + bend) - up * 19 + anger * (17 * inner - 7) - palette.sharp * (u / 35) * 4;
    return pose.face(x * side, y, 14);
  });
  ctx.globalAlpha = 0.92;
  ink(ctx, side > 0 ? points : points.reverse(), 8, palette.brow, thickness(side > 0));
  ctx.globalAlpha = 1;
}

/** Thick inside, thin at the tail. */
const thickness = (inwardFirst) => (t) => {
  const out = inwardFirst ? t : 1 - t;
  return Math.min(1, 0.45 + out * 5) * (1 - out ** 2.2 * 0.92);
};
