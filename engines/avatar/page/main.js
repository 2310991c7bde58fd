// The page: fits her into the window, draws her up to 60 times a second, follows the feed.
//
// `?look=Spark Evil` (a model), or `?who=main|evil` (its palette), keeps one look whatever the server says; `?scale=1.2`
// makes her larger than what fits. The page around this one may say {rests: true}: another one is moved, and this one
// only lives.

import { Avatar, BOX } from "./avatar.js";
import { clamp } from "./geometry.js";
import { Inputs } from "./inputs.js";
import { Link } from "./link.js";
import { Mood } from "./moods.js";
import { LOOKS, PALETTES } from "./palettes.js";

const FRAME = 1000 / 60; // milliseconds: faster screens do not make her smoother, only dearer
const PATIENCE = 1500; // milliseconds until she shows herself without a server
const DENSE = 2; // canvas pixels per CSS pixel, at most
const ROOM = 100; // drawing units at each side, where the window has them: hair swings out of the box
const KEPT = 900; // frames whose mouth is remembered
const query = new URLSearchParams(location.search);
const canvas = document.getElementById("avatar"), ctx = canvas.getContext("2d");
const inputs = new Inputs(), mood = new Mood();
const SHARE = software() ? { idle: 0.6, speaking: 2 / 3 } : { idle: 1, speaking: 1 }; // of the frames: 36, 40 or 60
const own = [LOOKS[query.get("look")], query.get("who")].find((name) => name in PALETTES) ?? null;
let turn = 0, rests = false, injected = false, worn = {};
let avatar = null, look = null, view = { scale: 1, pixels: 1, width: BOX.width }, last = 0;

window.spark = {
  params: {}, // as drawn
  fps: 0,
  frames: 0,
  look: () => look ?? "",
  mouthAt: [], // [performance.now(), mouth()] of the last frames
  mouth: () => (avatar ? avatar.mouth.opening() * view.scale : 0), // CSS pixels
};

function fit() {
  const wish = Number(query.get("scale")) || 1;
  const scale = Math.min(innerWidth / BOX.width, innerHeight / BOX.height) * wish;
  const dense = Math.min(DENSE, devicePixelRatio || 1);
  const width = Math.max(BOX.width, Math.min(BOX.width + 2 * ROOM, innerWidth / scale));
  view = { scale, pixels: scale * dense, width };
  canvas.width = Math.max(1, Math.round(width * view.pixels));
  canvas.height = Math.max(1, Math.round(BOX.height * view.pixels));
  canvas.style.width = `${width * scale}px`;
  canvas.style.height = `${BOX.height * scale}px`;
}

/** Whether a processor core does the graphics card's work. */
function software() {
  const gl = document.createElement("canvas").getContext("webgl");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl ? gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER) : "none";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /none|swiftshader|llvmpipe|software|basic render/i.test(name);
}

function frame(now) {
  requestAnimationFrame(frame);
  if (!avatar || now - last < FRAME - 4) return;
  turn += inputs.speaking < 0.5 ? SHARE.idle : SHARE.speaking;
  if (turn < 1) return;
  turn -= 1;
  const dt = clamp((now - last) / 1000, 0.001, 0.25);
  last = now;
  window.spark.fps += (1 / dt - window.spark.fps) * 0.06;
  window.spark.frames += 1;
  const params = inputs.step(now / 1000, dt);
  window.spark.params = params;
  avatar.place(params, mood.step(dt), now / 1000, dt, inputs.speaking);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  ctx.setTransform(view.pixels, 0, 0, view.pixels, (view.width / 2) * view.pixels, -BOX.top * view.pixels);
  avatar.draw(ctx);
  remember();
}

function remember() {
  const { mouthAt, mouth } = window.spark;
  mouthAt.push([performance.now(), mouth()]);
  if (mouthAt.length > KEPT) mouthAt.splice(0, KEPT / 3);
}

/** Put on a look; a change fades through nothing. */
async function wear(name) {
  if (name === look) return;
  look = name;
  if (avatar) await fade(1, 0, 140);
  if (name !== look) return; // changed again meanwhile
  avatar = name in PALETTES ? new Avatar(PALETTES[name]) : null;
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  if (avatar) fade(0, 1, 220);
}

const fade = (from, to, duration) =>
  canvas.animate(
    [{ opacity: from }, { opacity: to }], { duration, easing: "ease-in-out", fill: "forwards" },
  ).finished;

/** VTube Studio's place: the window is -1 to 1, `size` -100 to 100 with 0 as it fits. */
function put({ positionX, positionY, rotation, size }) {
  const larger = 1.02 ** size;
  const place = `translate(${positionX * 50}vw, ${-positionY * 50}vh)`;
  canvas.style.transform = `${place} rotate(${rotation}deg) scale(${larger})`;
}

function take(message) {
  const now = performance.now() / 1000;
  if ("palette" in message) wear(own ?? (message.model ? message.palette : ""));
  if ("expressions" in message) worn = message.expressions;
  if ("position" in message) put(message.position);
  const values = message.params ?? message.p ?? {};
  inputs.take(values, now);
  if ("injected" in message) ({ injected } = message);
  if ("expressions" in message || "injected" in message) follow();
}

function follow() {
  inputs.injected = injected && !rests;
  mood.want(rests ? {} : worn);
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || source === window || typeof data?.rests !== "boolean") return;
  ({ rests } = data);
  follow();
});

addEventListener("resize", fit);
fit();
new Link(take, () => { injected = false; worn = {}; follow(); });
setTimeout(() => { if (look === null) wear(own ?? "main"); }, PATIENCE);
requestAnimationFrame(frame);
