// One character, drawn whole: from parameters and a mood to a picture, in the order of her layers.

import { Body } from "./body.js";
import { drawBrow } from "./brows.js";
import { Charms } from "./charms.js";
import { drawEffects } from "./effects.js";
import { Eye } from "./eyes.js";
import { FaceShape } from "./face.js";
import { clamp, lerp } from "./geometry.js";
import { Hair } from "./hair.js";
import { Mouth, shape } from "./mouth.js";
import { Pose } from "./pose.js";

export const BOX = { top: -362, width: 770, height: 822 }; // drawing units
const EYES_OPEN = 0.82; // the EyeOpen of an eye at ease

export class Avatar {
  constructor(palette) {
    this.palette = palette;
    this.pose = new Pose();
    this.body = new Body(palette);
    this.hair = new Hair(palette);
    this.face = new FaceShape(palette);
    this.mouth = new Mouth(palette);
    this.charms = new Charms(palette);
    this.eyes = [-1, 1].map((side) => new Eye(side, palette)); // her right eye is on the left
  }

  /** Work out where everything is at `time` (seconds), `dt` after the last picture; `speaking` 0-1. */
  place(params, mood, time, dt, speaking) {
    const { pose } = this, get = (name) => params[name] ?? 0;
    pose.set({
      turn: get("FaceAngleX"), nod: get("FaceAngleY"), tilt: get("FaceAngleZ"),
      x: get("FacePositionX") * 4, y: -get("FacePositionY") * 3, near: get("FacePositionZ"),
      breath: params.breath,
    });
    this.mood = mood;
    this.time = time;
    this.anger = clamp(mood.anger + 0.9 * get("FaceAngry"), -1.2, 1.2);
    const smile = clamp(get("MouthSmile") + mood.smile);
    const vowels = Object.fromEntries([..."AIUEO"].map((v) => [v, clamp(get(`Voice${v}`))]));
    vowels.O = Math.max(vowels.O, mood.round);
    // A mood that holds the mouth open would hide every syllable.
    const open = Math.max(get("MouthOpen"), mood.open * (1 - speaking));
    const form = shape({ open, smile, vowels, shift: clamp(get("MouthX"), -1, 1) });
    this.mouth.place(pose, form, {
      wave: mood.wave * (1 - form.gap), cat: mood.cat * (1 - clamp(form.gap * 3)),
      crook: mood.crook + this.palette.smirk * 0.5,
    });
    this.face.place(pose, form.gap, get("CheekPuff"));
    ["Right", "Left"].forEach((name, i) => this.eyes[i].place(pose, this.eye(params, name, mood)));
    this.browsUp = ["Right", "Left"].map((name) => lerp(get(`Brow${name}Y`), get("Brows"), 0.5) * 2 - 1);
    this.hair.place(pose, time, dt, 1);
    this.body.place(pose, dt);
    this.charms.place(pose);
  }

  eye(params, name, mood) {
    const open = Math.max(0, params[`EyeOpen${name}`] / EYES_OPEN) * (1 - 0.82 * mood.narrow) + mood.wide;
    return {
      open: open * (1 - clamp(mood.shut)),
      glad: clamp(mood.glad + mood.lowerLid * 0.6), smile: clamp(mood.lowerLid), startle: mood.startle,
      angle: mood.angle, heart: clamp(mood.heart),
      x: clamp(params[`Eye${name}X`] + mood.gazeX, -1, 1),
      y: clamp(params[`Eye${name}Y`] + mood.gazeY, -1, 1),
    };
  }

  draw(ctx) {
    const { body, hair, charms, face, mood } = this;
    hair.drawBehind(ctx);
    charms.drawBehind(ctx);
    body.drawBehind(ctx);
    body.draw(ctx);
    face.draw(ctx, (colour) => hair.drawShadow(ctx, colour), { blush: 0.32 + mood.blush, gloom: mood.gloom });
    this.mouth.draw(ctx);
    for (const eye of this.eyes) eye.draw(ctx);
    hair.drawFront(ctx);
    this.eyes.forEach((eye, i) => drawBrow(ctx, this.pose, eye.side, this.palette, {
      up: this.browsUp[i] + mood.brows + mood.lopsided * (i ? 0.8 : -0.4), anger: this.anger, bend: mood.bend,
    }));
    charms.draw(ctx);
    drawEffects(ctx, this.pose, this.palette, mood, this.time);
  }
}
