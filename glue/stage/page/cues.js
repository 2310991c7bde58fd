// The next line before it is spoken: a card a clause. What is being typed in a card survives every redraw.

import { button, make } from "./look.js";

const REFUSED = 2; // that are offered here; the others stand under Safety
const WORDS = { comes: "next", waits: "waits for you", voiced: "being spoken" };

class Card {
  constructor(cue, wish) {
    this.id = cue.id;
    this.wish = wish;
    this.element = make("li", "cue");
    this.state = make("span", "state");
    this.text = make("span", "text");
    this.box = make("input", "");
    this.box.maxLength = 300;
    this.box.setAttribute("aria-label", "Other words for this clause");
    this.box.hidden = true;
    this.box.onkeydown = (event) => {
      event.stopPropagation(); // Esc ends the editing here, and nothing else
      if (event.key === "Escape") this.edit(false);
      if (event.key === "Enter") this.send();
    };
    this.buttons = make("span", "buttons");
    this.yes = button("Say it", () => (this.box.hidden ? wish("yes", this.id) : this.send()), "Y");
    this.all = button("All of it", () => wish("yes", this.id.split(".")[0]), "The whole reply, without asking again");
    this.change = button("Edit", () => this.edit(this.box.hidden), "E");
    this.drop = button("Leave out", () => wish("drop", this.id), "X");
    this.buttons.append(this.yes, this.all, this.change, this.drop);
    this.element.append(this.state, this.text, this.box, this.buttons);
  }

  draw({ text, state }) {
    this.element.dataset.state = state;
    this.state.textContent = WORDS[state];
    if (this.text.textContent !== text) this.text.textContent = text;
    const editing = !this.box.hidden;
    this.yes.hidden = state !== "waits" && !editing;
    this.all.hidden = state !== "waits" || editing;
    this.change.hidden = this.drop.hidden = state === "voiced";
    if (state === "voiced" && editing) this.edit(false);
  }

  edit(on) {
    this.box.hidden = !on;
    this.text.hidden = on;
    this.change.textContent = on ? "Never mind" : "Edit";
    if (!on) {
      this.box.blur(); // a hidden box has the keys until the next frame
      return;
    }
    this.box.value = this.text.textContent;
    this.box.focus();
    this.box.select();
  }

  send() {
    if (!this.box.value.trim()) return;
    this.wish("edit", `${this.id} ${this.box.value.trim()}`);
    this.edit(false);
  }
}

class Refusal {
  constructor({ id, text, why }, wish) {
    this.element = make("li", "cue");
    this.element.dataset.state = "refused";
    this.anyway = button("Say it anyway", () => wish("anyway", id), "A");
    const buttons = make("span", "buttons");
    buttons.append(this.anyway);
    this.element.append(make("span", "state", why), make("span", "text", text), buttons);
  }

  draw(left) { this.anyway.textContent = `Say it anyway (${Math.ceil(left)} s)`; }
}

export class Cues {
  /** `wish(wish, text)` sends one; `now()` is the show's clock. */
  constructor(box, wish, now) {
    this.box = box;
    this.wish = wish;
    this.now = now;
    this.within = 30; // seconds that a refused clause may still be said
    this.cards = new Map();
  }

  show(story) {
    const seen = new Set();
    const place = (id, card, ...drawn) => {
      seen.add(id);
      card.draw(...drawn);
    };
    for (const cue of this.upcoming(story)) place(cue.id, this.card(cue.id, () => new Card(cue, this.wish)), cue);
    for (const [id, refused] of [...story.refused].slice(-REFUSED)) {
      const left = refused.at + this.within - this.now();
      if (left > 0) place(id, this.card(id, () => new Refusal(refused, this.wish)), left);
    }
    for (const [id, card] of this.cards) {
      if (seen.has(id)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    this.box.dataset.empty = this.cards.size === 0;
  }

  /** What is not heard yet: the clause being spoken, and what comes. */
  upcoming(story) {
    const spoken = [...story.cues.values()].filter(({ state }) => state === "voiced");
    return [...spoken.slice(-1), ...[...story.cues.values()].filter(({ state }) => state !== "voiced")];
  }

  card(id, build) {
    if (!this.cards.has(id)) {
      this.cards.set(id, build());
      this.box.append(this.cards.get(id).element);
    }
    return this.cards.get(id);
  }

  /** The first card that can be changed: what E means. */
  edit() { [...this.cards.values()].find((card) => card instanceof Card && !card.change.hidden)?.edit(true); }
}
