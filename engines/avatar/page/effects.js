// Draws the signs beside her that a comic would draw: hearts, tears, a vein, sweat, sparkles, marks.

import { blob, clamp, ink, outline, polygon, sampled } from "./geometry.js";

const DROP = [[0, -1.9], [0.75, -0.4], [0.8, 0.5], [0, 1], [-0.8, 0.5], [-0.75, -0.4], [0, -1.9]];
const HEART = [[0, -4], [5, -9], [10, -6], [9, 0], [0, 10], [-9, 0], [-10, -6], [-5, -9]];

export function drawEffects(ctx, pose, palette, mood, time) {
  if (mood.tears > 0.02) for (const side of [-1, 1]) tear(ctx, pose, side, clamp(mood.tears), time);
  if (mood.sweat > 0.02) drop(ctx, pose, clamp(mood.sweat), time);
  if (mood.vein > 0.02) vein(ctx, pose, clamp(mood.vein), time);
  if (mood.hearts > 0.02) hearts(ctx, pose, clamp(mood.hearts), time);
  if (mood.sparkle > 0.02) sparkles(ctx, pose, palette, clamp(mood.sparkle), time);
  if (mood.marks > 0.02) marks(ctx, pose, clamp(mood.marks));
}

function tear(ctx, pose, side, amount, time) {
  const swell = 1 + 0.08 * Math.sin(time * 3 + side);
  const [x, y] = pose.face(side * 92, 54, 6);
  droplet(ctx, x, y, 8 * amount * swell);
}

function drop(ctx, pose, amount, time) {
  const [x, y] = pose.head(128, -78 + 6 * Math.sin(time * 1.6), 70);
  droplet(ctx, x, y, 12 * amount);
}

function droplet(ctx, x, y, r) {
  const shape = outline(sampled(DROP.map(([u, v]) => [x + r * u, y + r * v]), 19));
  ctx.fillStyle = "rgba(186, 232, 255, 0.92)";
  ctx.strokeStyle = "#5aa7d8";
  ctx.lineWidth = 2.2;
  ctx.fill(shape);
  ctx.stroke(shape);
  ctx.fillStyle = "#ffffff";
  ctx.beginPath();
  ctx.ellipse(x - r * 0.3, y + r * 0.1, r * 0.2, r * 0.34, 0.3, 0, 7);
  ctx.fill();
}

function vein(ctx, pose, amount, time) {
  const [x, y] = pose.head(112, -150, 80), r = 26 * amount * (1 + 0.07 * Math.sin(time * 9));
  for (let i = 0; i < 4; i++) {
    const turn = (i * Math.PI) / 2 + 0.3, c = Math.cos(turn), s = Math.sin(turn);
    const on = ([u, v]) => [x + (u * c - v * s) * r, y + (u * s + v * c) * r];
    ink(ctx, [[0.22, -1], [0.26, -0.26], [1, -0.22]].map(on), 12 * amount, "#8f1026");
    ink(ctx, [[0.22, -1], [0.26, -0.26], [1, -0.22]].map(on), 8 * amount, "#f0314f");
  }
}

function hearts(ctx, pose, amount, time) {
  for (let i = 0; i < 4; i++) {
    const life = (time * 0.42 + i / 4) % 1, side = i % 2 ? 1 : -1;
    const away = side * (150 + 14 * i) + 16 * Math.sin(time * 2 + i * 2);
    const [x, y] = pose.head(away, -70 - life * 190, 0);
    const size = (1.5 + 0.3 * (i % 3)) * amount;
    ctx.globalAlpha = Math.sin(Math.PI * life) * amount;
    const shape = blob(HEART.map(([u, v]) => [x + u * size, y + v * size]));
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 4;
    ctx.stroke(shape);
    ctx.fillStyle = i % 2 ? "#ff5c93" : "#ff86ad";
    ctx.fill(shape);
  }
  ctx.globalAlpha = 1;
}

function sparkles(ctx, pose, palette, amount, time) {
  for (let i = 0; i < 4; i++) {
    const life = (time * 0.55 + i * 0.27) % 1, side = i % 2 ? 1 : -1;
    const [x, y] = pose.head(side * (176 + 22 * ((i * 7) % 3)), -150 + 62 * i - 20 * life, 0);
    const r = 17 * Math.sin(Math.PI * life) * amount;
    const star = Array.from({ length: 8 }, (_, k) => {
      const a = (k * Math.PI) / 4, q = k % 2 ? r * 0.26 : r;
      return [x + Math.cos(a) * q, y + Math.sin(a) * q];
    });
    ctx.fillStyle = palette.metal.base;
    ctx.globalAlpha = amount;
    ctx.fill(polygon(star));
  }
  ctx.globalAlpha = 1;
}

function marks(ctx, pose, amount) {
  ctx.globalAlpha = amount;
  for (const [u, v, w, h] of [[172, -176, 204, -212], [186, -140, 230, -158], [146, -206, 160, -248]]) {
    const line = [pose.head(u, v, 0), pose.head((u + w) / 2, (v + h) / 2, 0), pose.head(w, h, 0)];
    ink(ctx, line, 11 * amount, "#ffffff");
    ink(ctx, line, 7 * amount, "#47507e");
  }
  ctx.globalAlpha = 1;
}
