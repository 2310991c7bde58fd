// Draws her hair: every lock a shape along a spine that swings, shaded on its far side, inked at its edges.

import { clamp, edges, ease, ink, lerp, linear, mix, outline, polygon, sampled, blob } from "./geometry.js";
import { AHOGE, BACK, BANGS, CAP, SHINE, SIDES, SKULL, TAILS } from "./hairstyle.js";
import { surface } from "./pose.js";
import { Spring } from "./spring.js";

const SAMPLES = 9;
const ROOT = { bang: 0.5, side: 0.62, tail: 0.5, back: 0.8 }; // of the width, where a lock begins
const FREE = { bang: 0.34, side: 0.2, tail: 0.05, back: 0.3 }; // from where its edges are inked
const EDGE = (t) => Math.min(1, 0.5 + 4 * t, 6 * (1 - t) + 0.1);
const LENS = (t) => Math.sin(Math.PI * t);
const half = (kind, width) => (t) =>
  (width / 2) * lerp(ROOT[kind], 1, ease(clamp(t / 0.42))) * Math.max(0, 1 - t ** 2.6) ** 0.85;

class Lock {
  constructor(shape, mirrored) {
    Object.assign(this, shape);
    const flip = mirrored ? -1 : 1;
    this.side *= flip;
    this.points = sampled(shape.spine.map(([x, y, z]) => [x * flip, y, z]), SAMPLES);
    this.half = half(this.kind, this.width);
    this.spring = new Spring(this.pace, 0.32, this.lag);
    this.phase = Math.abs(shape.spine[3][0] * 0.7 + shape.spine[3][1]);
  }

  /** Where it is now: its spine and edges on the screen. */
  place(pose, time, dt, puff) {
    const spine = this.points.map(([x, y, z]) => pose.head(x, y, z));
    const root = spine[0], tip = spine[SAMPLES - 1];
    const hang = -pose.roll * this.hang, c = Math.cos(hang) - 1, s = Math.sin(hang);
    const [vx, vy] = [tip[0] - root[0], tip[1] - root[1]];
    const drop = [vx * c - vy * s, vx * s + vy * c];
    const air = Math.sin(time * 1.3 + this.phase) * this.lag * 0.07 * puff;
    const behind = this.spring.follow([tip[0] + drop[0] + air, tip[1] + drop[1]], dt);
    const swing = [drop[0] + behind[0] + air, drop[1] + behind[1]];
    this.spine = spine.map(([x, y], i) => {
      const k = (i / (SAMPLES - 1)) ** 1.7;
      return [x + swing[0] * k, y + swing[1] * k];
    });
    [this.left, this.right] = edges(this.spine, this.half);
  }

  draw(ctx, hair, fill) {
    const { spine, left, right } = this, tip = spine[SAMPLES - 1];
    ctx.fillStyle = fill ?? this.fill(ctx, hair);
    ctx.fill(outline([...left.slice(0, -1), tip], [tip, ...right.slice(0, -1).reverse()]));
    const far = this.side > 0 ? left : right; // the light comes from the upper left
    ctx.fillStyle = hair.shade;
    ctx.globalAlpha = this.kind === "back" ? 0.3 : 0.42;
    const inner = spine.map((p, i) => mix(far[i], p, 0.66 * clamp((i - 0.5) / 3)));
    ctx.fill(outline(inner, [tip, ...far.slice(0, -1).reverse()]));
    ctx.globalAlpha = 1;
    const from = Math.round(FREE[this.kind] * (SAMPLES - 1));
    const profile = from ? undefined : EDGE;
    for (const edge of [left, right]) ink(ctx, [...edge.slice(from, -1), tip], 3.4, hair.line, profile);
    if (this.width > 50) this.strand(ctx, hair, from);
  }

  fill(ctx, hair) {
    const root = this.spine[0], tip = this.spine[SAMPLES - 1];
    if (this.kind === "back") return hair.back;
    if (this.kind === "bang") return linear(
      ctx, root, tip, [0, hair.root], [0.55, hair.base], [1, hair.root],
    );
    return linear(ctx, root, tip, [0, hair.base], [0.3, hair.root], [0.6, hair.base], [1, hair.tip]);
  }

