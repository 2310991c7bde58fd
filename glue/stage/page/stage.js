// The view for OBS: avatar, captions, sound. `?sound=0` leaves the sound to another page, `?captions=0` the
// captions to a text source.

import { Captions } from "./caption.js";
import { Link } from "./link.js";
import { Sound } from "./sound.js";
import { Story } from "./story.js";

const PATIENCE = 1500; // milliseconds: OBS wakes the audio clock by itself, and shall never see the button
const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const wanted = query.get("sound") !== "0";
const story = new Story();
const captions = new Captions(byId("captions"));
const sound = new Sound("stage", drawSound);
let settings = null;

window.spark = { audio: sound.audio, story };
byId("captions").hidden = query.get("captions") === "0";

new Link(take, () => {});
document.addEventListener("click", () => sound.wake());

function take(message) {
  if (message.kind === "snapshot") begin(message);
  else if (message.kind === "player") offer(message.sound);
  else if (message.event) note(message);
  captions.show(story.captions);
}

function note(event) {
  story.take(event);
  if (event.event === "PartRecovered" && event.part === "avatar") embed();
}

function begin(snapshot) {
  const before = settings;
  settings = snapshot;
  story.reset();
  snapshot.events.forEach((event) => story.take(event));
  if (before?.rate && before.rate !== snapshot.rate) location.reload(); // an audio clock keeps its rate
  if (before?.avatar !== snapshot.avatar) embed();
  offer(snapshot.sound);
}

function offer(there) {
  if (!there || !wanted || sound.wanted) return;
  sound.enable(settings.rate, false);
  setTimeout(drawSound, PATIENCE);
}

function embed() {
  byId("avatar").hidden = !settings.avatar;
  if (settings.avatar) byId("avatar").src = settings.avatar;
}

function drawSound() {
  byId("wake").hidden = sound.state !== "asleep" || performance.now() < PATIENCE;
}
