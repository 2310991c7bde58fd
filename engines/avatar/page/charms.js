// Draws what she wears in her hair: the bolt hairpin, ribbons at the tails, her twin's horns.

import { edged, ink, linear, outline, polygon, sampled } from "./geometry.js";
import { surface } from "./pose.js";

const PIN = [[10, -30], [-17, 4], [-3, 5], [-9, 30], [18, -5], [4, -6], [17, -30]];
const LOOP = [[0, 0], [14, -24], [42, -30], [50, -4], [34, 16], [12, 10]];
const END = [[2, 4], [18, 30], [14, 54], [28, 46], [40, 56], [34, 24]];
const HORN = [[-24, 16], [-20, -18], [-6, -50], [24, -76], [18, -46], [22, -18], [26, 16]];

export class Charms {
  constructor(palette) {
    this.palette = palette;
    this.flip = palette.mirrored ? -1 : 1;
  }

  place(pose) {
    this.pose = pose;
  }

  /** What the front hair covers in part. */
  drawBehind(ctx) {
    for (const side of [-1, 1]) {
      this.ribbon(ctx, side);
      if (this.palette.horns) this.horn(ctx, side);
    }
  }

  draw(ctx) {
    this.pin(ctx);
  }

  ribbon(ctx, side) {
    const { ribbon, metal } = this.palette;
    const on = ([u, v]) => this.pose.head(side * (158 + u), -132 + v, -20);
    const fill = linear(
      ctx, on([0, -30]), on([10, 50]), [0, ribbon.light], [0.5, ribbon.base], [1, ribbon.shade],
    );
    const inward = ([u, v]) => on([-u * 0.5, v * 0.85 - 6]);
    edged(ctx, polygon(END.map(on)), ribbon.line, fill, 3);
    edged(ctx, outline(sampled([...LOOP, LOOP[0]].map(inward), 19)), ribbon.line, fill, 3);
    edged(ctx, outline(sampled([...LOOP, LOOP[0]].map(on), 19)), ribbon.line, fill, 3);
    ink(ctx, [[10, -6], [24, -14], [38, -14]].map(on), 3, ribbon.shade);
    const knot = sampled([[-8, -10], [8, -11], [10, 8], [-7, 10], [-8, -10]].map(on), 13);
    edged(ctx, outline(knot), metal.line, metal.base, 2.4);
  }

  pin(ctx) {
    const { metal } = this.palette, [x, y] = [-98 * this.flip, -98];
    const turn = -0.35 * this.flip, c = Math.cos(turn), s = Math.sin(turn);
    const on = ([u, v]) => {
      const px = x + (u * c - v * s) * this.flip, py = y + u * s + v * c;
      return this.pose.head(px, py, surface(px, py) + 24);
    };
    const fill = linear(
      ctx, on([-10, -30]), on([10, 30]), [0, metal.light], [0.45, metal.base], [1, metal.shade],
    );
    edged(ctx, polygon(PIN.map(on)), metal.line, fill, 3);
    ctx.globalAlpha = 0.9;
    ink(ctx, [[8, -24], [-2, -10], [-9, 0]].map(on), 3, "#ffffff");
    ctx.globalAlpha = 1;
  }

  horn(ctx, side) {
    const { metal, coat } = this.palette;
    const on = ([u, v]) => this.pose.head(side * (92 + u), -216 + v, 0);
    edged(
      ctx, outline(sampled(HORN.map(on), 19)), coat.line,
      linear(ctx, on([0, 6]), on([16, -72]), [0.15, coat.base], [0.5, metal.shade], [1, metal.base]), 3,
    );
    for (const k of [0, 1]) {
      const ring = [[-19 + k * 6, -22 - k * 16], [2 + k * 4, -17 - k * 16], [20, -24 - k * 14]];
      ink(ctx, ring.map(on), 2.6, coat.line);
    }
  }
}
