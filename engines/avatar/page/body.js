// Draws neck and clothes: a top with a bolt, an open coat, a choker, two laces that swing.

import { edged, ink, linear, outline, polygon, sampled } from "./geometry.js";
import { Spring } from "./spring.js";

const BOTTOM = 660; // below the picture, so that no sway shows an end
const COLLAR_BACK = [[-120, 270], [-112, 226], [-74, 196], [0, 186], [74, 196], [112, 226], [120, 270]];
const SHOULDER = [[-50, 236], [-96, 258], [-148, 274], [-186, 308], [-206, 376], [-217, 470], [-226, BOTTOM]];
const OPENING = [[-78, BOTTOM], [-82, 480], [-74, 400], [-60, 320], [-54, 268], [-50, 236]];
const LAPEL = [ // three curves that meet in points
  [[-42, 224], [-64, 208], [-96, 242], [-122, 292]],
  [[-122, 292], [-96, 298], [-70, 318], [-50, 362]],
  [[-50, 362], [-52, 316], [-52, 268], [-42, 224]],
];
const TOP = [[-72, 246], [-52, 252], [-28, 268], [0, 274], [28, 268], [52, 252], [72, 246]];
const FOLDS = [
  [[-128, 300], [-138, 336], [-140, 380]], [[-104, 400], [-116, 440], [-112, 500]],
  [[-186, 440], [-170, 456], [-158, 460]],
];
const TAG = [[-4, -2], [4, -2], [3, 16], [-3, 16]]; // the end of a lace
const BOLT = [[12, -44], [-30, 8], [-5, 8], [-14, 46], [30, -10], [4, -10], [20, -44]];

export class Body {
  constructor(palette) {
    this.palette = palette;
    this.laces = [-1, 1].map(() => new Spring(1.3, 0.2, 30));
  }

  place(pose, dt) {
    this.pose = pose;
    this.neck = [-1, 1].map((s) => sampled([
      pose.head(s * 39, 96, -6), pose.head(s * 37, 140, -14), pose.body(s * 38, 206), pose.body(s * 52, 250),
    ], 9));
    this.swing = this.laces.map((spring, i) => spring.follow(pose.body(i ? 52 : -52, 400, 24), dt));
  }

  on = (points, z = 0, side = 1) => points.map(([x, y]) => this.pose.body(x * side, y, z));

  drawBehind(ctx) {
    const { coat } = this.palette, shape = outline(sampled(this.on(COLLAR_BACK, -30), 17));
    edged(
      ctx, shape, coat.line,
      linear(
        ctx, ...this.on([[0, 186], [0, 262]], -30), [0, coat.shade], [0.3, coat.lining], [1, coat.shade],
      ),
    );
  }

  drawNeck(ctx) {
    const { skin } = this.palette, [left, right] = this.neck;
    const chest = this.on([[-110, 262], [-90, 330], [90, 330], [110, 262]]);
    const shape = outline(left, chest.slice(0, 2), chest.slice(2), [...right].reverse());
    ctx.fillStyle = linear(ctx, left[0], right[4], [0, skin.base], [0.5, skin.base], [1, skin.shade]);
    ctx.fill(shape);
    const { head } = this.pose, [x, y] = head(0, 186, 30);
    const under = [head(-48, 120, 0), head(0, 160, 20), head(50, 120, 0)];
    const shadow = [under[2], [x + 44, y - 8], [x + 8, y + 16], [x - 34, y - 6], under[0]];
    ctx.save();
    ctx.clip(shape);
    ctx.fillStyle = skin.deep;
    ctx.globalAlpha = 0.55;
    ctx.fill(outline(under, shadow));
    ctx.globalAlpha = 1;
    ctx.restore();
    ink(ctx, left, 3.4, skin.line);
    ink(ctx, right, 3.4, skin.line);
    for (const s of [-1, 1]) ink(ctx, this.on([[s * 62, 254], [s * 38, 258], [s * 14, 266]]), 2.6, skin.deep);
  }

  draw(ctx) {
    this.drawNeck(ctx);
    this.choker(ctx);
    this.shirt(ctx);
    for (const side of [-1, 1]) this.coat(ctx, side);
    this.drawLaces(ctx);
  }

