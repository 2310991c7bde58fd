// The board: squares, what is marked on them, and a FEN's pieces, seen from `near`'s side.

import { element, piece } from "./pieces.js";

const FILES = "abcdefgh", SIZE = 100;

export function draw(svg, { fen, last, check }, near) {
  const at = (square) => {
    const file = FILES.indexOf(square[0]), rank = Number(square[1]) - 1;
    return near === "white" ? [file * SIZE, (7 - rank) * SIZE] : [(7 - file) * SIZE, rank * SIZE];
  };
  const parts = [];
  const square = (name, kind) => {
    const [x, y] = at(name);
    parts.push(element("rect", { x, y, width: SIZE, height: SIZE, class: kind }));
  };
  for (const name of all()) square(name, shade(name));
  for (const name of last) square(name, "last");
  if (check) square(check, "check");
  for (const name of all()) letter(parts, name, at(name));
  for (const [name, letter] of pieces(fen)) {
    const drawn = piece(letter), [x, y] = at(name);
    drawn.setAttribute("transform", `translate(${x} ${y})`);
    drawn.dataset.square = name;
    parts.push(drawn);
  }
  svg.replaceChildren(...parts);
}

function* all() {
  for (const file of FILES) for (let rank = 1; rank <= 8; rank++) yield `${file}${rank}`;
}

const shade = (name) => (FILES.indexOf(name[0]) + Number(name[1])) % 2 ? "light" : "dark";

function letter(parts, name, [x, y]) {
  const put = (text, dx, dy) => {
    const made = element("text", { x: x + dx, y: y + dy, class: shade(name) });
    made.textContent = text;
    parts.push(made);
  };
  if (y === 7 * SIZE) put(name[0], SIZE - 16, SIZE - 7);
  if (x === 0) put(name[1], 6, 22);
}

function* pieces(fen) {
  const rows = fen.split(" ")[0].split("/");
  for (const [index, row] of rows.entries()) {
    let file = 0;
    for (const letter of row) {
      if (/\d/.test(letter)) file += Number(letter);
      else yield [`${FILES[file++]}${8 - index}`, letter];
    }
  }
}
