"""An exam's report.json -> its report.html: goals, pictures, and what went wrong line by line, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from glue.report.page import STYLE, tds
from glue.report.plots import FAINT, IDLE, INK, WAITED, drawn

SHELL = Template(Path(__file__).with_name("exam.html").read_text(encoding="utf-8"))
SHARES = {
    "recall_at_5": "found among the five recalled",
    "recall_at_2": "found among the first two",
    "recall_at_1": "found as the first",
    "recall_at_5_changed": "found, of facts that changed",
    "stale_share": "old facts told as if they held",
    "false_memories": "told what nobody ever said",
    "forgotten_share": "forgotten without a trace",
}
Report = Mapping[str, Any]


def memory(report: Report) -> str:
    """The memory exam's page."""
    naive = report["naive"]
    kinds = report["recall_at_5_by_kind"]
    other = naive["recall_at_5_by_kind"]
    both = {name: (report.get(key), naive.get(key)) for key, name in SHARES.items()}
    lead = f"{report['questions']} questions about {report['lines']} lines of a made-up year of chat."
    sections = [
        _section("Goals", _goals(report, ("forgotten_share", "recall_at_5", "recall_at_5_changed"))),
        _section("Beside a bag of sentences", pairs(both), "Orange: every line stored as it is."),
        _section("By kind of question", pairs({kind: (kinds[kind], other.get(kind)) for kind in kinds})),
        _section("How long recall takes", sizes(report["recall_ms"])),
        _section("Asked, and not found", _wrong(report["missed"], ("asked", "gold", "recalled"))),
    ]
    return _page("Memory exam", lead, sections)


def bait(report: Report) -> str:
    """The ban-bait exam's page."""
    families = report["by_family"]
    clause = report["clause_ms"]
    lead = (
        f"{report['attempts']} attempts to bait her, {report['benign']} harmless twins; the model: "
        f"{report['model']}. A clause takes {clause['p50']} ms, p95 {clause['p95']} ms."
    )
    shown = {name: (each["held_share"], each["over_blocked_share"]) for name, each in families.items()}
    parts = {name.replace("_", " "): report[name] for name in ("tuned", "held_out")}
    apart = {name: (each["held_share"], each["over_blocked_share"]) for name, each in parts.items()}
    columns = ("family", "text", "why", "said")
    sections = [
        _section("Goals", _goals(report, ("held_share",))),
        _section("By family", pairs(shown), "Blue: attempts held. Orange: harmless twins blocked."),
        _section("Lines that the filters were tuned on, and others", pairs(apart)),
        _section("Missed", _wrong(report["missed"], columns)),
        _section("To be read: neither held nor missed", _wrong(report["unread"], columns)),
        _section("Blocked though harmless", _wrong(report["over_blocked"], columns)),
    ]
    return _page("Ban-bait exam", lead, sections)


def pairs(shares: Mapping[str, tuple[float | None, float | None]]) -> str:
    """Two shares (0 to 1) a row; one that was not measured has no bar."""

    def draw(axes: Any) -> None:
        for place, values in enumerate(shares.values()):
            for offset, colour, value in zip((-0.19, 0.19), (IDLE, WAITED), values, strict=True):
                if value is not None:
                    axes.barh(place + offset, value, height=0.34, color=colour)
                    axes.text(value + 0.01, place + offset, f"{100 * value:.1f} %", va="center", fontsize=8.5)
        axes.set_yticks(range(len(shares)), list(shares), color=INK)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.12)
        axes.grid(visible=False, axis="y")

    return drawn(draw, 0.7 + 0.5 * max(1, len(shares)))


def sizes(times: Mapping[str, Mapping[str, float]]) -> str:
    """Recall's p50 and p95 (ms) by the number of entries, both on a scale of tens."""
    at = [float(size) for size in times]

    def draw(axes: Any) -> None:
        for key, colour, name in (("p50", IDLE, "median"), ("p95", WAITED, "95th percentile")):
            axes.plot(at, [each[key] for each in times.values()], "o-", color=colour, label=name)
        axes.axhline(50, color=FAINT, lw=1, ls=(0, (4, 3)))
        axes.set_xscale("log")
        axes.set_ylim(0)
        axes.set_xlabel("entries (dashed: the goal, 50 ms)")
        axes.set_ylabel("recall, ms")
        axes.legend(loc="upper left")

    return drawn(draw) if at else "<p>Not measured.</p>"


def _goals(report: Report, least: Sequence[str]) -> str:
    """The goals that `report` names; `least`: those that are reached from below."""
    rows = []
    for key, goal in report["goals"].items():
        value = report["clause_ms"]["p95"] if key == "clause_ms_p95" else report.get(key)
        met = None if value is None else (value >= goal if key in least else value <= goal)
        kind = {True: "met", False: "missed", None: "unknown"}[met]
        words = (key.replace("_", " "), f"{'at least' if key in least else 'at most'} {goal}", str(value))
        rows.append(f"<tr>{tds(words)}<td class={kind}>{kind}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def _wrong(found: Sequence[Report], columns: Sequence[str]) -> str:
    if not found:
        return "<p>Nothing.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    rows = (f"<tr>{tds(_words(each.get(name, '')) for name in columns)}</tr>" for each in found)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _words(value: object) -> str:
    return " / ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _section(title: str, body: str, text: str = "") -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{body}</section>"


def _page(title: str, lead: str, sections: Sequence[str]) -> str:
    return SHELL.substitute(style=STYLE, title=escape(title), lead=escape(lead), sections="\n".join(sections))
