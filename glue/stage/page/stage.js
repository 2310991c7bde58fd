// The view for OBS: avatar, captions, sound. `?sound=0` leaves the sound to another page.

import { Captions } from "./caption.js";
import { Link } from "./link.js";
import { Sound } from "./sound.js";
import { Story } from "./story.js";

const PATIENCE = 1500; // milliseconds: OBS wakes the audio clock by itself, and shall never see the button
const byId = (id) => document.getElementById(id);
const wanted = new URLSearchParams(location.search).get("sound") !== "0";
const story = new Story();
const captions = new Captions(byId("captions"));
const sound = new Sound("stage", drawSound);
let settings = null;

window.spark = { audio: sound.audio, story };

new Link(take, () => {});

function take(message) {
  if (message.kind === "snapshot") begin(message);
  else if (message.event) note(message);
  captions.show(story.captions);
}

function note(event) {
  story.take(event);
  if (event.event === "PartRecovered" && event.part === "avatar") embed();
}

function begin(snapshot) {
  const first = settings === null;
  settings = snapshot;
  story.reset();
  snapshot.events.forEach((event) => story.take(event));
  if (!first) return;
  embed();
  if (!wanted || !snapshot.sound) return;
  sound.enable(snapshot.rate, false);
  setTimeout(drawSound, PATIENCE);
  document.addEventListener("click", () => sound.wake());
}

function embed() {
  byId("avatar").hidden = !settings.avatar;
  if (settings.avatar) byId("avatar").src = settings.avatar;
}

function drawSound() {
  byId("wake").hidden = sound.state !== "asleep" || performance.now() < PATIENCE;
}
