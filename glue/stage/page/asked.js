// The line of chat that is answered, above the caption: who sees only a piece of the stream knows what she answers.

const PUBLIC = new Set(["twitch", "youtube", "rehearsal", "player"]); // glue/events.py: not the operator, no voice

/** Who answers which line, as soon as the first words of the answer are heard. */
export function asked(story) {
  const found = new Map();
  for (const [who, { id, line, removed }] of story.speaking) {
    const heard = story.captions.get(who)?.turn === id;
    if (heard && !removed && line.author && line.text && !line.deed && PUBLIC.has(line.source)) found.set(who, line);
  }
  return found;
}

export class Asked {
  /** Draws into `element`; what is not asked any more is in the page no longer. */
  constructor(element) {
    this.element = element;
    this.line = undefined;
  }

  show(line) {
    if (line === this.line) return;
    this.line = line;
    this.element.classList.toggle("shown", line !== undefined);
    const words = document.createElement("span"); // cut in a box of its own: padding would show a third line's tips
    if (line) words.append(part("b", `${line.author}:`), " ", part("q", line.text));
    this.element.replaceChildren(...(line ? [words] : []));
  }
}

/** A viewer's words: text, whatever they are, and in their own direction. */
function part(kind, text) {
  const made = document.createElement(kind);
  made.dir = "auto";
  made.textContent = text;
  return made;
}
