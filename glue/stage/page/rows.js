// The panels that are lists: the inbox with scores and fates, the filters' verdicts, engines and their health.

import { button, fill, make } from "./look.js";

const CLOSED = 40;

function row(parts, state = "") {
  const element = make("li", "row");
  if (state) element.dataset.state = state;
  element.append(...parts);
  return element;
}

/** The lines that wait, with the score that decides; and what became of the last ones. */
export function drawInbox(boxes, waiting, story, scores) {
  const best = Math.max(1, ...waiting.map(({ score }) => score));
  fill(boxes.waiting, waiting.map(({ id, author, text, score, waited }) => {
    scores.set(id, score);
    const bar = make("span", "score", score.toFixed(1));
    bar.style.setProperty("--share", `${Math.max(0, (score / best) * 100)}%`);
    return row([bar, make("b", "", author), make("span", "text", text), make("small", "", `${Math.round(waited)} s`)]);
  }));
  const closed = [...story.entries.values()].filter(({ kind, fate }) => kind === "line" && fate);
  fill(boxes.closed, closed.slice(-CLOSED).reverse().map(({ id, line, fate, why }) => {
    const score = scores.has(id) ? scores.get(id).toFixed(1) : "";
    const told = why ? `${fate}: ${why}` : fate;
    return row([make("span", "score", score), make("b", "", line.author), make("span", "text", line.text), make("small", "", told)], fate);
  }));
}

/** What the filters did; a clause of hers may be said anyway while its time lasts. */
export function drawVerdicts(box, story, now, within, wish) {
  fill(box, story.verdicts.map(({ what, text, name, why, id, at }) => {
    const parts = [make("span", "what", what), make("b", "", name ?? ""), make("span", "text", text), make("small", "", why)];
    if (id && at + within > now) parts.push(button("Say it anyway", () => wish("anyway", id)));
    return row(parts, what.split(" ")[1] ?? "");
  }));
}

export function drawBlocked(box, entries, wish) {
  fill(box, entries.map((entry) => {
    const item = make("li", "", entry);
    const remove = button("×", () => wish("unblock", entry));
    remove.setAttribute("aria-label", `Let ${entry} through again`);
    item.append(remove);
    return item;
  }));
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
