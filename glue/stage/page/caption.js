// One character's caption: the words that have been heard bright, the rest of the clause waiting.

const LINGERS = 1600; // milliseconds that a finished caption stays
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Split `text` after `count` Unicode characters (Python's count), never inside an emoji or an accent. */
export function split(text, count) {
  const wanted = [...text].slice(0, count).join("").length;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text)) {
    if (index + segment.length > wanted) break;
    end = index + segment.length;
  }
  return [text.slice(0, end), text.slice(end)];
}

/** Fill `element` with the two halves of a text, as text. */
export function halves(element, text, count) {
  const [heard, rest] = split(text, count);
  if (element.children.length !== 2) {
    element.replaceChildren(document.createElement("b"), document.createElement("i"));
  }
  if (element.children[0].textContent !== heard) element.children[0].textContent = heard;
  if (element.children[1].textContent !== rest) element.children[1].textContent = rest;
}

export class Captions {
  /** Draws into `box`: one line a character. */
  constructor(box) {
    this.box = box;
    this.lines = new Map(); // who -> {element, timer}
  }

  show(captions) {
    for (const [who, caption] of captions) {
      const line = this.lines.get(who) ?? this.make(who);
      if (caption.over) {
        this.end(line, caption);
        continue;
      }
      clearTimeout(line.timer);
      line.timer = undefined;
      line.element.classList.add("shown");
      halves(line.element.firstChild, caption.text, caption.spoken);
    }
    for (const [who, line] of this.lines) if (!captions.has(who)) line.element.classList.remove("shown");
  }

  make(who) {
    const element = document.createElement("p");
    element.className = "caption";
    element.dataset.who = who;
    element.append(document.createElement("span"));
    this.box.append(element);
    const line = { element, timer: undefined };
    this.lines.set(who, line);
    return line;
  }

  end(line, caption) {
    if (line.timer !== undefined) return;
    const wait = caption.over === "finished" ? LINGERS : 0;
    line.timer = setTimeout(() => line.element.classList.remove("shown"), wait);
  }
}
