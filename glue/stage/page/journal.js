// The journal: words in, lines out, and a reply opened with all that is known of it. Text only, never HTML.

import { STAGES } from "./story.js";
import { fill, look, make } from "./look.js";

const TYPING = 120; // milliseconds without a key before a search is sent

const NAMES = {
  LineArrived: "line", LineClosed: "fate", LineScreened: "screened", TurnStarted: "answers", ClauseCleared: "says",
  ClauseHeld: "held back", ClauseWaits: "waits", ClauseChanged: "changed", TurnEnded: "reply over", PartDegraded: "down",
  PartRecovered: "up again", ButtonPressed: "button", OperatorServed: "desk", SoundDumped: "dumped", LinesForgotten: "forgotten", ViewerTimedOut: "timed out",
  SlowModeSet: "slow mode", SpeechHeard: "hears", CaptionShown: "caption", ScriptSpoken: "said for her", StageTaken: "on stage",
  GameMessageClosed: "game", ActionChosen: "does", ActionJudged: "came of it", ActionExplained: "because", GamePressed: "game desk",
  FloorClaimed: "interrupts", MemoryAdded: "learns", ReplyLanded: "landed", HistoryScrolled: "scrolled out", LinesRemoved: "removed",
  HighlightMarked: "marked", SongStarted: "sings", SongEnded: "song over", StreamFaltered: "stream falters", StreamRestored: "stream again", BroadcastLacking: "OBS lacks", PhaseBegun: "the show",
};
const WORDS = ["name", "data", "text", "message", "fate", "button", "phase", "wish", "what", "effect", "part", "outcome", "why", "ending", "song", "heard"];

function told(record) {
  const line = record.line ?? {};
  const words = [record.line && !line.text && line.source !== "herself" ? "(forgotten)" : line.text, ...WORDS.map((word) => record[word])];
  return words.filter((word) => typeof word === "string" && word).join(" · ");
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export class Journal {
  constructor(boxes, begun) {
    Object.assign(this, { boxes, begun }); // `begun()`: the show clock at which it began
    this.asked = 0;
    boxes.query.oninput = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), TYPING);
    };
    boxes.search.onsubmit = (event) => { event.preventDefault(); this.search(); };
    boxes.more.onclick = () => this.search(this.oldest);
  }

  async search(before) {
    const number = ++this.asked;
    const asked = { q: this.boxes.query.value, ...(before === undefined ? {} : { before }) };
    const found = await look("find", asked);
    if (!found || number !== this.asked) return; // a newer search is on its way
    const same = before === undefined && found[0]?.number === this.newest && asked.q === this.shown;
    if (same) return; // what a person is about to click on stays where it is
    const rows = found.map((record) => this.row(record));
    this.paged = before !== undefined;
    if (this.paged) this.boxes.found.append(...rows);
    else fill(this.boxes.found, rows);
    if (!this.paged) [this.newest, this.shown] = [found[0]?.number, asked.q];
    this.oldest = found.at(-1)?.number;
    this.boxes.more.hidden = !this.oldest || found.length < 50;
  }

  /** Lines are to be forgotten: nothing that may be of them stays on the page. */
  clear() {
    this.asked += 1; // what is on its way was found before
    this.boxes.opened.hidden = true;
    this.boxes.opened.replaceChildren();
    fill(this.boxes.found, []);
    this.newest = undefined;
    this.paged = false;
  }

  /** Nothing is looked for: the last things that happened, as they happen. */
  follow() { if (!this.boxes.query.value && !this.paged && this.boxes.opened.hidden) this.search(); }

  row(record) {
    const element = make("li", "row");
    element.append(make("span", "when", clock(Math.max(0, (record.at ?? this.begun()) - this.begun()))));
    element.append(make("span", "what", NAMES[record.event] ?? record.event ?? ""));
    const who = record.line?.author ?? record.author ?? record.who ?? "";
    element.append(make("b", "", who), make("span", "text", told(record)));
    if (record.turn) {
      element.dataset.turn = record.turn;
      element.tabIndex = 0;
      element.onclick = () => this.open(record.turn);
      element.onkeydown = ({ key }) => { if (key === "Enter") this.open(record.turn); };
    }
    return element;
  }

  async open(turn) {
    const records = await look("turn", { id: turn });
    if (!records) return;
    const { opened } = this.boxes;
    const title = make("h2", "", `Reply ${turn}`);
    const close = make("button", "", "Close");
    close.type = "button";
    close.onclick = () => { opened.hidden = true; };
    title.append(close);
    opened.replaceChildren(title, ...parts(records));
    opened.hidden = false;
    opened.scrollIntoView({ block: "nearest" });
  }
}

/** A reply, read from the top: the line, what she remembered, what she said, the times, the prompt. */
function parts(records) {
  const all = (name) => records.filter(({ event }) => event === name);
  const line = all("TurnStarted")[0]?.line;
  const found = [];
  const add = (name, texts) => { if (texts.length) found.push(make("h3", "", name), ...texts.map((text) => make("p", "", text))); };
  if (line) add("Line", [`${line.author || "(nobody)"}: ${line.text}`]);
  add("Verdicts on the line", all("LineScreened").map(({ outcome, why }) => `${outcome}: ${why}`));
  const asked = all("TurnAsked")[0];
  add("Remembered", asked?.recalled ?? []);
  add("Said", all("ClauseCleared").map(({ text, changed }) => (changed ? `${text} (changed by the filters)` : text)));
  add("Held back", all("ClauseHeld").map(({ text, why }) => `${text} (${why})`));
  add("Changed by the operator", all("ClauseChanged").map(({ text, before }) => `${before} → ${text || "(left out)"}`));
  const ended = all("TurnEnded")[0];
  if (ended) add("Heard", [`${ended.heard || "(nothing)"} (${ended.why || ended.ending})`]);
  found.push(...times(all("StageReached")));
  const counted = all("TurnMeasured")[0];
  if (counted) add("Tokens", [`${counted.prompt_tokens} in the prompt, ${counted.cached_tokens} of them cached`]);
  if (asked) found.push(prompt(asked.messages));
  return found;
}

function times(stages) {
  const at = Object.fromEntries(stages.map(({ stage, at }) => [stage, at]));
  const known = STAGES.filter((stage) => at[stage] !== undefined);
  if (!known.length) return [];
  const table = make("table", "");
  for (const [index, stage] of known.entries()) {
    const row = make("tr", "");
    const since = index ? `+${((at[stage] - at[known[index - 1]]) * 1000).toFixed(0)} ms` : "";
    row.append(make("th", "", stage.replaceAll("_", " ")), make("td", "", since),
      make("td", "", `${((at[stage] - at[known[0]]) * 1000).toFixed(0)} ms`));
    table.append(row);
  }
  return [make("h3", "", "Times"), table];
}

function prompt(messages) {
  const box = make("details", "");
  box.append(make("summary", "", `Prompt: ${messages.length} messages`));
  for (const [role, content] of messages) {
    const message = make("p", "message", content);
    message.dataset.role = role;
    box.append(message);
  }
  return box;
}
