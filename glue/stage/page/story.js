// Folds the show's events (glue/events.py) into what a page shows. No drawing, no socket.

export const STAGES = [
  "received", "chosen", "recalled", "first_token", "first_clause", "cleared", "first_audio", "audible",
];
const KEPT = 200; // entries of the conversation
const DECISIONS = 6; // of a game

export class Story {
  constructor() { this.reset(); }

  reset() {
    this.entries = new Map(); // id -> {kind: "line" | "turn", ...}, oldest first
    this.speaking = new Map(); // who -> the turn in work
    this.captions = new Map(); // who -> {turn, index, text, spoken}
    this.names = new Map(); // who -> what she is called
    this.looks = new Map(); // who -> the avatar's model that shows her
    this.waiting = new Set(); // ids of lines that wait
    this.parts = new Map(); // part -> why it is down
    this.sight = null; // what she saw last
    this.games = new Map(); // "who game" -> {picture, decisions: newest first}
    this.muted = this.paused = this.stopped = false;
    this.phase = ""; // "waiting", "live", "leaving", "ending"; "" where nobody said
    this.cues = new Map(); // "t3.1" -> {id, turn, index, text, state: "comes" | "waits" | "voiced"}
    this.refused = new Map(); // id -> a clause that the gate kept from the voice, newest last
    this.verdicts = []; // what the filters did, newest first
    this.served = null; // what came of the operator's last wish
    this.air = { measured: null, faults: new Map(), lacking: new Set(), last: null }; // the broadcast
  }

  /** The turns, oldest first. */
  turns() { return [...this.entries.values()].filter((entry) => entry.kind === "turn"); }

  /** "over", "stopped", "waiting for you", "speaking", "thinking", "not live yet", or "idle". */
  doing() {
    if (this.phase === "ending") return "over";
    if (this.stopped) return "stopped";
    if ([...this.cues.values()].some(({ state }) => state === "waits")) return "waiting for you";
    const turns = [...this.speaking.values()];
    if (turns.some((turn) => turn.stages.audible !== undefined)) return "speaking";
    if (turns.length) return "thinking";
    return this.phase === "waiting" ? "not live yet" : "idle";
  }

  /** Take an event in; returns the entries of the conversation that it changed. */
  take(event) {
    return [FOLDS[event.event]?.(this, event)].flat().filter(Boolean);
  }

  add(id, entry) {
    this.entries.set(id, entry);
    if (this.entries.size > KEPT) this.entries.delete(this.entries.keys().next().value);
    return entry;
  }
}

const VERDICTS = 100;
const AWAY = "away"; // glue/events.py: the turn of a caption that no reply belongs to

function judged(story, verdict) {
  story.verdicts.unshift(verdict);
  story.verdicts.length = Math.min(story.verdicts.length, VERDICTS);
}

function uncued(story, turn) {
  for (const [id, cue] of story.cues) if (cue.turn === turn) story.cues.delete(id);
}

/** Whether an entry's line is one of `ids`, or was made of one. */
const about = ({ line: { id, joined = [] } }, ids) => ids.has(id) || joined.some((part) => ids.has(part.id));

const turnOf = (story, event) => story.entries.get(`turn ${event.turn}`);

function gameOf(story, { who, game }) {
  const key = `${who} ${game}`;
  if (!story.games.has(key)) story.games.set(key, { picture: null, decisions: [], refused: "" });
  return story.games.get(key);
}

const decisionOf = (story, event) => gameOf(story, event).decisions.find(({ chosen }) => chosen.id === event.id);

