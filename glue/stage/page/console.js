// The operator's page: ties the socket, the story and the views together; draws at most once a frame.

import { Captions } from "./caption.js";
import { Conversation } from "./conversation.js";
import { Link } from "./link.js";
import { Sound } from "./sound.js";
import { Story } from "./story.js";
import { Waterfall } from "./waterfall.js";

const byId = (id) => document.getElementById(id);
const story = new Story();
const conversation = new Conversation(byId("feed"));
const captions = new Captions(byId("captions"));
const waterfall = new Waterfall(byId("falls"), byId("legend"));
const sound = new Sound("console", () => draw());
const changed = new Set(); // entries of the conversation to draw again
let settings = null; // the last snapshot
let connected = false;
let drawing = false;
let offered = false;

window.spark = { audio: sound.audio, story };

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
  const entry = story.take(event);
  if (entry) changed.add(entry);
  if (event.event === "PartRecovered" && event.part === "avatar") embed(settings.avatar);
}

function begin(snapshot) {
  const before = settings;
  settings = snapshot;
  story.reset();
  conversation.reset();
  changed.clear();
  for (const event of snapshot.events) {
    const entry = story.take(event);
    if (entry) changed.add(entry);
  }
  if (snapshot.missed) byId("complaint").textContent = `This page was too slow: ${snapshot.missed} events skipped.`;
  if (before?.rate && before.rate !== snapshot.rate) location.reload(); // an audio clock keeps its rate
  if (before?.avatar !== snapshot.avatar) embed(snapshot.avatar);
  offer(snapshot.sound, snapshot.player);
}

/** The show has sound for pages, or not; where no page plays it yet, this one offers itself once. */
function offer(there, player) {
  sound.player = player;
  byId("sound").hidden = !there;
  if (!there || offered) return;
  offered = true;
  if (!player) sound.enable(settings.rate, false);
}

function embed(address) {
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
    drawState();
    drawSound();
  });
}

function drawState() {
  const doing = connected ? story.doing() : "away";
  byId("doing").dataset.doing = doing;
  byId("doing").firstChild.textContent = connected ? doing : "not connected: trying again";
  const waiting = story.waiting.size;
  byId("queue").textContent = waiting ? `${waiting} waiting` : story.paused ? "chat is paused" : "";
  press("mute", story.muted, "Muted", "Mute");
  press("pause", story.paused, "Chat paused", "Pause chat");
  press("stop", story.stopped, "Stopped. Go on", "Stop everything");
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

const BUTTONS = {
  skip: () => "skip",
  mute: () => (story.muted ? "unmute" : "mute"),
  pause: () => (story.paused ? "resume_chat" : "pause_chat"),
  stop: () => (story.stopped ? "go" : "stop"),
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
byId("wake").onclick = () => sound.wake();

byId("author").value = localStorage.getItem("author") ?? "operator";
byId("say").onsubmit = (event) => {
  event.preventDefault();
  const text = byId("line").value.trim();
  localStorage.setItem("author", byId("author").value);
  if (text && send({ kind: "chat", author: byId("author").value, text })) byId("line").value = "";
};

const KEYS = { s: "skip", m: "mute", p: "pause" };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (!story.stopped) push("stop"); // pressed twice in alarm, it must not start her again
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  if (KEYS[event.key]) push(KEYS[event.key]);
  if (event.key === "/") {
    event.preventDefault();
    byId("line").focus();
  }
});
