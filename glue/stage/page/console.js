// The operator's page: ties the socket, the story and the views together; draws at most once a frame.

import { Captions } from "./caption.js";
import { Conversation } from "./conversation.js";
import { Desk } from "./desk.js";
import { Games } from "./games.js";
import { Link } from "./link.js";
import { Mic } from "./mic.js";
import { Sound } from "./sound.js";
import { Story } from "./story.js";
import { Waterfall } from "./waterfall.js";

const byId = (id) => document.getElementById(id);
const story = new Story();
const conversation = new Conversation(byId("feed"));
const captions = new Captions(byId("captions"));
const waterfall = new Waterfall(byId("falls"), byId("legend"));
const games = new Games(byId("games"), (game, button, text) => send({ kind: "game", game, button, text }));
const desk = new Desk(story, send);
const sound = new Sound("console", () => draw());
const mic = new Mic(() => draw(), (why) => { byId("complaint").textContent = why; });
const changed = new Set(); // entries of the conversation to draw again
let settings = null; // the last snapshot
let connected = false;
let drawing = false;
let offered = false;

window.spark = { audio: sound.audio, story, mic };

// The token has done its work once the cookie is there: keep it out of screenshots of the address bar.
if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname);

const link = new Link(take, (open) => {
  connected = open;
  draw();
});

function take(message) {
  if (message.kind === "snapshot") begin(message);
  else if (message.kind === "player") offer(message.sound, message.name);
  else if (message.kind === "error") byId("complaint").textContent = message.text;
  else note(message);
  draw();
}

function note(event) {
  for (const entry of story.take(event)) changed.add(entry);
  desk.take(event);
  if (event.event === "PartRecovered" && event.part === "avatar") embed(settings.avatar);
}

function begin(snapshot) {
  const before = settings;
  settings = snapshot;
  story.reset();
  conversation.reset();
  changed.clear();
  for (const event of snapshot.events) for (const entry of story.take(event)) changed.add(entry);
  if (snapshot.missed) byId("complaint").textContent = `This page was too slow: ${snapshot.missed} event${snapshot.missed === 1 ? "" : "s"} skipped.`;
  if (before?.rate && before.rate !== snapshot.rate) location.reload(); // an audio clock keeps its rate
  if (before?.avatar !== snapshot.avatar) embed(snapshot.avatar);
  desk.begin(snapshot);
  offer(snapshot.sound, snapshot.player);
  byId("mic").hidden = !snapshot.mic;
}

/** The show has sound for pages, or not; where no page plays it yet, this one offers itself once. */
function offer(there, player) {
  sound.player = player;
  byId("sound").hidden = !there;
  if (!there || offered) return;
  offered = true;
  if (!player) sound.enable(settings.rate, false);
}

/** Her picture is served on this machine alone: a phone that comes through a tunnel does without. */
function embed(served) {
  const address = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname) ? served : "";
  byId("avatar").hidden = !address;
  byId("nobody").hidden = Boolean(address);
  if (address) byId("avatar").src = address;
}

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    conversation.show(changed);
    changed.clear();
    captions.show(story.captions);
    waterfall.show(story.turns());
    games.show(story.games);
    desk.draw();
    drawState();
    drawSound();
    drawMic();
  });
}

function drawState() {
  const doing = connected ? story.doing() : "away";
  byId("doing").dataset.doing = doing;
  byId("doing").firstChild.textContent = connected ? doing : "not connected: trying again";
  const waiting = story.waiting.size;
  byId("queue").textContent = waiting ? `${waiting} waiting` : story.paused ? "chat is paused" : "";
  byId("sight").hidden = !story.sight;
  byId("sight").dataset.dropped = story.sight?.dropped ?? false;
  byId("seen").textContent = story.sight?.words ?? "";
  byId("looksat").textContent = story.sight?.source ?? "";
  press("mute", story.muted, "Muted", "Mute");
  press("pause", story.paused, "Chat paused", "Pause chat");
  press("panic", story.stopped, "Back on air", "Panic");
  byId("parts").replaceChildren(...[...story.parts].map(([part, why]) => {
    const item = document.createElement("li");
    item.textContent = `${part} is down: ${why}`;
    item.title = item.textContent;
    return item;
  }));
}

