// The socket's pictures onto the page. All of it is shown as text: viewers' words do not get here anyway.

import { draw } from "./board.js";

const FIRST = 250, MOST = 4000; // milliseconds between two tries
const by = (id) => document.getElementById(id);
let wait = FIRST, closes = 0, window_s = 0;

function open() {
  const socket = new WebSocket(`ws://${location.host}/feed${location.search}`);
  socket.onopen = () => { wait = FIRST; };
  socket.onmessage = ({ data }) => show(JSON.parse(data));
  socket.onclose = () => {
    setTimeout(open, wait * (0.75 + Math.random() / 2));
    wait = Math.min(MOST, wait * 2);
  };
}

function show(table) {
  const other = table.her === "white" ? "black" : "white";
  const chat = table.names[1] === "Chat", near = chat ? other : table.her; // viewers see it from their side
  draw(by("board"), table, near);
  const turn = table.fen.split(" ")[1] === "w" ? "white" : "black";
  player(by(chat ? "far" : "near"), table.names[0], table.her, table.score.won, turn === table.her);
  player(by(chat ? "near" : "far"), table.names[1], other, table.score.lost, turn === other);
  by("status").textContent = table.status;
  by("moves").textContent = table.moves.slice(-14).join(" ");
  votes(table);
}

function player(place, name, colour, won, moves) {
  const dot = document.createElement("i"), label = document.createElement("span"), points = document.createElement("b");
  dot.className = colour;
  label.textContent = name;
  points.textContent = won;
  place.replaceChildren(dot, label, points);
  place.classList.toggle("moves", moves);
}

function votes({ votes, voters, closes_in }) {
  const bars = votes.map(([san, count]) => {
    const row = document.createElement("li"), bar = document.createElement("div");
    bar.className = "bar";
    bar.style.width = `${(100 * count) / voters}%`;
    row.append(bar, text(san), text(count));
    return row;
  });
  by("votes").replaceChildren(...bars);
  const now = performance.now();
  if (closes_in === null) closes = 0;
  else {
    if (!closes) window_s = closes_in;
    closes = now + closes_in * 1000;
    window_s = Math.max(window_s, closes_in);
  }
}

function text(value) {
  const made = document.createElement("span");
  made.textContent = value;
  return made;
}

function tick() {
  const clock = by("clock");
  clock.hidden = !closes;
  if (closes) {
    const bar = clock.firstChild ?? clock.appendChild(document.createElement("span"));
    bar.style.width = `${Math.max(0, Math.min(100, (closes - performance.now()) / (10 * window_s)))}%`;
  }
  requestAnimationFrame(tick);
}

open();
tick();
