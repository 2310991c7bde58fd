"""A result for people: a table a part, what is worth knowing under it, and the machine's bounds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from rich import box
from rich.console import Console
from rich.table import Table

from engines.bench.compare import Ratio
from engines.bench.results import Result
from engines.bench.rows import FLOOR, Row, in_order, number

NOISY = 10.0  # percent of all cores that others used
CAPTION = "p95: 95 of 100 were at least as good; of tok/s the slow end"


def show(result: Result, console: Console) -> None:
    """Print all of it."""
    say(console, f"machine: {result.machine}")
    for part, rows in groupby(result.rows, key=lambda row: row.part):
        console.print(_table(part, list(rows)))
        for note in result.notes.get(part, ()):
            say(console, f"  {note}")
    for bound in result.roofline:
        say(console, f"roofline, {bound['line']}")
    begun = {row.part for row in result.rows}
    for part, why in result.failed.items():
        say(console, f"{part} was not measured{' to the end' if part in begun else ''}: {why}")
    if result.others_percent is not None:
        noisy = "; the figures are noisy" if result.others_percent > NOISY else ""
        say(console, f"others used {result.others_percent:.0f} % of the cores meanwhile{noisy}")


def _table(part: str, rows: Sequence[Row]) -> Table:
    table = _framed(part, ("clients", "n", "p50", "p95", "p99"))
    for what, group in groupby(in_order(rows), key=lambda row: row.what):
        found = list(group)
        _head(table, f"{what}, {found[0].unit}")
        for row, case in zip(found, _cases(found), strict=True):
            marks = [number(row.at(percent)) for percent in (50, 95, 99)]
            style = "dim" if what == FLOOR else ""
            table.add_row(case, str(row.clients), str(len(row.values)), *marks, style=style)
    return table


def show_ratios(names: tuple[str, str], ratios: Sequence[Ratio], console: Console) -> None:
    """Print a comparison: the second over the first."""
    ordered = in_order([each.one for each in ratios])
    by_row = {each.one.key: each for each in ratios}
    for part in dict.fromkeys(row.part for row in ordered):
        table = _framed(f"{part}: {names[1]} / {names[0]}", ("clients", "p50", "to", "p50 x", "p95 x", ""))
        rows = [row for row in ordered if row.part == part]
        for what, group in groupby(rows, key=lambda row: row.what):
            found = list(group)
            _head(table, f"{what}, {found[0].unit}")
            for row, case in zip(found, _cases(found), strict=True):
                each = by_row[row.key]
                marks = [number(row.at(50)), number(each.other.at(50)), _times(each.p50), _times(each.p95)]
                table.add_row(case, str(row.clients), *marks, each.verdict)
        console.print(table)


def _framed(title: str, columns: Sequence[str]) -> Table:
    """Fits 80 columns: what is measured stands over its cases."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=title,
        caption=CAPTION,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right" if name else "left")
    return table


def _head(table: Table, what: str) -> None:
    table.add_row(what, style="bold")


def _cases(rows: Sequence[Row]) -> list[str]:
    """Each case's name, at its first row alone."""
    named = ["", *(row.case for row in rows)]
    return ["" if case == before else f"  {case}" for before, case in pairwise(named)]


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def say(console: Console, line: str) -> None:
    """A line as it is: no markup, no colours of rich's own."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
