// The last replies as bars: where the time from the line to her voice went.

import { make } from "./look.js";
import { STAGES } from "./story.js";

const ROWS = 7;
const GOAL = 500, LATE = 900; // milliseconds
const WORDS = {
  chosen: "choose", recalled: "recall", first_token: "first token", first_clause: "first clause",
  cleared: "gate", first_audio: "voice", audible: "play",
};

/** The stretches of a turn in milliseconds: [{stage, from, ms}], and where they begin (show clock). A line
 * that waited for the end of another reply is counted from there: its wait is shown apart. */
function stretches(turn) {
  const { stages, waited } = turn;
  const start = waited ? stages.chosen : stages.received ?? stages.chosen;
  const found = [];
  let before = start;
  for (const stage of STAGES) {
    const at = stages[stage];
    if (at === undefined || start === undefined || at < before) continue;
    if (stage !== "received" && !(waited && stage === "chosen")) {
      found.push({ stage, from: (before - start) * 1000, ms: (at - before) * 1000 });
    }
    before = at;
  }
  return { found, total: start === undefined ? 0 : (before - start) * 1000 };
}

export class Waterfall {
  constructor(box, legend) {
    this.box = box;
    for (const stage of STAGES.slice(1)) {
      const item = make("li", "", WORDS[stage]);
      item.dataset.stage = stage;
      legend.append(item);
    }
  }

  show(turns) {
    const rows = turns.slice(-ROWS).reverse().map((turn) => ({ turn, ...stretches(turn) }));
    const scale = Math.min(4000, Math.max(1000, ...rows.map((row) => row.total * 1.05)));
    this.box.style.setProperty("--goal", `${(GOAL / scale) * 100}%`);
    this.box.dataset.empty = rows.length === 0;
    this.box.replaceChildren(...rows.map((row) => this.row(row, scale)));
  }

  row({ turn, found, total }, scale) {
    const row = make("li", "fall");
    const name = make("span", "said", turn.line.source === "herself" ? "(by herself)" : turn.line.text);
    name.title = `${turn.line.author}: ${turn.line.text}`;
    const bars = make("span", "bars");
    for (const { stage, from, ms } of found) {
      const bar = make("span", "bar", ms / scale > 0.055 ? `${Math.round(ms)}` : "");
      bar.dataset.stage = stage;
      bar.title = `${WORDS[stage]}: ${ms.toFixed(1)} ms`;
      bar.style.setProperty("--from", `${(from / scale) * 100}%`);
      bar.style.setProperty("--long", `${(ms / scale) * 100}%`);
      bars.append(bar);
    }
    const done = turn.stages.audible !== undefined;
    const sum = make("span", "sum", done || turn.ending ? `${Math.round(total)} ms` : "…");
    sum.dataset.pace = !done ? "open" : total <= GOAL ? "good" : total <= LATE ? "fair" : "late";
    row.append(name, bars, sum);
    const note = this.note(turn);
    if (note) row.append(make("small", "note", note));
    return row;
  }

  note({ waited, stages, measured, ending }) {
    const notes = [];
    if (waited && stages.received !== undefined) {
      notes.push(`waited ${(stages.chosen - stages.received).toFixed(1)} s`);
    }
    if (measured?.prompt_tokens) {
      notes.push(`${Math.round((measured.cached_tokens / measured.prompt_tokens) * 100)} % cached`);
      notes.push(`${measured.prompt_tokens - measured.cached_tokens} new tokens`);
    }
    if (ending && ending !== "finished") notes.push(ending);
    return notes.join(" · ");
  }
}
