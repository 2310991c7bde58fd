"""Results as PNG files. Colours are safe for the colour-blind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from engines.bench.compare import Ratio
from engines.bench.rows import Row, in_order, number

INK, FAINT = "#22262e", "#767d89"
SERIES = ("#2f6db5", "#e08a1e", "#3a9a6b", "#8e5bb0", "#c0392b", "#5c6672")
STYLE: Any = {  # matplotlib types its settings one by one
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#d9dde3",
    "axes.labelcolor": FAINT,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#eceff3",
    "legend.frameon": False,
    "text.parse_math": False,
}
LONGEST = 44  # letters of a case


def part(name: str, rows: Sequence[Row], path: Path) -> None:
    """One picture of a part: a panel for each thing measured, bars from the median to the p95."""
    ordered = in_order(rows)
    panels = {what: [row for row in ordered if row.what == what] for what in [row.what for row in ordered]}
    colours = dict(zip(sorted({row.clients for row in rows}), SERIES * len(rows), strict=False))
    heights = [0.22 * len(panel) + 0.3 for panel in panels.values()]

    def draw(figure: Any) -> None:
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for (what, panel), each in zip(panels.items(), axes, strict=True):
            _panel(each, what, panel, colours)
        handles = [Patch(color=colour, label=f"{count} at once") for count, colour in colours.items()]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
        figure.suptitle(f"{name}: median, and p95 as the thin end (in brackets)", x=0.01, ha="left")

    _saved(draw, path, sum(heights) + 0.5 * len(heights) + 0.6)


def ratios(names: tuple[str, str], found: Sequence[Ratio], path: Path) -> None:
    """The second over the first, a bar each; left of the line is less."""
    shown = [each for each in found if each.p50 is not None]
    labels = [
        f"{each.one.part}: {each.one.what}, {each.one.case[:LONGEST]}, {each.one.clients}" for each in shown
    ]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, each in enumerate(shown):
            good = {"better": SERIES[2], "worse": SERIES[4]}.get(each.verdict, SERIES[5])
            ratio = each.p50 or 1.0
            axes.barh(place, ratio - 1, left=1, height=0.62, color=good)
            axes.text(max(ratio, 1) * 1.01, place, f"{ratio:.2f}", va="center", fontsize=8)
        axes.axvline(1, color=INK, lw=1)
        axes.set_yticks(range(len(shown)), labels, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel(f"median of {names[1]} / {names[0]}; green is better")

    _saved(draw, path, 1.2 + 0.24 * len(shown))


def _panel(axes: Any, what: str, rows: Sequence[Row], colours: Mapping[int, str]) -> None:
    for place, row in enumerate(rows):
        median, bad = row.at(50), row.at(95)
        axes.barh(place, median, height=0.7, color=colours[row.clients])
        axes.plot([median, bad], [place, place], color=INK, lw=1.2, alpha=0.7)
        axes.text(max(median, bad), place, f"  {number(median)} ({number(bad)})", va="center", fontsize=8)
    cases = [row.case[:LONGEST] if row.clients == min(colours) else "" for row in rows]
    axes.set_yticks(range(len(rows)), cases, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
    axes.set_xlabel(f"{what}, {rows[0].unit}")
    axes.grid(visible=False, axis="y")


def _saved(draw: Callable[[Any], None], path: Path, height: float) -> None:
    with rc_context(STYLE):
        figure = Figure(figsize=(9.6, min(height, 60)), layout="constrained")
        draw(figure)
        figure.savefig(path, format="png", dpi=110)
