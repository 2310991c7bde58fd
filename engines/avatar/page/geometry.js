// Curves and numbers that every part of the drawing uses. Points are [x, y].

export const clamp = (x, low = 0, high = 1) => Math.min(high, Math.max(low, x));
export const lerp = (a, b, t) => a + (b - a) * t;
export const mix = (p, q, t) => p.map((value, i) => lerp(value, q[i], t));
export const ease = (t) => t * t * (3 - 2 * t);

/** Add a smooth curve through `points` to the path (Catmull-Rom as cubics); its first point is a lineTo. */
export function through(path, points, closed = false, tension = 1) {
  const n = points.length, k = tension / 6;
  const get = closed ? (i) => points[(i + n) % n] : (i) => points[clamp(i, 0, n - 1)];
  path.lineTo(points[0][0], points[0][1]);
  for (let i = 0; i < (closed ? n : n - 1); i++) {
    const [a, b, c, d] = [get(i - 1), get(i), get(i + 1), get(i + 2)];
    path.bezierCurveTo(
      b[0] + (c[0] - a[0]) * k, b[1] + (c[1] - a[1]) * k,
      c[0] - (d[0] - b[0]) * k, c[1] - (d[1] - b[1]) * k, c[0], c[1],
    );
  }
}

/** A path of curves that meet in corners; closed. */
export function outline(...curves) {
  const path = new Path2D();
  path.moveTo(...curves[0][0]);
  for (const curve of curves) through(path, curve);
  path.closePath();
  return path;
}

/** A smooth closed path. */
export function blob(points) {
  const path = new Path2D();
  path.moveTo(...points[0]);
  through(path, points, true);
  path.closePath();
  return path;
}

/** A straight-edged closed path. */
export function polygon(points) {
  const path = new Path2D();
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
  return path;
}

/** Points at equal steps on the smooth curve through `points`. */
export function sampled(points, count) {
  const last = points.length - 1, found = [];
  for (let s = 0; s < count; s++) {
    const at = (s / (count - 1)) * last, i = Math.min(last - 1, Math.floor(at)), t = at - i;
    const [a, b, c, d] = [-1, 0, 1, 2].map((k) => points[clamp(i + k, 0, last)]);
    found.push(b.map((_, j) => 0.5 * (
      2 * b[j] + (c[j] - a[j]) * t + (2 * a[j] - 5 * b[j] + 4 * c[j] - d[j]) * t * t
      + (3 * b[j] - a[j] - 3 * c[j] + d[j]) * t * t * t
    )));
  }
  return found;
}

/** The two edges of a stroke along `spine` whose half width at t (0-1) is `half(t)`. */
export function edges(spine, half) {
  const left = [], right = [], last = spine.length - 1;
  spine.forEach(([x, y], i) => {
    const p = spine[Math.max(0, i - 1)], q = spine[Math.min(last, i + 1)];
    const dx = q[0] - p[0], dy = q[1] - p[1], w = half(i / last) / (Math.hypot(dx, dy) || 1);
    left.push([x + dy * w, y - dx * w]);
    right.push([x - dy * w, y + dx * w]);
  });
  return [left, right];
}

const TAPER = (t) => Math.sin(Math.PI * clamp(0.06 + 0.88 * t)) ** 0.7;

/** A line of ink: thin at its ends, `width` at its thickest, through `points`. */
export function ink(ctx, points, width, colour, profile = TAPER, samples = 11) {
  const [left, right] = edges(sampled(points, samples), (t) => (width / 2) * profile(t));
  ctx.fillStyle = colour;
  ctx.fill(outline(left, right.reverse()));
}

/** A gradient along a line; stops are [where, colour]. */
export function linear(ctx, [x0, y0], [x1, y1], ...stops) {
  const gradient = ctx.createLinearGradient(x0, y0, x1, y1);
  for (const [where, colour] of stops) gradient.addColorStop(where, colour);
  return gradient;
}

/** A gradient from a centre outwards. */
export function radial(ctx, [x, y], radius, ...stops) {
  const gradient = ctx.createRadialGradient(x, y, 0, x, y, radius);
  for (const [where, colour] of stops) gradient.addColorStop(where, colour);
  return gradient;
}

/** Fill a shape and draw its edge, `width` outside of it. */
export function edged(ctx, shape, line, fill, width = 3.6) {
  ctx.lineJoin = "round";
  ctx.strokeStyle = line;
  ctx.lineWidth = width * 2;
  ctx.stroke(shape);
  ctx.fillStyle = fill;
  ctx.fill(shape);
}
