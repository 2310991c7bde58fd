"""Several runs' report.json -> one comparison: a table, comparison.json and comparison.html."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from rich.console import Console
from rich.markup import escape as plain
from rich.table import Table

from glue.report.plots import FAINT, IDLE, WAITED, drawn
from glue.report.table import number

SHELL = Template(Path(__file__).with_name("comparison.html").read_text(encoding="utf-8"))
COLUMNS = {
    "replies": ("turns",),
    "first audio p50": ("first_audio_ms", "p50"),
    "p95": ("first_audio_ms", "p95"),
    "idle p50": ("first_audio_idle_ms", "p50"),
    "our share p50": ("our_share_ms", "p50"),
    "floor ratio": ("floor_ratio",),
    "gaps p95": ("gaps_ms", "p95"),
    "new tokens p95": ("new_prompt_tokens", "p95"),
    "recall p95": ("recall_ms", "p95"),
    "recalled tokens p50": ("recalled_tokens", "p50"),
    "memory MB": ("rss_total_mb", "peak"),
}


BOUNDED = ("first audio p50", "p95")


@dataclass(frozen=True, slots=True)
class Row:
    """One run: what it is called and its figures, in COLUMNS' order; None for what it has not measured."""

    name: str
    values: tuple[float | None, ...]


def compare(runs: Mapping[str, Path], into: Path, console: Console | None = None) -> list[Row]:
    """Print the comparison of name -> run folder, and write both files `into` a folder. A run that has no
    report is a row without figures. Raises OSError where the files cannot be written."""
    rows = [Row(name, values(folder / "report.json")) for name, folder in runs.items()]
    (console or Console()).print(table(rows))
    records = [{"run": row.name, **dict(zip(COLUMNS, row.values, strict=True))} for row in rows]
    (into / "comparison.json").write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    (into / "comparison.html").write_text(page(rows), encoding="utf-8")
    return rows


def slower(rows: Sequence[Row], within: float) -> list[str]:
    """A line for each run whose first audio is later than the first run's by more than `within` (0.1: 10 %),
    or where that cannot be told."""
    found, first = [], rows[0]
    for place, column in ((list(COLUMNS).index(name), name) for name in BOUNDED):
        for row in rows[1:]:
            was, now = first.values[place], row.values[place]
            if not was or now is None:
                found.append(f"{row.name}: no {column} to compare")
            elif now / was - 1 > within:
                found.append(f"{row.name}: {column} is {now / was - 1:.0%} later than in {first.name}")
    return found


def values(path: Path) -> tuple[float | None, ...]:
    """The figures of a report.json; Nones where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    return tuple(pick(found, keys) for keys in COLUMNS.values())


def pick(found: Any, keys: tuple[str, ...]) -> float | None:
    """A number deep in a mapping."""
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) else None


def table(rows: list[Row]) -> Table:
    """The comparison for a terminal: a column a run, whose name is folded and never cut."""
    made = Table("", title="Comparison", title_justify="left")
    for row in rows:
        made.add_column(plain(row.name), justify="right", overflow="fold")
    for place, name in enumerate(COLUMNS):
        made.add_row(name, *(number(row.values[place]) for row in rows))
    return made


def page(rows: list[Row]) -> str:
    """comparison.html: the same table and two plots, in one file."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("run", *COLUMNS))
    body = "".join(
        f"<tr><td>{escape(row.name)}</td>{''.join(f'<td>{number(v)}</td>' for v in row.values)}</tr>"
        for row in rows
    )
    return SHELL.substitute(head=head, body=body, plot=plot(rows))


def plot(rows: list[Row]) -> str:
    """Median and 95th percentile of the first audio of each run."""
    names = list(COLUMNS)
    p50, p95 = names.index("first audio p50"), names.index("p95")

    def draw(axes: Any) -> None:
        for place, row in enumerate(rows):
            low, high = row.values[p50], row.values[p95]
            if low is None or high is None:
                axes.text(0, place, " no report", va="center", color=FAINT)
                continue
            axes.plot([low, high], [place, place], color=FAINT, lw=2, zorder=1)
            axes.plot(low, place, "o", color=IDLE, ms=9, label="" if place else "median")
            axes.plot(high, place, "o", color=WAITED, ms=9, label="" if place else "95th percentile")
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0)
        axes.set_xlabel("chat to first audio, ms")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left", bbox_to_anchor=(0, 1.0), ncols=2)

    return drawn(draw, 1.3 + 0.42 * len(rows))
