// Draws one eye: white, iris, lids, lashes. Its own coordinates: u outwards from the middle, v down.

import { blob, clamp, edges, ink, lerp, linear, mix, outline, polygon, radial, sampled } from "./geometry.js";

const EYE = { x: 68, y: 21 };
const UPPER = [[-38, 4], [-31, -15], [-12, -33], [15, -35], [36, -16], [43, 4]];
const LOWER = [[-38, 4], [-32, 26], [-11, 39], [13, 38], [32, 25], [43, 4]];
const SHUT = [[-39, 18], [-29, 25], [-10, 32], [13, 32], [32, 25], [44, 13]]; // a blink
const GLAD = [[-38, 24], [-27, 8], [-9, -4], [11, -5], [30, 7], [42, 23]]; // shut and smiling
const IRIS = { wide: 34, high: 42, reachX: 13, reachY: 9 };
const SPIKE = (t) => 1 - t;
const RISE = [0, 9, 17, 17, 10, 0]; // of the lower lid when it smiles

/** What is drawn of an eye: {open 0-1.2, glad, smile, startle, heart 0-1, angle, x, y -1 to 1}. */
export class Eye {
  constructor(side, palette) {
    this.side = side;
    this.palette = palette;
    this.heart = polygonHeart();
  }

  place(pose, state) {
    this.pose = pose;
    this.state = state;
    const open = clamp(state.open, 0, 1.2), shut = SHUT.map((p, i) => mix(p, GLAD[i], state.glad));
    const lowOpen = LOWER.map(([u, v], i) => [u, v - RISE[i] * state.smile]);
    const down = clamp(open * 1.7);
    this.upper = sampled(UPPER.map((p, i) => mix(shut[i], p, open)), 13);
    this.lower = sampled(shut.map((p, i) => mix(p, lowOpen[i], down)), 13);
    this.shape = outline(this.upper.map(this.at), this.lower.map(this.at).reverse());
    this.gap = open;
  }

  /** From the eye's coordinates to the screen; `sharp` eyes rise outwards. */
  at = ([u, v]) => {
    const lift = (this.palette.sharp * 5 + this.state.angle * 8) * (u / 40) * (v < 10 ? 1 : 0.35);
    return this.pose.face((EYE.x + u) * this.side, EYE.y + v - lift);
  };

  draw(ctx) {
    if (this.gap > 0.06) {
      ctx.save();
      ctx.clip(this.shape);
      this.white(ctx);
      this.iris(ctx);
      this.shade(ctx);
      ctx.restore();
    }
    this.lashes(ctx);
  }

  white(ctx) {
    ctx.fillStyle = linear(
      ctx, this.at([0, -38]), this.at([0, 40]), [0, "#cfd0e6"], [0.35, "#fbfbff"], [1, "#ffffff"],
    );
    ctx.fill(this.shape);
  }

  iris(ctx) {
    const { state, pose } = this;
    const u = -2 * this.side + state.x * IRIS.reachX, v = 0 - state.y * IRIS.reachY;
    ctx.save();
    ctx.transform(...pose.decal(EYE.x * this.side + u, EYE.y + v));
    const shrink = lerp(1, 0.8, clamp(state.startle));
    ctx.scale(IRIS.wide * shrink, IRIS.high * shrink);
    this.ball(ctx);
    if (state.heart > 0.02) this.sign(ctx, this.heart, state.heart, "#ff4f86", "#ffd9e6");
    else this.pupil(ctx);
    ctx.restore();
    if (state.heart < 0.5) this.glints(ctx, u, v, shrink);
  }

