// Draws the mouth: two lips that are lines, and what is seen between them.

import { clamp, ink, lerp, linear, outline, sampled } from "./geometry.js";

const HOME = { x: 0, y: 114 };
const HALF = 25, TALLEST = 47; // drawing units: half the width at rest, the height when wide open

/** What of the opening and the width each vowel makes: a jaw, b corners. */
const VOWELS = { A: [0, 0.0], I: [-0.2, 0.3], U: [-0.22, -0.52], E: [-0.1, 0.2], O: [-0.03, -0.4] };

/** From inputs to a shape: {gap, half, smile, round, shift}. */
export function shape({ open, smile, vowels, shift }) {
  let jaw = 0, corners = 0, sum = 0;
  for (const [name, [a, b]] of Object.entries(VOWELS)) {
    jaw += a * vowels[name];
    corners += b * vowels[name];
    sum += vowels[name];
  }
  const k = 1 / Math.max(1, sum); // blended, never more than one vowel's worth
  const gap = clamp(open, 0, 1.15) * (1 + jaw * k);
  const half = HALF * (1 + corners * k * clamp(open * 4 + 0.25) + 0.34 * (smile - 0.5) + 0.06 * open);
  return { gap, half: Math.max(8, half), smile, round: clamp(-corners * k * 1.8) * clamp(open * 4), shift };
}

export class Mouth {
  constructor(palette) {
    this.palette = palette;
    this.height = 0;
  }

  /** `wave`: a wobbly line; `cat`: the corners curl; `crook`: one corner higher. */
  place(pose, form, { wave = 0, cat = 0, crook = 0 }) {
    this.pose = pose;
    this.form = { ...form, cat, wave, crook };
    this.height = form.gap * TALLEST;
    this.upper = sampled(this.lip(-1), 13);
    this.lower = sampled(this.lip(1), 13);
  }

  /** A lip's points from left to right, in the face's coordinates; `way` -1 is the upper one. */
  lip(way) {
    const { half, smile, round, cat, wave, crook, shift } = this.form;
    const curl = 25 * (clamp(smile) - 0.33), down = this.height * (way < 0 ? 0.22 : 0.78);
    const steps = [-1, -0.82, -0.5, 0, 0.5, 0.82, 1];
    return steps.map((s) => {
      const arch = way < 0 ? 1 - Math.abs(s) ** lerp(3, 2, round) : 1 - Math.abs(s) ** lerp(2.4, 2, round);
      const corner = -curl * (s * s - 0.35) * (1 - 0.5 * round) - crook * 6 * s * Math.abs(s);
      const curls = cat * (5 * Math.cos(s * Math.PI * 2) - 3) * (way < 0 ? 1 : 0.5);
      const wobble = wave * 3.2 * Math.sin(s * 8.5);
      const smileOpen = way < 0 ? this.height * 0.1 * clamp(smile) : 0;
      return [
        HOME.x + s * half + shift * 12,
        HOME.y + way * down * arch + corner + curls + wobble + smileOpen * arch,
      ];
    });
  }

  /** The drawn opening, in drawing units. */
  opening() {
    const top = this.at(this.upper[6]), low = this.at(this.lower[6]);
    return Math.hypot(top[0] - low[0], top[1] - low[1]);
  }

  at = ([x, y]) => this.pose.face(x, y, 4);

  draw(ctx) {
    const { mouth, skin } = this.palette, upper = this.upper.map(this.at), lower = this.lower.map(this.at);
    if (this.height > 1.2) {
      const hole = outline(upper, [...lower].reverse());
      ctx.save();
      ctx.clip(hole);
      this.inside(ctx, hole);
      ctx.restore();
    } else if (this.palette.fang > 0 && this.form.gap < 0.05) this.fang(ctx, mouth.line);
    ink(ctx, upper, lerp(4, 3.4, clamp(this.form.gap * 2)), mouth.line);
    if (this.height > 1.2) ink(ctx, lower, 2.8, mouth.line);
    const [x, y] = [this.form.shift * 12, HOME.y + this.height * 0.78 + 13 - this.form.smile * 4];
    ctx.globalAlpha = 0.55;
    ink(ctx, [[x - 8, y], [x, y + 2], [x + 8, y]].map(this.at), 2.6, skin.deep);
    ctx.globalAlpha = 1;
  }

  inside(ctx, hole) {
    const { mouth, fang } = this.palette, { shift, half, round } = this.form, h = this.height, x = shift * 12;
    ctx.fillStyle = linear(
      ctx, this.at([x, HOME.y - h * 0.3]), this.at([x, HOME.y + h * 0.8]), [0, mouth.deep], [1, mouth.inside],
    );
    ctx.fill(hole);
    const bulge = HOME.y + h * 0.78 - Math.min(16, h * 0.4);
    ctx.fillStyle = mouth.tongue;
    const tongue = [[-0.75, 1], [-0.5, 0.35], [0, 0.1], [0.5, 0.35], [0.75, 1]];
    ctx.fill(outline(sampled(tongue.map(([u, v]) => this.at([x + u * half, bulge + v * 20])), 9)));
    const teeth = Math.min(8, h * 0.3) * (1 - 0.75 * round);
    if (teeth > 1) {
      const low = this.upper.slice(1, 12).map(([px, py]) => this.at([px, py + teeth]));
      ctx.fillStyle = "#fffdf8";
      ctx.fill(outline(this.upper.slice(1, 12).map(this.at), low.reverse()));
    }
    if (fang > 0 && h > 6) this.fang(ctx);
  }

  /** One small pointed tooth, on her left. */
  fang(ctx, edge) {
    const [px, py] = this.upper[edge ? 9 : 10], long = edge ? 8 : Math.min(13, 5 + this.height * 0.3);
    const tooth = outline([[px - 5.5, py], [px - 2.5, py + long * 0.6], [px - 0.5, py + long]].map(this.at),
      [[px - 0.5, py + long], [px + 2.5, py + long * 0.55], [px + 4.5, py - 1]].map(this.at));
    ctx.fillStyle = "#fffdf8";
    ctx.fill(tooth);
    if (!edge) return;
    ctx.strokeStyle = edge;
    ctx.lineWidth = 1.6;
    ctx.stroke(tooth);
  }
}
