// Viewers' lines with their fates, and her replies as far as they have been heard. Text only, never HTML.

import { halves } from "./caption.js";
import { make } from "./look.js";

const NEAR = 80; // pixels from the end that still count as reading the newest
const KEPT = 200; // elements
const FATES = { // every Fate of glue/events.py
  answered: "answered", ignored: "let go", duplicate: "duplicate", continued: "they went on",
  echo: "her own voice", spam: "spam", overflow: "inbox full", paused: "chat paused", early: "before the show",
  blocked: "blocked",
  skipped: "skipped", silent: "no words", failed: "failed", unheard: "show ended", voted: "a vote in the game",
  removed: "removed", dumped: "dumped before it was heard",
};

/** The same name has the same colour all evening. */
function hue(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 360;
  return sum;
}

export class Conversation {
  constructor(box) {
    this.box = box;
    this.elements = new Map(); // entry -> element
    this.newest = true; // is what the operator looks at: a box that changes its size stays there
    box.addEventListener("scroll", () => { this.newest = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR; });
    new ResizeObserver(() => this.follow()).observe(box);
  }

  reset() {
    this.elements.clear();
    this.box.replaceChildren();
  }

  /** Draw the entries that changed. */
  show(entries) {
    for (const entry of entries) {
      const element = this.elements.get(entry) ?? this.add(entry);
      if (entry.kind === "line") this.line(element, entry);
      else this.reply(element, entry);
    }
    while (this.elements.size > KEPT) {
      const [oldest, element] = this.elements.entries().next().value;
      this.elements.delete(oldest);
      element.remove();
    }
    this.follow();
  }

  follow() {
    if (this.newest) this.box.scrollTop = this.box.scrollHeight;
  }

  add(entry) {
    const element = make("li", entry.kind);
    const name = make("span", "name", entry.kind === "line" ? entry.line.author : entry.name);
    if (entry.kind === "line") {
      name.style.setProperty("--hue", hue(entry.line.author));
      element.dataset.source = entry.line.source; // the badge, drawn by the style sheet
      if (entry.line.deed) element.dataset.deed = entry.line.deed;
    }
    element.append(name, make("span", "text"), make("span", "fate"));
    this.elements.set(entry, element);
    this.box.append(element);
    return element;
  }

  line(element, { line, fate, removed, forgotten, screened, why }) {
    element.children[0].textContent = line.author;
    element.children[1].textContent = forgotten ? "(forgotten)" : removed ? "(removed by a moderator)" : line.text;
    element.dataset.fate = fate || "waiting";
    if (screened) element.dataset.screened = screened;
    const told = screened === "flagged" ? "look at this" : screened === "sanitised" ? "sanitised" : "";
    const notes = [told, fate ? FATES[fate] ?? fate : ""].filter(Boolean).join(", ");
    element.children[2].textContent = why ? `${notes}: ${why}` : notes;
  }

  reply(element, turn) {
    const { clauses, spoken, ending, heard, why, held } = turn;
    const all = clauses.filter(Boolean).join(" ");
    if (turn.forgotten && ending) {
      element.children[1].textContent = "(forgotten)";
    } else if (ending && ending !== "finished") {
      halves(element.children[1], heard, heard.length);
    } else {
      const before = clauses.slice(0, spoken?.index ?? 0).filter(Boolean).join(" ");
      const sofar = [...before].length + (before ? 1 : 0) + (spoken?.characters ?? 0);
      halves(element.children[1], all || "…", ending ? all.length : spoken ? sofar : 0);
    }
    element.dataset.ending = ending || "open";
    const note = { cut: "cut", dumped: "dumped", failed: why ? `failed: ${why}` : "failed", empty: "no words" }[ending] ?? "";
    element.children[2].textContent = note || (held ? `held back: ${held}` : "");
  }
}
