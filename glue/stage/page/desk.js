// The operator's desk on the page: what holds, the next line, the panels. console.js gives it the show's events.

import { Course } from "./course.js";
import { Cues } from "./cues.js";
import { Journal } from "./journal.js";
import { look, make } from "./look.js";
import { Memory } from "./memory.js";
import { drawAir, drawBlocked, drawDoor, drawHealth, drawInbox, drawNames, drawVerdicts } from "./rows.js";
import { Tabs } from "./tabs.js";

const byId = (id) => document.getElementById(id);
const POLL = 1000; // milliseconds between two looks of a panel that shows
const TOLD = 8; // seconds that an effect is shown

const KEYS = [
  ["S", "skip this reply"], ["M", "mute"], ["P", "pause chat"], ["D", "dump what is not heard yet"],
  ["H", "hold every clause"], ["Y", "say the clause that waits"], ["E", "edit it"], ["X", "leave it out"],
  ["A", "say anyway what the filters held"], ["V", "talk: tap, or hold"], ["/", "write a chat line"],
  ["F", "search the journal"], ["1 – 7", "the panels"], ["Esc", "panic"],
];

export class Desk {
  /** `send(message)` reaches the show; `offset` makes the page's clock the show's. */
  constructor(story, send) {
    this.story = story;
    this.send = send;
    this.offset = 0;
    this.begun = 0;
    this.within = 30;
    this.hold = false;
    this.asked = 0;
    this.scores = new Map();
    this.told = 0;
    this.wish = this.wish.bind(this);
    this.cues = new Cues(byId("cues"), this.wish, () => this.now());
    const boxes = { query: byId("query"), search: byId("search"), found: byId("found"), more: byId("more"), opened: byId("opened") };
    this.journal = new Journal(boxes, () => this.begun);
    const memory = { form: byId("recall"), query: byId("reminder"), list: byId("memories"), words: byId("recalled"), file: byId("import"), told: byId("imported") };
    this.memory = new Memory(memory, this.wish);
    this.course = new Course(byId("go"), byId("end"), send, this.wish);
    this.tabs = new Tabs(byId("tabs"), () => this.look());
    this.forms();
    for (const [key, words] of KEYS) {
      const name = make("dt", "");
      name.append(make("kbd", "", key));
      byId("keys").append(name, make("dd", "", words));
    }
    setInterval(() => { this.look(); this.tick(); }, POLL);
  }

  now() { return performance.now() / 1000 + this.offset; }

  wish(wish, text = "") { return this.send({ kind: "wish", wish, text }); }

  /** A snapshot came: the show's clock, and what holds. */
  begin(snapshot) {
    this.offset = snapshot.now - performance.now() / 1000;
    this.settings();
    this.look();
  }

  /** What holds from now on: asked for whenever a wish was served, so that two pages agree. */
  async settings() {
    const number = ++this.asked;
    const held = await look("desk");
    if (!held || number !== this.asked) return; // a newer answer is on its way
    this.within = this.cues.within = held.anyway_within;
    this.hold = held.hold;
    this.begun = held.begun;
    byId("hold").setAttribute("aria-pressed", held.hold);
    byId("hold").firstElementChild.textContent = held.hold ? "Holding" : "Hold";
    if (document.activeElement !== byId("delay")) byId("delay").value = held.delay;
    byId("late").textContent = `${held.delay} s`;
    byId("delaying").dataset.on = held.delay > 0;
    for (const name of ["topic", "mood"]) if (document.activeElement !== byId(name)) byId(name).value = held[name];
    const option = (value) => Object.assign(make("option", "", value), { value });
    byId("moods").replaceChildren(...held.moods.map(option));
    const chosen = held.persona === this.persona ? byId("persona").value : held.persona; // and not sent yet
    byId("persona").replaceChildren(...held.cast.map(option));
    byId("persona").value = chosen;
    this.persona = held.persona;
    this.tellers(held, option);
    drawNames(byId("board"), held.sounds, (name) => this.wish("play", name), "No sound any more");
    drawNames(byId("songs"), held.songs, (name) => this.wish("sing", name && this.whose() + name), "No song any more");
    byId("counted").textContent = `${held.events.toLocaleString("en")} events`;
  }

