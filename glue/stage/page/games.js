// The games that she plays: what they want, what she did and why, and the operator's say. Text only, never HTML.

import { button, make } from "./look.js";

/** "place(cell: 0..8)" -> "place" */
const nameOf = (signature) => signature.split("(")[0];

class Panel {
  constructor(game, press) {
    this.element = make("article", "game");
    this.title = make("h2", "", game);
    this.state = make("small", "");
    this.title.append(this.state);
    this.pause = button("Pause", () => press(game, this.paused ? "resume" : "pause", ""));
    this.choice = make("select", "");
    this.choice.setAttribute("aria-label", "Action");
    this.choice.onchange = () => this.drawVeto();
    this.data = make("input", "");
    this.data.placeholder = 'parameters, e.g. {"cell": 4}';
    this.data.maxLength = 4000;
    this.data.setAttribute("aria-label", "Parameters");
    this.veto = button("Veto", () => {
      const name = nameOf(this.choice.value);
      press(game, this.vetoed.includes(name) ? "allow" : "veto", name);
    });
    const force = make("button", "", "Force");
    const form = make("form", "");
    form.autocomplete = "off";
    form.onsubmit = (event) => {
      event.preventDefault();
      press(game, "force", `${nameOf(this.choice.value)} ${this.data.value}`.trim());
    };
    form.append(this.choice, this.data, force, this.veto, this.pause);
    this.refused = make("p", "refused");
    this.decisions = make("ol", "");
    this.element.append(this.title, form, this.refused, this.decisions);
    this.listed = "";
  }

  draw({ picture, decisions, refused }) {
    this.paused = picture.paused;
    this.vetoed = picture.vetoed;
    this.element.dataset.connected = picture.connected;
    const wants = picture.force && `wants (${picture.priority}): ${picture.force}`;
    const doing = picture.paused ? "paused" : wants || "she watches";
    this.state.textContent = `played by ${picture.who} · ${picture.connected ? doing : "not connected"}`;
    this.state.title = this.state.textContent;
    this.pause.textContent = picture.paused ? "Go on" : "Pause";
    this.pause.setAttribute("aria-pressed", picture.paused);
    this.refused.textContent = refused;
    this.drawActions(picture.actions);
    this.decisions.replaceChildren(...decisions.map((decision) => this.decision(decision)));
  }

  drawActions(actions) {
    const listed = actions.join("\n");
    if (listed !== this.listed) {
      this.listed = listed;
      const before = this.choice.value;
      this.choice.replaceChildren(...actions.map((signature) => {
        const option = make("option", "", signature);
        option.value = signature;
        return option;
      }));
      if (actions.includes(before)) this.choice.value = before;
    }
    this.drawVeto();
  }

  drawVeto() {
    const banned = this.vetoed.includes(nameOf(this.choice.value));
    this.veto.textContent = banned ? "Allow" : "Veto";
    this.veto.setAttribute("aria-pressed", banned);
  }

  decision({ chosen, why, judged }) {
    const row = make("li", "decision");
    if (judged) row.dataset.judged = judged.success;
    row.append(make("span", "", `${chosen.name} ${chosen.data}`.trim()));
    row.append(make("span", "took", `${chosen.by} · ${Math.round(chosen.took * 1000)} ms`));
    const note = [why, judged?.message].filter(Boolean).join(" · ");
    if (note) row.append(make("i", "", note));
    return row;
  }
}

export class Games {
  /** `press(game, button, text)` sends an operator's button. */
  constructor(box, press) {
    this.box = box;
    this.press = press;
    this.panels = new Map();
  }

  show(games) {
    for (const [key, panel] of this.panels) {
      if (games.has(key)) continue;
      panel.element.remove();
      this.panels.delete(key);
    }
    for (const [key, game] of games) {
      if (!game.picture) continue;
      if (!this.panels.has(key)) {
        const panel = new Panel(game.picture.game, this.press);
        this.panels.set(key, panel);
        this.box.append(panel.element);
      }
      this.panels.get(key).draw(game);
    }
    this.box.hidden = this.panels.size === 0;
  }
}
