"""Run -> pictures, as SVG texts that stand in a page by themselves. Colours are safe for the colour-blind."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from glue.events import Stage
from glue.report.memory import SETTLED, series
from glue.report.numbers import stages
from glue.report.read import Reply, Run

INK, FAINT, LINE = "#22262e", "#767d89", "#d9dde3"
IDLE, WAITED, MISSED = "#2f6db5", "#e08a1e", "#c0392b"
SERIES = ("#2f6db5", "#e08a1e", "#3a9a6b", "#8e5bb0", "#c0392b", "#5c6672")
SMOOTHED = 9  # replies of a running median
STEPS = {
    Stage.CHOSEN: ("chosen", "#5c6672"),
    Stage.RECALLED: ("recalled", "#8e5bb0"),
    Stage.FIRST_TOKEN: ("first token", "#2f6db5"),
    Stage.FIRST_CLAUSE: ("first clause", "#6fa3d8"),
    Stage.CLEARED: ("cleared", "#3a9a6b"),
    Stage.FIRST_AUDIO: ("first audio", "#e08a1e"),
    Stage.AUDIBLE: ("audible", "#c0392b"),
}
STYLE: Any = {  # matplotlib types its settings one by one
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#eceff3",
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "spark",
    "text.parse_math": False,
}
Drawer = Callable[[Any], None]


def drawn(draw: Drawer, height: float = 3.2, width: float = 9.6) -> str:
    """An SVG of what `draw` puts on the axes."""
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = out.getvalue()
    return text[text.index("<svg") :]


def waterfall(run: Run) -> str:
    """Median and 95th percentile of every step, one below the other, each where the median one begins."""
    steps = stages(heard(run))

    def draw(axes: Any) -> None:
        at = 0.0
        shown = [stage for stage in STEPS if stage.value in steps]
        for row, stage in enumerate(shown):
            colour = STEPS[stage][1]
            p50, p95 = (float(q) * 1000 for q in np.percentile(steps[stage.value], [50, 95]))
            axes.barh(row, max(p95, 0.5), left=at, height=0.62, color=colour, alpha=0.22)
            axes.barh(row, max(p50, 0.5), left=at, height=0.62, color=colour)
            label = f"{p50:.0f} ms  (p95 {p95:.0f})" if p95 >= 1 else "under 1 ms"
            axes.text(at + max(p95, 0.5) + 6, row, label, va="center", fontsize=9)
            at += p50
        axes.set_yticks(range(len(shown)), [STEPS[stage][0] for stage in shown], color=INK)
        axes.invert_yaxis()
        axes.set_xlim(0, axes.get_xlim()[1] * 1.18)
        axes.set_xlabel("ms since the line arrived, or since the speech before it ended")
        axes.grid(visible=False, axis="y")

    return drawn(draw, 3.0)


def distribution(run: Run, limits: Mapping[str, float]) -> str:
    """How many replies took how long to their first audio, by case, with the targets: `limits`, ms."""
    idle, waited = cases(run)

    def draw(axes: Any) -> None:
        most = reach(idle + waited)
        bins = np.linspace(0, most, 41)
        clipped = [np.minimum(values, most) for values in (idle, waited)]
        names = [f"came while she was idle ({len(idle)})", f"waited ({len(waited)})"]
        axes.hist(clipped, bins, stacked=True, color=[IDLE, WAITED], label=names, rwidth=0.9)
        top = axes.get_ylim()[1] * 1.12
        axes.set_ylim(0, top)
        for name, limit in limits.items():
            axes.axvline(limit, color=INK, lw=1, ls=(0, (4, 3)))
            axes.text(limit + most * 0.006, top * 0.98, f"{name} {limit:.0f} ms", va="top", fontsize=8.5)
        beyond = sum(value > most for value in idle + waited)
        if beyond:
            axes.text(
                most, top * 0.3, f"{beyond} beyond {most:.0f} ms", ha="right", fontsize=8.5, color=MISSED
            )
        axes.set_xlim(0, most)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("chat to first audio, ms")
        axes.set_ylabel("replies")
        axes.legend(loc="upper left")

    return drawn(draw)


def timeline(run: Run) -> str:
    """Each reply's first audio over the show, and when she spoke."""

    def draw(axes: Any) -> None:
        idle, waited = cases(run)
        most = reach(idle + waited)
        for case, colour, name in ((False, IDLE, "came while she was idle"), (True, WAITED, "waited")):
            chosen = [r for r in heard(run) if r.waited is case]
            at = [(r.marks[Stage.AUDIBLE] - run.began) / 60 for r in chosen]
            ms = np.asarray([(r.first_audio or 0.0) * 1000 for r in chosen])
            axes.plot(at, np.minimum(ms, most), "o", ms=5, color=colour, mec="white", mew=0.6, label=name)
            for x, y in zip(at, ms, strict=True):
                if y > most:
                    axes.annotate(f"{y / 1000:.1f} s", (x, most), (6, 0), textcoords="offset points",
                                  color=colour, va="center", fontsize=8)  # fmt: skip
        for reply in run.replies.values():
            if reply.ended and Stage.AUDIBLE in reply.marks:
                begin, end = reply.marks[Stage.AUDIBLE] - run.began, reply.ended.at - run.began
                axes.axvspan(begin / 60, end / 60, ymax=0.035, color=FAINT, lw=0, alpha=0.55)
        axes.plot(*running_median(run), color=INK, lw=1.4, label=f"running median of {SMOOTHED}")
        axes.set_ylim(0, most * 1.14)
        axes.set_xlim(0, max((run.ended - run.began) / 60, 0.01))
        axes.set_xlabel("minutes of the show (grey below: she speaks)")
        axes.set_ylabel("first audio, ms")
        axes.legend(loc="upper right", ncols=3, fontsize=9)

    return drawn(draw)