  /** Whose voice says the operator's words: a choice where there are two, the first of the cast as it opens. */
  tellers({ cast, persona }, option) {
    const chosen = byId("teller").value;
    byId("teller").replaceChildren(...cast.map(option));
    byId("teller").value = cast.includes(chosen) ? chosen : persona;
    byId("voices").hidden = cast.length < 2;
  }

  /** What stands before words or a song: whose they are to be, where there are two. */
  whose() {
    return byId("voices").hidden ? "" : `${byId("teller").value}: `;
  }

  /** What a form sends: the words, and before them whose they are to be. */
  words(field) {
    return (field.id === "own" ? this.whose() : "") + field.value;
  }

  forms() {
    byId("hold").onclick = () => this.wish("hold", this.hold ? "never" : "always");
    byId("delay").oninput = () => { byId("late").textContent = `${byId("delay").value} s`; };
    byId("delay").onchange = () => { this.wish("delay", byId("delay").value); byId("delay").blur(); };
    byId("block").onsubmit = (event) => {
      event.preventDefault();
      if (this.wish("block", byId("word").value)) byId("word").value = "";
    };
    byId("timeout").onsubmit = (event) => {
      event.preventDefault();
      if (this.wish("timeout", `${byId("culprit").value} ${byId("howlong").value}`)) byId("culprit").value = "";
    };
    for (const form of document.querySelectorAll("form[data-wish]")) {
      const field = form.querySelector("input") ?? form.querySelector("select");
      form.onsubmit = (event) => {
        event.preventDefault();
        if (this.wish(form.dataset.wish, this.words(field)) && field.id === "own") field.value = "";
        field.blur();
      };
    }
  }

  /** An event came that this page must not miss. */
  take(event) {
    if (event.event === "LinesForgotten") this.journal.clear();
    if (event.event !== "OperatorServed") return;
    this.told = performance.now();
    this.settings();
    this.look();
  }

  draw() {
    const { served } = this.story;
    const fresh = served && performance.now() - this.told < TOLD * 1000;
    byId("effect").textContent = fresh ? `${served.what}: ${served.effect.split("\n")[0]}` : "";
    byId("effect").dataset.done = served?.done ?? true;
    this.course.draw(this.story.phase);
    this.tick();
    this.tabs.badge("Inbox", this.story.waiting.size || "");
    this.tabs.badge("Health", this.story.parts.size + this.story.air.faults.size || "");
  }

  tick() {
    this.cues.show(this.story);
    if (performance.now() - this.told > TOLD * 1000) byId("effect").textContent = "";
  }

  /** Ask for what the panel that shows needs. */
  async look() {
    if (document.hidden) return;
    switch (this.tabs?.name) {
      case "Inbox": {
        const waiting = await look("inbox");
        if (waiting) drawInbox({ waiting: byId("waiting"), closed: byId("closed") }, waiting, this.story, this.scores, this.wish);
        if (this.scores.size > 2000) this.scores.clear();
        break;
      }
      case "Safety": {
        drawVerdicts(byId("verdicts"), this.story, this.now(), this.within, this.wish);
        const [entries, door] = await Promise.all([look("blocklist"), look("door")]);
        if (entries) drawBlocked(byId("blocked"), entries, this.wish);
        if (door) drawDoor({ slowed: byId("slowed"), gap: byId("gap"), out: byId("out") }, door, this.wish);
        break;
      }
      case "Health": {
        const boxes = { air: byId("air"), onair: byId("onair"), stream: byId("stream"), warnings: byId("warnings") };
        drawAir(boxes, this.story.air, this.story.parts.get("broadcast"), this.now());
        const health = await look("health");
        if (health) drawHealth({ latency: byId("latency"), engines: byId("engines") }, health, this.wish);
        break;
      }
      case "Memory":
        await this.memory.draw();
        break;
      case "Journal":
        this.journal.follow();
        break;
      default:
    }
  }

  /** A key that belongs to the desk; true where it did something. */
  key(key) {
    const wishes = { y: "yes", x: "drop", a: "anyway" };
    if (wishes[key]) return this.wish(wishes[key]);
    if (key === "h") byId("hold").click();
    else if (key === "e") this.cues.edit();
    else if (key === "f") { this.tabs.open("Journal"); byId("query").focus(); }
    else if (key >= "1" && key <= "7") this.tabs.show(Number(key) - 1);
    else return false;
    return true;
  }
}