  /** A line of ink along the inside: hair has a grain. */
  strand(ctx, hair, from) {
    const near = this.side > 0 ? this.right : this.left;
    const line = this.spine.slice(from + 1, -1).map((p, i) => mix(p, near[from + 1 + i], 0.3));
    ctx.globalAlpha = 0.55;
    ink(ctx, line, 2.4, hair.shade);
    ctx.globalAlpha = 1;
  }
}

export class Hair {
  constructor(palette) {
    this.palette = palette.hair;
    this.flip = palette.mirrored ? -1 : 1;
    const make = (shapes) => shapes.map((shape) => new Lock(shape, palette.mirrored));
    [this.bangs, this.sides, this.tails, this.back] = [BANGS, SIDES, TAILS, BACK].map(make);
    this.up = new Spring(2.2, 0.16, 26);
  }

  place(pose, time, dt, puff) {
    this.pose = pose;
    for (const lock of [
      ...this.back, ...this.tails, ...this.sides, ...this.bangs,
    ]) lock.place(pose, time, dt, puff);
    this.bounce = this.up.follow(pose.head(0, -330, 0), dt);
  }

  drawBehind(ctx) {
    const hair = this.palette;
    for (const lock of this.tails) lock.draw(ctx, hair);
    ctx.fillStyle = hair.back;
    ctx.strokeStyle = hair.line;
    ctx.lineWidth = 3;
    const skull = blob(SKULL.map((p) => this.at(p)));
    ctx.stroke(skull);
    ctx.fill(skull);
    for (const lock of this.back) lock.draw(ctx, hair);
  }

  /** The shadow that bangs and locks throw on the face: to be clipped to it. */
  drawShadow(ctx, colour) {
    ctx.fillStyle = colour;
    ctx.save();
    ctx.translate(4, 13);
    for (const { left, right } of [...this.bangs, ...this.sides]) {
      ctx.fill(outline(left, right.slice(0, -1).reverse()));
    }
    ctx.restore();
  }

  drawFront(ctx) {
    const hair = this.palette;
    this.drawAhoge(ctx);
    for (const lock of this.sides) lock.draw(ctx, hair);
    const rim = CAP.rim.map((p) => this.at(p)), hairline = [
      rim.at(-1), ...CAP.hairline.map((p) => this.at(p)), rim[0],
    ];
    const top = this.at([0, -250, 0]), low = this.at([0, -60, 60]);
    ctx.fillStyle = linear(
      ctx, top, low, [0, hair.base], [0.42, hair.root], [0.75, hair.base], [1, hair.shade],
    );
    ctx.fill(outline(rim, hairline));
    ink(ctx, rim, 4.2, hair.line, (t) => Math.min(1, 14 * t, 14 * (1 - t)), 25);
    for (const lock of this.bangs) lock.draw(ctx, hair);
    this.drawShine(ctx);
  }

  drawShine(ctx) {
    const glide = this.pose.sp * 60;
    const on = (x, y) => this.pose.head(x * this.flip, y + glide, surface(x, y + glide) + 22);
    ctx.globalAlpha = 0.66;
    for (const [x, y, long, wide] of SHINE) {
      const streak = [-0.5, 0, 0.5].map((k) => on(x * (1 + 0.16 * k), y + long * k));
      ink(ctx, streak, wide, this.palette.light, LENS, 7);
    }
    ctx.globalAlpha = 1;
  }

  drawAhoge(ctx) {
    const points = AHOGE.map(([x, y]) => {
      const k = clamp((-240 - y) / 98), [px, py] = this.at([x, y, 12]);
      return [px + this.bounce[0] * k * k, py + this.bounce[1] * k * k * 0.5];
    });
    const shape = polygon(points);
    ctx.lineJoin = "round";
    ctx.strokeStyle = this.palette.line;
    ctx.lineWidth = 6;
    ctx.stroke(shape);
    ctx.fillStyle = linear(
      ctx, points[0], points[3], [0, this.palette.base], [0.5, this.palette.root], [1, this.palette.light],
    );
    ctx.fill(shape);
  }

  at([x, y, z]) {
    return this.pose.head(x * this.flip, y, z);
  }
}
