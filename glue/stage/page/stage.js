// The view for OBS: avatar, captions, sound. `?sound=0` leaves the sound to another page, `?captions=0` the
// captions to a text source. `?who=evil` is the view of one of two: her picture, which rests while the other
// one speaks, and her words.

import { Captions } from "./caption.js";
import { Link } from "./link.js";
import { Sound } from "./sound.js";
import { Story } from "./story.js";

const PATIENCE = 1500; // milliseconds: OBS wakes the audio clock by itself, and shall never see the button
const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const wanted = query.get("sound") !== "0", who = query.get("who");
const story = new Story();
const captions = new Captions(byId("captions"));
const sound = new Sound("stage", drawSound);
let settings = null, rests = who !== null;

window.spark = { audio: sound.audio, story };
byId("captions").hidden = query.get("captions") === "0";

new Link(take, () => {});
document.addEventListener("click", () => sound.wake());
byId("avatar").addEventListener("load", tell);

function take(message) {
  if (message.kind === "snapshot") begin(message);
  else if (message.kind === "player") offer(message.sound);
  else if (message.event) note(message);
  captions.show(new Map([...story.captions].filter(([name]) => who === null || name === who)));
}

function note(event) {
  story.take(event);
  if (event.event === "PartRecovered" && event.part === "avatar") embed();
  if (who === null || event.event !== "CaptionShown" || rests === (event.who !== who)) return;
  rests = event.who !== who;
  tell();
}

/** The avatar's page knows of one who is moved; whether that is this one only the captions say. */
function tell() {
  if (who !== null) byId("avatar").contentWindow.postMessage({ rests }, new URL(settings.avatar).origin);
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
  if (!settings.avatar) return;
  const address = new URL(settings.avatar);
  if (who !== null) address.searchParams.set("who", who);
  byId("avatar").src = address;
}

function drawSound() {
  byId("wake").hidden = sound.state !== "asleep" || performance.now() < PATIENCE;
}
