// The view for OBS: avatar, captions, sound. `?sound=0` leaves the sound to another page, `?captions=0` the
// captions to a text source. `?who=evil` is the view of one of two: her picture, which rests while the other
// one speaks, and her words. `?asked=1` (or console.asked) shows the line of chat that she answers, too.

import { Asked, asked } from "./asked.js";
import { Captions } from "./caption.js";
import { Link } from "./link.js";
import { Sound } from "./sound.js";
import { Story } from "./story.js";

const PATIENCE = 1500; // milliseconds: OBS wakes the audio clock by itself, and shall never see the button
const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const wanted = query.get("sound") !== "0", captioned = query.get("captions") !== "0", who = query.get("who");
const story = new Story();
const captions = new Captions(byId("captions")), plate = new Asked(byId("asked"));
const sound = new Sound("stage", drawSound);
let settings = null, rests = who !== null;

window.spark = { audio: sound.audio, story };
byId("captions").hidden = !captioned;

new Link(take, () => {});
document.addEventListener("click", () => sound.wake());
byId("avatar").addEventListener("load", tell);

function take(message) {
  if (message.kind === "snapshot") begin(message);
  else if (message.kind === "player") offer(message.sound);
  else if (message.event) note(message);
  const mine = ([name]) => who === null || name === who;
  if (captioned) captions.show(new Map([...story.captions].filter(mine)));
  if (byId("captions").dataset.asked) plate.show([...asked(story)].find(mine)?.[1]);
}

function note(event) {
  story.take(event);
  if (event.event === "PartRecovered" && event.part === "avatar") embed(true);
  if (event.event === "StageTaken") embed();
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
  embed();
  offer(snapshot.sound);
  const shows = query.has("asked") ? query.get("asked") !== "0" : snapshot.asked;
  byId("captions").dataset.asked = !shows ? "" : captioned ? "above" : "alone";
  byId("captions").hidden = !captioned && !shows;
}

function offer(there) {
  if (!there || !wanted || sound.wanted) return;
  sound.enable(settings.rate, false);
  setTimeout(drawSound, PATIENCE);
}

/** Her picture; a page that is there is loaded again where she wears something else now, or its server was away. */
function embed(again = false) {
  byId("avatar").hidden = !settings.avatar;
  if (!settings.avatar) return;
  const address = new URL(settings.avatar);
  if (who !== null) address.searchParams.set("who", who);
  if (story.looks.get(who)) address.searchParams.set("look", story.looks.get(who));
  if (again || byId("avatar").src !== address.href) byId("avatar").src = address.href;
}

function drawSound() {
  byId("wake").hidden = sound.state !== "asleep" || performance.now() < PATIENCE;
}
