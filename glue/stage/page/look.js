// What the page asks for by itself: `/look/NAME`, plain values. And the few ways to make an element.

/** The answer, or null where there is none now. */
export async function look(name, asked = {}) {
  try {
    const answer = await fetch(`/look/${name}?${new URLSearchParams(asked)}`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // not connected: the header says so
  }
}

/** An element with a text: text only, never HTML. */
export function make(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

export function button(text, press, title = "") {
  const element = make("button", "", text);
  element.type = "button";
  element.title = title;
  element.onclick = press;
  return element;
}

/** The same where `key` changed: a button that is redrawn while it is pressed does nothing. */
const drawn = new WeakMap();
export function refill(box, key, rows) {
  const now = JSON.stringify(key);
  if (drawn.get(box) === now) return;
  drawn.set(box, now);
  fill(box, rows());
}

/** Put `rows` into `box`, and say there where there are none. */
export function fill(box, rows) {
  box.dataset.empty = rows.length === 0;
  box.replaceChildren(...rows);
}