function press(id, pressed, on, off) {
  byId(id).setAttribute("aria-pressed", pressed);
  byId(id).firstElementChild.textContent = pressed ? on : off;
}

function drawSound() {
  const words = {
    off: sound.player ? `Sound: ${sound.player} page` : "Play sound here",
    asleep: "Sound: click the stage",
    standby: `Sound: ${sound.player || "another"} page`,
    playing: "Sound plays here",
  };
  byId("sound").textContent = words[sound.state];
  byId("sound").setAttribute("aria-pressed", sound.state === "playing");
  byId("sound").title = sound.state === "playing" ? "Switch the sound off here" : "Play the sound on this page";
  byId("wake").hidden = sound.state !== "asleep" || Boolean(sound.player);
}

function drawMic() {
  const words = { off: "Talk to her (V)", asking: "May I listen?", on: mic.heard ? "She hears you" : "Another page is heard" };
  byId("mic").textContent = words[mic.state];
  byId("mic").setAttribute("aria-pressed", mic.state === "on");
  byId("mic").title = "V: on and off; held: only while you hold it";
}

const BUTTONS = {
  skip: () => "skip",
  mute: () => (story.muted ? "unmute" : "mute"),
  pause: () => (story.paused ? "resume_chat" : "pause_chat"),
  dump: () => "dump",
  panic: () => (story.stopped ? "go" : "panic"),
};
function push(id) { send({ kind: "button", text: BUTTONS[id]() }); }
for (const id of Object.keys(BUTTONS)) byId(id).onclick = () => push(id);

function send(message) {
  const sent = link.send(message);
  byId("complaint").textContent = sent ? "" : "Not connected: this was not sent.";
  return sent;
}

byId("sound").onclick = () => {
  if (sound.state === "playing") sound.disable();
  else sound.enable(settings.rate, true);
};
byId("mic").onclick = () => (mic.state === "off" ? mic.start() : mic.stop());
byId("wake").onclick = () => sound.wake();

byId("author").value = localStorage.getItem("author") ?? "operator";
byId("say").onsubmit = (event) => {
  event.preventDefault();
  const text = byId("line").value.trim();
  localStorage.setItem("author", byId("author").value);
  if (text && send({ kind: "chat", author: byId("author").value, text })) byId("line").value = "";
};

// V tapped switches the microphone; V held is push-to-talk.
const HELD = 400; // milliseconds
let pressedAt = 0, startedByKey = false;
function talkKey(down) {
  if (byId("mic").hidden) return;
  if (down) {
    pressedAt = performance.now();
    startedByKey = mic.state === "off";
    if (startedByKey) mic.start();
  } else if (!startedByKey || performance.now() - pressedAt > HELD) mic.stop();
}
document.addEventListener("keyup", (event) => {
  if (event.key.toLowerCase() !== "v" || !pressedAt) return;
  talkKey(false);
  pressedAt = 0;
});
window.addEventListener("blur", () => { // the key is released somewhere else, and nobody here is told
  if (pressedAt) mic.stop();
  pressedAt = 0;
});

const KEYS = { s: "skip", m: "mute", p: "pause", d: "dump" };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (!story.stopped) push("panic"); // pressed twice in alarm, it must not start her again
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
  if (event.repeat) return;
  if (event.key === "v") talkKey(true);
  if (KEYS[event.key]) push(KEYS[event.key]);
  else if (desk.key(event.key)) event.preventDefault();
  if (event.key === "/") {
    event.preventDefault();
    byId("line").focus();
  }
});