def memory(run: Run) -> str:
    """Resident memory of each process over the show."""

    def draw(axes: Any) -> None:
        names = sorted({name for vitals in run.vitals for name in vitals.rss_mb})
        for name, colour in zip(names, SERIES * (1 + len(names) // len(SERIES)), strict=False):
            points = series(run, name)
            at, mb = [t / 60 for t, _ in points], [v for _, v in points]
            axes.plot(at, mb, color=colour, lw=1.8)
            axes.annotate(
                f"{name} {mb[-1]:.0f} MB", (at[-1], mb[-1]), (5, 0), textcoords="offset points",
                color=colour, va="center", fontsize=9, annotation_clip=False,
            )  # fmt: skip
        length = max((run.ended - run.began) / 60, 0.01)
        if length * 60 > SETTLED:
            axes.axvline(SETTLED / 60, color=INK, lw=1, ls=(0, (4, 3)))
        axes.set_xlim(0, length * 1.12)
        axes.set_ylim(0)
        axes.set_xlabel("minutes of the show")
        axes.set_ylabel("resident memory, MB")

    return drawn(draw)


def bars(counts: dict[str, int]) -> str:
    """Counts by name, the most first."""

    def draw(axes: Any) -> None:
        names = list(counts)
        drawn_bars = axes.barh(names, list(counts.values()), height=0.62, color=IDLE)
        axes.bar_label(drawn_bars, padding=4, fontsize=9)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("lines")

    return drawn(draw, 0.9 + 0.32 * max(1, len(counts)))


def heard(run: Run) -> list[Reply]:
    """Replies to chat that had sound."""
    return [r for r in run.replies.values() if r.to_chat and r.first_audio is not None]


def cases(run: Run) -> tuple[list[float], list[float]]:
    """First audio in ms: of lines that came while she was idle, and of those that waited."""
    idle = [1000 * (r.first_audio or 0.0) for r in heard(run) if not r.waited]
    return idle, [1000 * (r.first_audio or 0.0) for r in heard(run) if r.waited]


def reach(values: Sequence[float]) -> float:
    """Where an axis of milliseconds ends: the few that lie far out must not flatten the rest."""
    return max(1200.0, 1.6 * float(np.percentile(values, 95))) if values else 1200.0


def running_median(run: Run) -> tuple[list[float], list[float]]:
    """Minutes and milliseconds of first audio, smoothed; over fewer replies at both ends."""
    replies, half = sorted(heard(run), key=lambda r: r.marks[Stage.AUDIBLE]), SMOOTHED // 2
    ms = [1000 * (r.first_audio or 0.0) for r in replies]
    medians = [float(np.median(ms[max(0, i - half) : i + half + 1])) for i in range(len(ms))]
    return [(r.marks[Stage.AUDIBLE] - run.began) / 60 for r in replies], medians
