// Draws the face without its features: the skin, the shadow of the hair, blush, nose.

import { blob, clamp, ink, lerp, linear, radial } from "./geometry.js";

// The contour [x, y, z]: nearly flat, so that it turns less than what lies on it; the chin goes along.
const HALF = [
  [126, -130, 8], [140, -50, 8], [140, 14, 14], [131, 64, 20], [109, 108, 32], [67, 144, 42], [25, 165, 48],
];
const CONTOUR = [
  [0, -190, 8], ...HALF, [0, 170, 50], ...HALF.map(([x, y, z]) => [-x, y, z]).reverse(),
];

export class FaceShape {
  constructor(palette) {
    this.skin = palette.skin;
    this.rgb = palette.blush;
  }

  /** `drop`: how much the jaw goes down with the mouth, 0-1; `puff`: the cheeks, 0-1. */
  place(pose, drop, puff) {
    this.pose = pose;
    this.path = blob(CONTOUR.map(([x, y, z]) => {
      const chin = clamp((y - 60) / 100), cheek = Math.exp(-(((y - 78) / 40) ** 2));
      return pose.head(x * (1 + 0.05 * puff * cheek), y + 7 * drop * chin, z);
    }));
  }

  /** `shadow(colour)` draws what throws a shadow on it. */
  draw(ctx, shadow, { blush, gloom }) {
    const { skin, pose } = this;
    ctx.lineWidth = 4.4;
    ctx.strokeStyle = skin.line;
    ctx.lineJoin = "round";
    ctx.stroke(this.path);
    ctx.fillStyle = linear(ctx, pose.face(-50, -90), pose.face(70, 165),
      [0, skin.light], [0.5, skin.base], [0.86, skin.base], [1, skin.shade]);
    ctx.fill(this.path);
    ctx.save();
    ctx.clip(this.path);
    this.rim(ctx);
    ctx.globalAlpha = 0.8;
    shadow(skin.shade);
    ctx.globalAlpha = 1;
    this.blush(ctx, blush);
    if (gloom > 0.01) this.gloom(ctx, gloom);
    ctx.restore();
    this.nose(ctx);
  }

  /** The cheek that is turned away is darker. */
  rim(ctx) {
    const { pose, skin } = this, at = pose.head(150, 70, 12), far = pose.head(96, 52, 40);
    ctx.fillStyle = linear(ctx, at, far, [0, skin.shade], [1, `${skin.shade}00`]);
    ctx.globalAlpha = 0.6;
    ctx.fill(this.path);
    ctx.globalAlpha = 1;
  }

  blush(ctx, amount) {
    for (const side of [-1, 1]) {
      ctx.save();
      ctx.transform(...this.pose.decal(side * 88, 78));
      ctx.scale(1, 0.6);
      const alpha = clamp(amount) * 0.55;
      ctx.fillStyle = radial(
        ctx, [0, 0], 44, [0, `rgba(${this.rgb}, ${alpha})`], [0.45, `rgba(${this.rgb}, ${alpha * 0.7})`],
        [1, `rgba(${this.rgb}, 0)`],
      );
      ctx.fillRect(-46, -46, 92, 92);
      ctx.restore();
      const lines = clamp((amount - 0.55) / 0.35);
      if (lines > 0) this.dashes(ctx, side, lines);
    }
  }

  /** Drawn blushing: short slanted lines. */
  dashes(ctx, side, amount) {
    ctx.globalAlpha = amount * 0.75;
    for (const x of [72, 86, 100]) {
      const away = side > 0 ? x : x - 172; // slanted alike on both cheeks
      const line = [[away + 5, 70], [away, 79], [away - 5, 88]].map((p) => this.pose.face(...p));
      ink(ctx, line, 3.2, `rgb(${this.rgb})`);
    }
    ctx.globalAlpha = 1;
  }

  /** The upper face goes dark. */
  gloom(ctx, amount) {
    const colour = `rgba(58, 46, 96, ${0.5 * amount})`;
    ctx.fillStyle = linear(
      ctx, this.pose.face(0, -110), this.pose.face(0, lerp(0, 50, amount)), [0, colour], [0.55, colour],
      [1, "rgba(58, 46, 96, 0)"],
    );
    ctx.fill(this.path);
  }

  nose(ctx) {
    const { pose, skin } = this, lift = 9;
    const lean = pose.sy * 6;
    const shade = [[4 + lean, 66], [8 + lean, 73], [1, 80]].map(([x, y]) => pose.face(x, y, lift));
    ctx.globalAlpha = 0.9;
    ink(ctx, shade, 3.6, skin.deep);
    const [x, y] = pose.face(-2 + lean, 68, lift + 4);
    ctx.fillStyle = "#ffffff";
    ctx.beginPath();
    ctx.ellipse(x, y, 2.6, 3.6, 0.3, 0, 7);
    ctx.fill();
    ctx.globalAlpha = 1;
  }
}
