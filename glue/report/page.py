"""Report and Run -> report.html: one file, no script, nothing fetched. Viewers' words are escaped."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from glue.events import Stage
from glue.report import plots, world
from glue.report.evening_page import section
from glue.report.numbers import Report
from glue.report.read import Reply, Run
from glue.report.table import number, paces, rows, target_row, words
from glue.report.targets import Verdict, bound
from glue.report.targets import targets as judged

SHELL = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
KIND = {Verdict.MET: "met", Verdict.MISSED: "missed", Verdict.FEW: "unknown", Verdict.UNKNOWN: "unknown"}


def page(run: Run, report: Report, places: Sequence[world.Row] = ()) -> str:
    """The whole page. `places`: where she was in a game's world."""
    sections = [
        (
            "Where the time goes",
            "Full bars are medians, pale ones reach to the 95th percentile.",
            plots.waterfall(run),
        ),
        ("Chat to first audio", spoken(report), plots.distribution(run, limits(report))),
        ("Over the show", "Every reply; a show that tires would climb.", plots.timeline(run)),
        ("Memory", "Resident, by process.", plots.memory(run) if run.vitals else "<p>Not sampled.</p>"),
        ("What became of the lines", fates(report), plots.bars(report.lines_by_fate)),
    ]
    if places:
        sections.append(("Where she went", world.outcome(places), world.wander(places)))
    if any(row.did for row in places):
        sections.append(("What she did there", "Every goal, and what came of it.", world.deeds(places)))
    drawn = [
        f"<section><h2>{title}</h2><p>{escape(text)}</p>{svg}</section>" for title, text, svg in sections
    ]
    return SHELL.substitute(
        style=STYLE,
        title=escape(title(report)),
        lead=escape(lead(report)),
        evening=section(report.evening),
        tiles=tiles(report),
        targets=targets(report),
        plots="\n".join(drawn),
        figures=figures(report),
        talk=talk(run),
        facts=facts(report),
    )


def title(report: Report) -> str:
    """What stood behind +show=, and when that was."""
    names, wall = report.show.get("shows"), report.show.get("wall")
    known = [str(name).replace("_", " ") for name in names] if isinstance(names, list) else []
    what = " and ".join(known).capitalize() or "Show"
    with suppress(TypeError, ValueError, OverflowError, OSError):
        when = datetime.fromtimestamp(wall)  # type: ignore[arg-type]  # a journal may hold anything
        return f"{what}, {when.day} {when:%B %Y, %H:%M}"
    return what


def lead(report: Report) -> str:
    """One sentence on what this was."""
    cpu, cores = report.machine.get("cpu", "an unnamed machine"), report.machine.get("cores", "?")
    minutes = f"{report.seconds / 60:.1f} minutes"
    counts = f"{report.lines_in} chat lines and {report.turns} spoken replies"
    return f"{counts} in {minutes}, on {cores} cores of {cpu}."


def tiles(report: Report) -> str:
    """The figures that matter, large."""
    shown = [
        ("median to first audio", number(report.first_audio_ms.p50, "ms")),
        ("95th percentile", number(report.first_audio_ms.p95, "ms")),
        ("our share of it", number(report.our_share_ms.p50, "ms")),
        ("ratio to a bare loop", number(report.floor_ratio)),
    ]
    return "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in shown)


def limits(report: Report) -> dict[str, float]:
    """The targets of the first audio, ms, by a short name."""
    names = {"first_audio_p50": "median target", "first_audio_p95": "p95 target"}
    return {names[each.goal]: each.most for each in judged(report) if each.goal in names}


def targets(report: Report) -> str:
    """The targets as a table."""
    cells = []
    for target in judged(report):
        kind, said = KIND[target.verdict(report)], target.said(report)
        cells.append(f"<tr>{tds(target_row(target, report))}<td class={kind}>{said}</td></tr>")
    return "".join(cells)


def figures(report: Report) -> str:
    """Every distribution as a table's rows."""
    return "".join(
        f"<tr class={'sub' if name.startswith(' ') else 'top'}>"
        + tds((name.strip(), str(s.n), *(number(v) for v in (s.p50, s.p95, s.p99, s.max))))
        + "</tr>"
        for name, s in rows(report)
    )


def talk(run: Run) -> str:
    """What was said, line by line."""
    return "".join(f"<tr>{exchange(reply)}</tr>" for reply in run.replies.values())


def exchange(reply: Reply) -> str:
    """One reply as a row."""
    said = reply.ended.heard if reply.ended else ""
    ending = reply.ended.ending.value if reply.ended else "not ended"
    first = number(1000 * reply.first_audio) if reply.first_audio is not None and reply.to_chat else "-"
    asked = f"<b>{escape(reply.author)}</b> {escape(reply.text)}" if reply.to_chat else "<i>nobody spoke</i>"
    note = "" if ending == "finished" else f" <i>({escape(ending)})</i>"
    case = ("waited" if reply.waited else "") if reply.to_chat and Stage.RECEIVED in reply.marks else ""
    return f"<td>{asked}</td><td>{escape(said)}{note}</td><td>{first}</td><td>{case}</td>"


def facts(report: Report) -> str:
    """The machine, the models and the rest that a figure needs to mean something."""
    memory = {name: f"{number(m.peak)} MB (growth {number(m.growth)})" for name, m in report.rss_mb.items()}
    cpu = {name: f"{seconds:.0f} s" for name, seconds in report.cpu_s.items()}
    shown: Sequence[tuple[str, str]] = [
        ("machine", words(report.machine)),
        ("models", words(report.models)),
        ("prompt from the cache", number(report.cached_prompt_share)),
        ("memory, peak", words(dict(memory))),
        ("CPU time", words(dict(cpu))),
        ("idle CPU, share of a core", number(report.idle_cpu_share)),
        ("parts that were down", words(dict(report.degraded)) if report.degraded else "none"),
        ("journal lines not understood", str(report.unreadable_journal_lines)),
        *([("what bounds first audio", why)] if (why := bound(report)) else []),
        *(("pace", line.removeprefix("pace of ").strip()) for line in paces(report)),
        *[(f"said aloud, {kind}", words(dict(counts))) for kind, counts in report.said_aloud.items()],
        ("method", report.method),
    ]
    return "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in shown)


def spoken(report: Report) -> str:
    """The two cases in a sentence."""
    idle, waited = report.first_audio_idle_ms, report.first_audio_waited_ms
    return (
        f"For a line that came while she was idle, from its arrival: median {number(idle.p50, 'ms')}. "
        f"For one that waited, from the end of the speech before: {number(waited.p50, 'ms')}. "
        f"Lines that she left alone until a lull, included in all figures: {report.left_until_a_lull}."
    )


def fates(report: Report) -> str:
    """Whether every line is accounted for."""
    missing = report.lines_without_fate
    return f"{report.lines_in} came in; " + (
        "every one has its fate." if not missing else f"{missing} have none."
    )


def tds(cells: Iterable[str]) -> str:
    """Escaped table cells."""
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)
