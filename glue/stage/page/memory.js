// The panel of what she remembers: found by words, corrected or forgotten. Everything a viewer wrote is text.

import { button, fill, look, make } from "./look.js";

export class Memory {
  /** `boxes`: the form, its field, the list, a line of words, the file to import, what came of it;
   * `wish(wish, text)` sends one. */
  constructor(boxes, wish) {
    this.boxes = boxes;
    this.wish = wish;
    this.shown = "";
    boxes.form.onsubmit = (event) => { event.preventDefault(); this.draw(); };
    boxes.query.oninput = () => this.draw();
    boxes.file.onchange = () => this.take(boxes.file.files[0]);
  }

  /** Send an export to the show; what it answers is shown as text. */
  async take(file) {
    if (!file) return;
    const { told, file: field } = this.boxes;
    told.textContent = "on its way …";
    try {
      const answer = await fetch("/memory.jsonl", { method: "POST", body: file });
      const found = answer.ok ? await answer.json() : { done: false, told: await answer.text() };
      told.textContent = found.told.trim();
      told.dataset.done = found.done;
    } catch {
      told.textContent = "the show did not take it: too large, or not connected";
      told.dataset.done = false;
    }
    field.value = ""; // the same file may be chosen again
    this.draw();
  }

  /** Ask anew; a correction that is being written is not disturbed. */
  async draw() {
    if (this.boxes.list.contains(document.activeElement) && document.activeElement.tagName === "INPUT") return;
    const asked = this.boxes.query.value;
    const found = await look("memory", { q: asked });
    if (asked !== this.boxes.query.value) return; // somebody typed on: a newer answer is on its way
    this.boxes.words.textContent = found ? "the newest first" : "she has no memory in this show: memory=milvus";
    const drawn = JSON.stringify(found);
    if (drawn === this.shown) return;
    this.shown = drawn;
    fill(this.boxes.list, (found ?? []).map((entry) => this.row(entry)));
  }

  row({ id, kind, viewer, name, text, at, ended }) {
    const element = make("li", "row");
    const words = make("span", "text", text);
    const day = at ? new Date(1000 * at).toLocaleDateString() : ""; // what the persona says of her is of no day
    const buttons = make("span", "buttons");
    buttons.append(
      button("Correct", () => element.replaceChildren(this.correction(id, text))),
      button("Forget", () => this.wish("forget", id), "this, and the line that it was learnt from"),
    );
    if (viewer) buttons.append(sure("Forget viewer", () => this.wish("forget", `@${viewer}`)));
    element.dataset.state = ended ? "ended" : "holds";
    element.append(make("span", "what", kind), make("b", "", name || viewer), words, make("small", "", ended ? `${day}, no longer` : day), buttons);
    return element;
  }

  correction(id, text) {
    const form = make("form", "correction");
    const field = Object.assign(make("input", ""), { value: text, maxLength: 400, required: true });
    field.setAttribute("aria-label", "What she should remember");
    const save = Object.assign(button("Save", () => {}), { type: "submit" });
    form.append(field, save, button("Leave it", () => this.again()));
    form.onsubmit = (event) => {
      event.preventDefault();
      if (this.wish("remember", `${id} ${field.value}`)) this.again();
    };
    field.onkeydown = (event) => {
      if (event.key !== "Escape") return; // here it ends the writing, and nothing else
      event.stopPropagation();
      this.again();
    };
    queueMicrotask(() => field.focus());
    return form;
  }

  again() {
    this.shown = "";
    document.activeElement?.blur();
    this.draw();
  }
}

/** A button that is pressed twice: what it does cannot be undone. */
function sure(text, act) {
  const element = button(text, () => {
    if (element.textContent !== text) return act();
    element.textContent = "Really?";
    setTimeout(() => { element.textContent = text; }, 3000);
    return null;
  });
  return element;
}
