// The pieces, drawn here, each in a square of 100 by 100: shapes that are filled, and marks that are lines.

const NS = "http://www.w3.org/2000/svg";
const FOOT = "M24 88 v-7 q0 -7 7 -7 h38 q7 0 7 7 v7 z";
const ball = (x, y, r) => `M${x - r} ${y} a${r} ${r} 0 1 0 ${2 * r} 0 a${r} ${r} 0 1 0 ${-2 * r} 0 z`;

const SHAPES = {
  p: { shapes: ["M35 74 q9 -12 9 -26 h12 q0 14 9 26 z", ball(50, 36, 14), FOOT], marks: [] },
  r: {
    shapes: ["M33 74 l4 -32 h26 l4 32 z", "M27 43 v-25 h11 v9 h7 v-9 h10 v9 h7 v-9 h11 v25 z", FOOT],
    marks: ["M36 51 h28"],
  },
  n: {
    shapes: ["M32 74 c-1 -15 13 -18 14 -30 l-13 7 q-6 4 -10 -1 q-3 -4 0 -8 l14 -19 l3 -11 l8 9 c20 1 29 22 23 53 z", FOOT],
    marks: ["M43 31 l4 1", "M56 27 q12 12 9 38"],
  },
  b: {
    shapes: ["M34 74 q9 -8 9 -20 h14 q0 12 9 20 z", "M50 17 c15 11 20 25 11 38 h-22 c-9 -13 -4 -27 11 -38 z", ball(50, 14, 5), FOOT],
    marks: ["M54 28 l-7 13"],
  },
  q: {
    shapes: ["M33 74 l-11 -42 l15 17 l4 -25 l9 23 l9 -23 l4 25 l15 -17 l-11 42 z",
      ball(22, 29, 5), ball(41, 21, 5), ball(59, 21, 5), ball(78, 29, 5), FOOT],
    marks: ["M36 64 h28"],
  },
  k: {
    shapes: ["M33 74 c-18 -20 -10 -37 4 -36 c8 0 12 6 13 10 c1 -4 5 -10 13 -10 c14 -1 22 16 4 36 z",
      "M46 12 h8 v8 h8 v8 h-8 v12 h-8 v-12 h-8 v-8 h8 z", FOOT],
    marks: ["M37 64 q13 -5 26 0"],
  },
};

/** An SVG group for a FEN letter; capitals are white. */
export function piece(letter) {
  const group = element("g", { class: `piece ${letter === letter.toUpperCase() ? "white" : "black"}` });
  const { shapes, marks } = SHAPES[letter.toLowerCase()];
  for (const d of shapes) group.append(element("path", { d }));
  for (const d of marks) group.append(element("path", { d, class: "mark" }));
  return group;
}

export function element(name, attributes) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
