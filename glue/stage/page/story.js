// Folds the show's events (glue/events.py) into what a page shows. No drawing, no socket.

export const STAGES = [
  "received", "chosen", "recalled", "first_token", "first_clause", "cleared", "first_audio", "audible",
];
const KEPT = 200; // entries of the conversation

export class Story {
  constructor() { this.reset(); }

  reset() {
    this.entries = new Map(); // id -> {kind: "line" | "turn", ...}, oldest first
    this.speaking = new Map(); // who -> the turn in work
    this.captions = new Map(); // who -> {turn, index, text, spoken}
    this.names = new Map(); // who -> what she is called
    this.waiting = new Set(); // ids of lines that wait
    this.parts = new Map(); // part -> why it is down
    this.muted = this.paused = this.stopped = false;
  }

  /** The turns, oldest first. */
  turns() { return [...this.entries.values()].filter((entry) => entry.kind === "turn"); }

  /** "stopped", "speaking", "thinking", or "idle". */
  doing() {
    if (this.stopped) return "stopped";
    const turns = [...this.speaking.values()];
    if (turns.some((turn) => turn.stages.audible !== undefined)) return "speaking";
    return turns.length ? "thinking" : "idle";
  }

  /** Take an event in; returns the entry of the conversation that it changed, if any. */
  take(event) {
    const fold = FOLDS[event.event];
    return fold ? fold(this, event) : undefined;
  }

  add(id, entry) {
    this.entries.set(id, entry);
    if (this.entries.size > KEPT) this.entries.delete(this.entries.keys().next().value);
    return entry;
  }
}

const turnOf = (story, event) => story.entries.get(`turn ${event.turn}`);

const FOLDS = {
  LineArrived(story, { line, at }) {
    story.waiting.add(line.id);
    return story.add(`line ${line.id}`, { kind: "line", id: line.id, line, at, fate: "" });
  },
  LineClosed(story, { line_id, fate }) {
    story.waiting.delete(line_id);
    const entry = story.entries.get(`line ${line_id}`);
    if (entry) entry.fate = fate;
    return entry;
  },
  StageTaken(story, { who, name }) { story.names.set(who, name); },
  TurnStarted(story, { turn, who, line, waited, at }) {
    story.waiting.delete(line.id);
    const entry = story.add(`turn ${turn}`, {
      kind: "turn", id: turn, who, name: story.names.get(who) ?? who, line, waited, at, stages: {}, clauses: [], spoken: null, ending: "", heard: "",
    });
    story.speaking.set(who, entry);
    return entry;
  },
  StageReached(story, event) {
    const entry = turnOf(story, event);
    if (entry) entry.stages[event.stage] ??= event.at;
    return entry;
  },
  ClauseCleared(story, event) {
    const entry = turnOf(story, event);
    if (entry) entry.clauses[event.index] = event.text;
    return entry;
  },
  ClauseHeld(story, event) {
    const entry = turnOf(story, event);
    if (entry) entry.held = event.why;
    return entry;
  },
  CaptionShown(story, event) {
    story.captions.set(event.who, event);
    const entry = turnOf(story, event);
    if (entry) entry.spoken = { index: event.index, characters: event.spoken };
    return entry;
  },
  TurnMeasured(story, event) {
    const entry = turnOf(story, event);
    if (entry) entry.measured = event;
    return entry;
  },
  TurnEnded(story, event) {
    const entry = turnOf(story, event);
    story.speaking.delete(event.who);
    const caption = story.captions.get(event.who);
    if (caption) caption.over = event.ending;
    if (entry) Object.assign(entry, { ending: event.ending, heard: event.heard, why: event.why });
    return entry;
  },
  ButtonPressed(story, { button }) {
    if (button === "mute" || button === "unmute") story.muted = button === "mute";
    if (button === "pause_chat" || button === "resume_chat") story.paused = button === "pause_chat";
    if (button === "stop" || button === "go") story.stopped = button === "stop";
  },
  PartDegraded(story, { part, why }) { story.parts.set(part, why); },
  PartRecovered(story, { part }) { story.parts.delete(part); },
};
