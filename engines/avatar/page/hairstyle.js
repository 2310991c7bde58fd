// The shapes of her hair, seen from the front: spines [x, y, z] from root to tip, and widths.
//
// `lag`: how far the tip may swing; `hang`: how much it keeps hanging straight down when the head tilts.

import { surface } from "./pose.js";

const sunk = ([x, y, z]) => [x, y, y < -160 ? z - 12 : z]; // roots lie within the hair that they come from
const onFace = (points, above) => points.map(([x, y]) => [x, y, surface(x, y) + above]);
const flat = (points, z) => points.map(([x, y]) => [x, y, z]);
const other = (lock) => ({ ...lock, spine: lock.spine.map(([x, y, z]) => [-x, y, z]), side: -lock.side });

const bang = (width, lag, ...points) => ({
  kind: "bang", spine: onFace(points, 13).map(sunk), width, lag,
  hang: 0.12, pace: 2.6, side: Math.sign(points[3][0]),
});
const lock = (kind, z, width, lag, hang, pace, ...points) => ({
  kind, spine: flat(points, z), width, lag, hang, pace, side: Math.sign(points[3][0]),
});

export const BANGS = [
  bang(64, 10, [-34, -202], [-92, -164], [-126, -100], [-141, 2]),
  bang(64, 10, [62, -200], [110, -164], [132, -100], [139, 4]),
  bang(62, 9, [-16, -206], [-58, -168], [-92, -104], [-108, -6]),
  bang(60, 9, [50, -204], [82, -168], [98, -106], [97, -14]),
  bang(56, 8, [2, -208], [-24, -168], [-52, -102], [-66, -16]),
  bang(50, 8, [38, -206], [52, -168], [58, -106], [47, -24]),
  bang(54, 8, [22, -208], [14, -168], [-6, -98], [-17, 12]),
];

const CHEEK = [
  lock("side", 34, 52, 22, 0.5, 1.7, [-122, -140], [-160, -40], [-158, 92], [-122, 222]),
  lock("side", 46, 28, 18, 0.4, 2.0, [-116, -110], [-139, -20], [-137, 70], [-112, 150]),
];
export const SIDES = [...CHEEK, ...CHEEK.map(other)];

const TAIL = [
  lock("tail", -46, 66, 46, 0.62, 0.95, [-158, -136], [-262, -150], [-318, 20], [-296, 214]),
  lock("tail", -34, 62, 40, 0.62, 1.15, [-166, -138], [-220, -120], [-236, 50], [-196, 216]),
  lock("tail", -38, 96, 44, 0.62, 1.0, [-156, -134], [-240, -160], [-288, 20], [-240, 284]),
];
export const TAILS = [...TAIL, ...TAIL.map(other)];

const NAPE = [
  lock("back", -56, 78, 16, 0.4, 1.4, [-96, 40], [-128, 100], [-134, 170], [-116, 252]),
  lock("back", -60, 80, 14, 0.4, 1.5, [-50, 60], [-76, 120], [-84, 190], [-62, 262]),
];
export const BACK = [...NAPE, ...NAPE.map(other)];

/** The hair on the skull: its rim, then the hairline from right to left. */
export const CAP = {
  rim: flat([
    [-150, 14], [-163, -76], [-148, -160], [-96, -224], [0, -250],
    [96, -224], [148, -160], [163, -76], [150, 14],
  ], 4),
  hairline: onFace([
    [138, -50], [128, -72], [92, -104], [40, -124], [0, -128],
    [-40, -124], [-92, -104], [-128, -72], [-138, -50],
  ], 8),
};

export const SKULL = flat([
  [-146, -60], [-162, 20], [-156, 110], [-112, 176], [0, 196], [112, 176], [156, 110], [162, 20], [146, -60],
  [130, -170], [0, -230], [-130, -170],
], -50);

/** The lock that stands up: a bolt of lightning, from its root; half of it is thickness. */
export const AHOGE = [
  [-6, -238], [-34, -284], [-10, -285], [-30, -338], [30, -276], [8, -274], [22, -240],
];

/** Where the light falls on the crown: streaks [x, y, length, width], along the grain of the hair. */
export const SHINE = [
  [-118, -126, 26, 7], [-103, -136, 46, 13], [-88, -150, 34, 9], [-72, -154, 54, 15], [-54, -166, 34, 9],
  [-37, -166, 58, 16], [-18, -174, 38, 10], [4, -172, 60, 16], [24, -174, 36, 9],
  [42, -166, 54, 15], [60, -162, 34, 9],
  [76, -152, 52, 14], [92, -146, 32, 9], [106, -134, 44, 12], [119, -124, 24, 7],
];