  /** The coloured disc, of radius 1. */
  ball(ctx) {
    const { eye } = this.palette, disc = new Path2D();
    disc.arc(0, 0, 1, 0, 7);
    ctx.fillStyle = linear(
      ctx, [0, -1], [0, 1], [0, eye.top], [0.38, eye.mid], [0.72, eye.low], [1, eye.low],
    );
    ctx.fill(disc);
    ctx.fillStyle = radial(ctx, [0, 0.55], 0.75, [0, eye.glow], [0.4, `${eye.low}aa`], [1, `${eye.low}00`]);
    ctx.fill(disc);
    ctx.strokeStyle = eye.rim;
    ctx.lineWidth = 0.1;
    ctx.beginPath();
    ctx.arc(0, 0, 0.95, 0, 7);
    ctx.stroke();
    ctx.globalAlpha = 0.35; // rays
    ctx.lineWidth = 0.045;
    ctx.beginPath();
    for (let i = 0; i < 14; i++) {
      const a = 0.35 + (i / 13) * (Math.PI - 0.7);
      ctx.moveTo(Math.cos(a) * 0.5, Math.sin(a) * 0.5);
      ctx.lineTo(Math.cos(a) * 0.84, Math.sin(a) * 0.84);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
  }

  pupil(ctx) {
    const { eye, slit } = this.palette;
    ctx.fillStyle = eye.pupil;
    ctx.beginPath();
    ctx.ellipse(0, -0.06, lerp(0.42, 0.24, slit), lerp(0.42, 0.56, slit), 0, 0, 7);
    ctx.fill();
    ctx.fillStyle = eye.mid;
    ctx.globalAlpha = 0.5;
    ctx.beginPath();
    ctx.ellipse(0, 0.08, 0.15, 0.2, 0, 0, 7);
    ctx.fill();
    ctx.globalAlpha = 1;
  }

  sign(ctx, path, size, colour, edge) {
    ctx.save();
    ctx.scale(0.72 * size, 0.62 * size);
    ctx.fillStyle = colour;
    ctx.strokeStyle = edge;
    ctx.lineWidth = 0.12;
    ctx.stroke(path);
    ctx.fill(path);
    ctx.restore();
  }

  /** Reflections: they stay with the light, not with the gaze, and a bolt's spark is among them. */
  glints(ctx, u, v, shrink) {
    const [cx, cy] = [EYE.x * this.side + u * 0.75, EYE.y + v * 0.75];
    const at = (x, y) => this.pose.face(cx + x, cy + y, 3);
    const dot = (x, y, w, h, turn, alpha) => {
      const [px, py] = at(x * shrink, y * shrink);
      ctx.globalAlpha = alpha;
      ctx.beginPath();
      ctx.ellipse(px, py, w, h, turn, 0, 7);
      ctx.fill();
    };
    ctx.fillStyle = "#ffffff";
    dot(-10, -15, 8.6, 11, 0.35, 0.97);
    dot(11, 16, 4.4, 5.4, 0.3, 0.85);
    dot(-13, 9, 2.4, 3, 0, 0.75);
    const [sx, sy] = at(12, -9);
    ctx.globalAlpha = 0.9;
    ctx.fill(polygon(spark(sx, sy, 7)));
    ctx.globalAlpha = 1;
  }

  /** The upper lid's shadow. */
  shade(ctx) {
    const low = this.upper.map(([u, v]) => this.at([u, v + 12]));
    ctx.fillStyle = "rgba(66, 48, 112, 0.26)";
    ctx.fill(outline(this.upper.map(this.at), low.reverse()));
  }

  lashes(ctx) {
    const { lash } = this.palette.eye, open = clamp(this.gap);
    const [u, v] = this.upper[12], wing = [[u + 6, v - 4], [u + 12, v - 11 - 5 * this.palette.sharp]];
    const line = [...this.upper, ...wing].map(this.at);
    const weight = (t) => 0.16 + 0.84 * Math.sin(Math.PI * clamp(t * 0.7 + 0.02)) ** 1.3;
    const half = (t) => lerp(4.2, 6.2, open) * weight(t) * (1 - clamp((t - 0.86) / 0.14)) ** 0.8;
    const [left, right] = edges(line, half);
    ctx.fillStyle = lash;
    ctx.fill(outline(left, right.reverse()));
    this.spikes(ctx, lash, open);
    this.under(ctx, open);
    this.crease(ctx, open);
  }

  /** Single lashes at the outer corner. */
  spikes(ctx, colour, open) {
    ctx.fillStyle = colour;
    const up = lerp(lerp(-0.7, 1, clamp(open * 2.5)), 1, this.state.glad);
    for (const [i, du, dv] of [[8, 12, -15], [10, 15, -10]]) {
      const [u, v] = this.upper[i], [pu, pv] = this.upper[i - 1], [nu, nv] = this.upper[i + 1];
      const middle = [(u + nu) / 2 + du * 0.35, (v + nv) / 2 + dv * 0.4 * up];
      ink(ctx, [[pu, pv], middle, [u + du, v + dv * up]].map(this.at), 6.5, colour, SPIKE, 7);
    }
  }

  under(ctx, open) {
    if (open < 0.25) return;
    const { lash } = this.palette.eye;
    ctx.globalAlpha = clamp(open * 1.5 - 0.3) * 0.85;
    ink(ctx, this.lower.slice(5).map(this.at), 3.4, lash);
    ink(ctx, this.lower.slice(1, 7).map(this.at), 1.8, this.palette.skin.deep);
    ctx.globalAlpha = 1;
  }

  crease(ctx, open) {
    const lift = lerp(4, 10, open);
    ctx.globalAlpha = 0.75 * (1 - 0.7 * this.state.glad * (1 - open));
    const line = this.upper.slice(2, 12).map(([u, v]) => this.at([u * 1.02, v - lift]));
    ink(ctx, line, 2.4, this.palette.skin.line);
    ctx.globalAlpha = 1;
  }
}

function spark(x, y, r) {
  return Array.from({ length: 8 }, (_, i) => {
    const a = (i * Math.PI) / 4, k = i % 2 ? r * 0.32 : r;
    return [x + Math.cos(a) * k, y + Math.sin(a) * k];
  });
}

function polygonHeart() {
  return blob([[0, -0.42], [0.4, -0.78], [0.86, -0.56], [0.84, -0.02], [0.42, 0.5], [0, 0.86], [-0.42, 0.5],
    [-0.84, -0.02], [-0.86, -0.56], [-0.4, -0.78]]);
}
