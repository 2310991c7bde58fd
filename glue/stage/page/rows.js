// The panels that are lists: the inbox with scores and fates, the filters' verdicts, engines and their health.

import { button, fill, make, refill } from "./look.js";

const CLOSED = 40;
const OUT_S = 600; // seconds of a time-out that is one click away
const OURS = new Set(["console", "terminal", "voice", "game", "herself", "eyes", "twin"]); // lines that no viewer wrote

function row(parts, state = "") {
  const element = make("li", "row");
  if (state) element.dataset.state = state;
  element.append(...parts);
  return element;
}

/** Nothing of who wrote this is read for a while: next to what they wrote. */
function outing(line, wish) {
  if (!line || OURS.has(line.source)) return [];
  return [button("Time out", () => wish("timeout", `${line.author} ${OUT_S}`), `Nothing of ${line.author} is read for ${OUT_S / 60} minutes`)];
}

/** The lines that wait, with the score that decides; and what became of the last ones. */
export function drawInbox(boxes, waiting, story, scores, wish) {
  const best = Math.max(1, ...waiting.map(({ score }) => score));
  fill(boxes.waiting, waiting.map(({ id, author, text, score, waited }) => {
    scores.set(id, score);
    const bar = make("span", "score", score.toFixed(1));
    bar.style.setProperty("--share", `${Math.max(0, (score / best) * 100)}%`);
    return row([bar, make("b", "", author), make("span", "text", text), make("small", "", `${Math.round(waited)} s`)]);
  }));
  const all = [...story.entries.values()].filter(({ kind, fate }) => kind === "line" && fate);
  const closed = all.slice(-CLOSED).reverse();
  refill(boxes.closed, closed.map(({ id, line, fate, why }) => [id, line.text, fate, why]), () => closed.map(({ id, line, fate, why }) => {
    const score = scores.has(id) ? scores.get(id).toFixed(1) : "";
    const told = why ? `${fate}: ${why}` : fate;
    return row([make("span", "score", score), make("b", "", line.author), make("span", "text", line.text), make("small", "", told), ...outing(line, wish)], fate);
  }));
}

/** What the filters did; a clause of hers may be said anyway while its time lasts. */
export function drawVerdicts(box, story, now, within, wish) {
  const open = ({ id, at }) => id && at + within > now;
  refill(box, story.verdicts.map((verdict) => [verdict.what, verdict.name, verdict.text, verdict.why, open(verdict)]), () => story.verdicts.map((verdict) => {
    const { what, text, name, why, id, line } = verdict;
    const parts = [make("span", "what", what), make("b", "", name ?? ""), make("span", "text", text), make("small", "", why)];
    if (open(verdict)) parts.push(button("Say it anyway", () => wish("anyway", id)));
    return row([...parts, ...outing(line, wish)], what.split(" ")[1] ?? "");
  }));
}

function chip(text, name, remove, note = "") {
  const item = make("li", "", text);
  const cross = button("×", remove);
  cross.setAttribute("aria-label", name);
  if (note) item.append(make("small", "", note));
  item.append(cross);
  return item;
}

/** Names that a press each asks for with `wish`; the last one, ■, ends what is heard. */
export function drawNames(box, names, wish, ending) {
  box.hidden = names.length === 0;
  const chips = (all) => all.map(([label, name, title]) => {
    const item = make("li", "");
    item.append(button(label, () => wish(name), title));
    return item;
  });
  refill(box.querySelector("ul"), names, () => chips([...names.map((name) => [name, name, ""]), ["■", "", ending]]));
}

export function drawBlocked(box, entries, wish) {
  refill(box, entries, () => entries.map((entry) => chip(entry, `Let ${entry} through again`, () => wish("unblock", entry))));
}

/** Who is timed out, and whether chat is slowed down. */
export function drawDoor(boxes, { slow, usual, out }, wish) {
  boxes.slowed.textContent = slow ? `slow: a line of each viewer in ${slow} s` : "as fast as it likes";
  if (document.activeElement !== boxes.gap) boxes.gap.value = slow || "";
  boxes.gap.placeholder = usual;
  const left = (seconds) => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);
  refill(boxes.out, out.map(({ name, left: seconds }) => [name, left(seconds)]), () => out.map(({ name, left: seconds }) => (
    chip(name, `Let ${name} in again`, () => wish("timeout", `${name} 0`), left(seconds)))));
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** How the broadcast does: what is on, what leaves, and what was wrong last. Hidden where there is none. */
export function drawAir(boxes, { measured, faults, lacking, last }, away, now) {
  boxes.air.hidden = !measured && !away && !lacking.size && !last;
  const does = measured && [measured.streaming && "streaming", measured.recording && "recording"].filter(Boolean).join(", ");
  boxes.onair.textContent = measured ? `${does || "not on air"} · scene ${measured.scene}` : "OBS is away";
  const tile = (words, value, bad) => {
    const element = make("span", "tile", words);
    element.prepend(make("b", "", value));
    element.dataset.bad = Boolean(bad);
    return element;
  };
  boxes.stream.replaceChildren(...(measured?.streaming ? [
    tile("kbit/s", Math.round(measured.kbit_s).toLocaleString("en"), faults.has("off air") || faults.has("reconnecting")),
    tile("dropped", percent(measured.dropped), faults.has("dropping frames")),
    tile("congested", percent(measured.congestion), faults.has("congested")),
    tile("drawn late", percent(measured.lagged)),
  ] : []));
  const rows = [...faults].map(([fault, why]) => row([make("span", "lamp"), make("b", "", fault), make("span", "text", why)], "down"));
  if (last && !faults.has(last.fault)) {
    const over = last.after === null ? "" : `, over after ${Math.round(last.after)} s`;
    const when = make("small", "", `${Math.max(0, Math.round(now - last.at))} s ago${over}`);
    rows.push(row([make("b", "", last.fault), make("span", "text", last.why), when], "ended"));
  }
  for (const why of lacking) rows.push(row([make("span", "text", why)], "lacking"));
  boxes.warnings.replaceChildren(...rows);
}

export function drawHealth(boxes, { latency, parts }, wish) {
  const figures = [["half of them within", latency.p50], ["19 of 20 within", latency.p95]];
  fill(boxes.latency, figures.map(([words, value]) => {
    const tile = make("span", "tile", words);
    tile.prepend(make("b", "", value === null ? "–" : `${value} ms`));
    return tile;
  }));
  fill(boxes.engines, parts.map(({ name, up, why, rss_mb, cpu_percent, restarts }) => {
    const used = [rss_mb === null ? "" : `${rss_mb} MB`, cpu_percent === null ? "" : `${cpu_percent} % CPU`];
    const told = [up ? "" : `down: ${why}`, ...used].filter(Boolean).join(" · ");
    const found = [make("span", "lamp"), make("b", "", name), make("span", "text", told)];
    if (restarts) found.push(button("Restart", () => wish("restart", name)));
    return row(found, up ? "up" : "down");
  }));
}