const FOLDS = {
  LineArrived(story, { line, at }) {
    story.waiting.add(line.id);
    return story.add(`line ${line.id}`, { kind: "line", id: line.id, line, at, fate: "" });
  },
  LineClosed(story, { line_id, fate, why }) {
    story.waiting.delete(line_id);
    const entry = story.entries.get(`line ${line_id}`);
    if (entry) Object.assign(entry, { fate, why });
    if (fate === "blocked") judged(story, { what: "line blocked", text: entry?.line.text ?? "", name: entry?.line.author, line: entry?.line, why });
    return entry;
  },
  LineScreened(story, { line_id, outcome, why }) {
    const entry = story.entries.get(`line ${line_id}`);
    if (outcome !== "ignored") {
      judged(story, { what: `line ${outcome}`, text: entry?.line.text ?? "", name: entry?.line.author, line: entry?.line, why });
    }
    if (entry) Object.assign(entry, { screened: outcome, why });
    return entry;
  },
  LinesRemoved(story, { line_ids }) {
    const entries = line_ids.map((id) => story.entries.get(`line ${id}`)).filter(Boolean);
    for (const entry of entries) entry.removed = true;
    for (const turn of story.speaking.values()) if (about(turn, new Set(line_ids))) turn.removed = true;
    return entries;
  },
  LinesForgotten(story, { line_ids }) {
    const gone = new Set(line_ids);
    const theirs = (line) => about({ line }, gone);
    // a turn in work may have left the conversation already, in a flood
    const entries = [...new Set([...story.entries.values(), ...story.speaking.values()])].filter(({ line }) => theirs(line));
    for (const entry of entries) {
      entry.line = { ...entry.line, author: "", author_id: "", text: "", joined: [] };
      entry.forgotten = true;
      if (entry.kind !== "turn") continue;
      Object.assign(entry, { clauses: [], heard: "" });
      for (const [id, { turn }] of story.refused) if (turn === entry.id) story.refused.delete(id);
    }
    const turns = new Set(entries.filter(({ kind }) => kind === "turn").map(({ id }) => id));
    story.verdicts = story.verdicts.filter(({ line, turn }) => !(line && theirs(line)) && !turns.has(turn));
    if (story.served) story.served = { ...story.served, effect: "" };
    return entries;
  },
  StageTaken(story, { who, name, avatar }) {
    story.names.set(who, name);
    story.looks.set(who, avatar);
  },
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
    const { turn, index, text, changed } = event;
    story.cues.set(`${turn}.${index}`, { id: `${turn}.${index}`, turn, index, text, changed, state: "comes" });
    return entry;
  },
  ClauseWaits(story, { turn, index }) {
    const cue = story.cues.get(`${turn}.${index}`);
    if (cue) cue.state = "waits";
  },
  ClauseChanged(story, event) {
    const entry = turnOf(story, event);
    if (entry) entry.clauses[event.index] = event.text;
    const cue = story.cues.get(`${event.turn}.${event.index}`);
    if (cue) cue.text = event.text;
    if (!event.text) story.cues.delete(`${event.turn}.${event.index}`);
    return entry;
  },
  ClauseVoiced(story, { turn, index }) {
    const cue = story.cues.get(`${turn}.${index}`);
    if (cue) cue.state = "voiced";
  },
  OperatorServed(story, event) {
    if (["look", "find", "open"].includes(event.what)) return; // the terminal's questions
    story.served = event;
    if (event.what !== "anyway" || !event.done) return;
    story.refused.delete(event.text || [...story.refused.keys()].at(-1));
  },
  ViewerTimedOut(story, { author, why }) { judged(story, { what: "timed out", text: "", name: author, why }); },
  ClauseHeld(story, event) {
    const entry = turnOf(story, event);
    judged(story, { what: "clause held", text: event.text, name: entry?.name, why: event.why, id: event.id, at: event.at, turn: event.turn });
    if (event.id) story.refused.set(event.id, event);
    if (story.refused.size > 50) story.refused.delete(story.refused.keys().next().value);
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
    if (caption && caption.turn !== AWAY) caption.over = event.ending;
    uncued(story, event.turn);
    if (entry) Object.assign(entry, { ending: event.ending, heard: event.heard, why: event.why });
    return entry;
  },
  ButtonPressed(story, { button }) {
    if (button === "mute" || button === "unmute") story.muted = button === "mute";
    if (button === "pause_chat" || button === "resume_chat") story.paused = button === "pause_chat";
    if (["stop", "panic", "go"].includes(button)) story.stopped = button !== "go";
    if (button !== "go") return;
    for (const caption of story.captions.values()) if (caption.turn === AWAY) caption.over = "cut";
  },
  PhaseBegun(story, { phase }) { story.phase = phase; },
  Seen(story, { source, caption, things, texts }) {
    const words = [caption, things.join(", "), texts.join(" / ")].filter(Boolean).join("; ");
    story.sight = { source, words, dropped: false };
  },
  SightDropped(story, { source, why }) {
    story.sight = { source, words: `dropped: ${why || "unsafe"}`, dropped: true };
  },
  GameChanged(story, event) { gameOf(story, event).picture = event; },
  GameMessageClosed(story, event) {
    if (["refused", "given_up"].includes(event.fate)) gameOf(story, event).refused = `${event.command}: ${event.why}`;
    else if (event.fate === "answered") gameOf(story, event).refused = "";
  },
  ActionChosen(story, event) {
    const { decisions } = gameOf(story, event);
    decisions.unshift({ chosen: event, why: "", judged: null });
    decisions.length = Math.min(decisions.length, DECISIONS);
  },
  ActionExplained(story, event) {
    const decision = decisionOf(story, event);
    if (decision) decision.why = event.why;
  },
  ActionJudged(story, event) {
    const decision = decisionOf(story, event);
    if (decision) decision.judged = event;
    else gameOf(story, event).refused = event.message;
  },
  PartDegraded(story, { part, why }) {
    story.parts.set(part, why);
    if (part !== "broadcast") return;
    story.air.measured = null;
    story.air.faults.clear();
  },
  PartRecovered(story, { part }) { story.parts.delete(part); },
  BroadcastMeasured(story, event) { story.air.measured = event; },
  StreamFaltered(story, { fault, why, at }) {
    story.air.faults.set(fault, why);
    story.air.last = { fault, why, at, after: null };
  },
  StreamRestored(story, { fault, after }) {
    story.air.faults.delete(fault);
    if (story.air.last?.fault === fault) story.air.last.after = after;
  },
  BroadcastLacking(story, { why }) { story.air.lacking.add(why); },
};
