// The panels on the right: one is shown; keys 1 to 7 and the arrows change it. A panel works only while it shows.

import { make } from "./look.js";

export class Tabs {
  /** `shown(name)` is told whenever a panel comes up. */
  constructor(bar, shown) {
    this.shown = shown;
    this.panels = [...bar.parentElement.querySelectorAll("[role=tabpanel]")];
    this.buttons = this.panels.map((panel, index) => {
      const element = make("button", "", panel.dataset.tab);
      element.type = "button";
      element.setAttribute("role", "tab");
      element.setAttribute("aria-keyshortcuts", index + 1);
      element.title = `Key ${index + 1}`;
      element.append(make("span", "badge"));
      element.onclick = () => this.show(index);
      element.onkeydown = ({ key }) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
        if (step) this.show((this.at + step + this.panels.length) % this.panels.length).focus();
      };
      bar.append(element);
      return element;
    });
    this.show(0);
  }

  get name() { return this.panels[this.at].dataset.tab; }

  show(index) {
    if (!this.panels[index]) return null;
    this.at = index;
    this.panels.forEach((panel, i) => { panel.hidden = i !== index; });
    this.buttons.forEach((element, i) => {
      element.setAttribute("aria-selected", i === index);
      element.tabIndex = i === index ? 0 : -1;
    });
    this.shown(this.name);
    return this.buttons[index];
  }

  open(name) { return this.show(this.panels.findIndex((panel) => panel.dataset.tab === name)); }

  /** A small number on a tab: something is there to look at. */
  badge(name, text) {
    const index = this.panels.findIndex((panel) => panel.dataset.tab === name);
    const badge = this.buttons[index].lastElementChild;
    if (badge.textContent !== String(text)) badge.textContent = text;
  }
}