  choker(ctx) {
    const { ribbon, metal } = this.palette;
    const band = (y) => this.on([[-38, y - 6], [-20, y + 3], [0, y + 6], [20, y + 3], [38, y - 6]], 6);
    const shape = outline(band(206), band(218).reverse());
    edged(ctx, shape, ribbon.line, ribbon.base, 2.4);
    const [x, y] = this.pose.body(0, 232, 12);
    this.bolt(ctx, x, y, 0.3, metal, 2);
  }

  shirt(ctx) {
    const { top, metal } = this.palette, rim = sampled(this.on(TOP, 4), 15);
    const shape = outline(rim, this.on([[104, BOTTOM], [-104, BOTTOM]]));
    edged(
      ctx, shape, top.shade,
      linear(ctx, ...this.on([[-60, 250], [60, 520]]), [0, top.light], [0.5, top.base], [1, top.shade]),
    );
    ink(ctx, rim.map(([x, y]) => [x, y + 7]), 3, this.palette.coat.lace, () => 1);
    const [x, y] = this.pose.body(0, 352, 26);
    this.bolt(ctx, x, y, 1, metal, 3.4);
  }

  coat(ctx, side) {
    const { coat } = this.palette, arm = sampled(this.on(SHOULDER, -4, side), 19);
    const open = sampled(this.on(OPENING, 12, side), 15);
    const [near, far] = [this.pose.body(side * 40, 250), this.pose.body(side * 240, 470)];
    const body = linear(ctx, near, far, [0, coat.light], [0.45, coat.base], [1, coat.shade]);
    edged(ctx, outline(arm, open), coat.line, body, 4);
    ctx.fillStyle = coat.lining;
    ctx.fill(outline(open, open.map(([x, y]) => [x + side * 13, y]).reverse()));
    ink(ctx, open, 3, coat.line);
    this.folds(ctx, side);
    const lapel = outline(...LAPEL.map((curve) => sampled(this.on(curve, 18, side), 9)));
    edged(
      ctx, lapel, coat.line,
      linear(ctx, ...this.on([[-100, 240], [-56, 350]], 18, side), [0, coat.light], [1, coat.shade]), 3.4,
    );
    this.stripe(ctx, side);
  }

  folds(ctx, side) {
    const { coat } = this.palette;
    ctx.globalAlpha = 0.85;
    for (const fold of FOLDS) ink(ctx, this.on(fold, 0, side), 5, coat.shade);
    ctx.globalAlpha = 1;
    ink(ctx, this.on([[-146, 362], [-149, 420], [-158, 500], [-166, BOTTOM]], 0, side), 3.2, coat.line);
  }

  /** A zigzag down the sleeve. */
  stripe(ctx, side) {
    const zig = [[-172, 306], [-190, 352], [-176, 356], [-197, 410], [-182, 414], [-204, 480]];
    const points = this.on(zig, -2, side);
    ctx.strokeStyle = this.palette.coat.lace;
    ctx.lineWidth = 6;
    ctx.lineJoin = "miter";
    ctx.lineCap = "round";
    ctx.beginPath();
    points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    ctx.stroke();
  }

  drawLaces(ctx) {
    const { coat, metal } = this.palette;
    [-1, 1].forEach((side, i) => {
      const [dx, dy] = this.swing[i], [a, b, c] = this.on([[-54, 284], [-58, 340], [-54, 398]], 22, side);
      const end = [c[0] + dx, c[1] + dy * 0.4];
      ink(ctx, [a, [b[0] + dx * 0.4, b[1]], end], 6.4, coat.line, () => 1);
      ink(ctx, [a, [b[0] + dx * 0.4, b[1]], end], 3.6, coat.lace, () => 1);
      edged(ctx, polygon(TAG.map(([x, y]) => [end[0] + x, end[1] + y])), metal.line, metal.base, 2);
    });
  }

  bolt(ctx, x, y, size, metal, edge) {
    const shape = polygon(BOLT.map(([u, v]) => [x + u * size, y + v * size]));
    edged(
      ctx, shape, metal.line,
      linear(
        ctx, [x - 20 * size, y - 44 * size], [x + 20 * size, y + 44 * size], [0, metal.light],
        [0.4, metal.base], [1, metal.shade],
      ),
      edge,
    );
  }
}
