"""world.jsonl -> where she went in a game's world, and what came of what she did there, drawn.

The Minecraft body writes it (engines/minecraft/body/track.js): a place, or a deed that ended there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from glue.report.plots import FAINT, IDLE, INK, MISSED, drawn

WORLD = "world.jsonl"  # in the run folder
MOST = 200_000  # rows that are read: 8 hours have 14,400
ROOM = 6.0  # blocks around her way
NAMED = 12  # deeds whose names fit on the map
DONE = "#3a9a6b"


@dataclass(frozen=True, slots=True)
class Row:
    """Where she was at `at`, and what she had done since `began`. Seconds; blocks, east is +x, south +z."""

    at: float
    x: float
    z: float
    y: float = 0.0
    did: str = ""
    began: float = 0.0
    success: bool = False

    @property
    def label(self) -> str:
        """What she did, in letters that a plot's font has."""
        return "".join(c if c.isascii() and c.isprintable() else "?" for c in self.did[:30])

    @property
    def goal(self) -> str:
        """What kind of deed: "collect" of "collect log 3"."""
        return self.label.split()[0] if self.label.split() else "something"


ROW = TypeAdapter(Row)


def read(path: Path) -> list[Row]:
    """Its rows; none where nobody was in a world. Rows that are damaged, or no places, are passed over."""
    try:
        with path.open("rb") as lines:
            return [row for _, line in zip(range(MOST), lines, strict=False) if (row := _row(line))]
    except OSError:
        return []


def _row(line: bytes) -> Row | None:
    try:
        row = ROW.validate_json(line)
    except ValidationError:
        return None
    return row if all(map(math.isfinite, (row.at, row.x, row.z, row.began))) else None


def outcome(rows: Iterable[Row]) -> str:
    """How many deeds came to what, and how far she walked."""
    rows = list(rows)
    deeds = [row for row in rows if row.did]
    done = sum(row.success for row in deeds)
    walked = sum(math.dist((a.x, a.z), (b.x, b.z)) for a, b in pairwise(rows))
    return f"{len(deeds)} things done or tried, {done} with success; {walked:.0f} blocks walked."


def wander(rows: Sequence[Row]) -> str:
    """A map, north above: her way, and where deeds ended."""
    deeds = [row for row in rows if row.did]

    def draw(axes: Any) -> None:
        axes.plot([row.x for row in rows], [row.z for row in rows], color=IDLE, lw=1.2, alpha=0.7)
        axes.plot(rows[0].x, rows[0].z, "s", ms=8, color=INK, label="began here")
        for success, colour, name in ((True, DONE, "done"), (False, MISSED, "did not work")):
            ended = [row for row in deeds if row.success is success]
            axes.plot(
                [r.x for r in ended], [r.z for r in ended], "o", ms=6, color=colour, mec="white", label=name
            )
        for row in deeds[-NAMED:]:
            axes.annotate(
                row.label, (row.x, row.z), (6, 4), textcoords="offset points", fontsize=8, color=FAINT
            )
        for values, limit in (([r.x for r in rows], axes.set_xlim), ([r.z for r in rows], axes.set_ylim)):
            limit(min(values) - ROOM, max(values) + ROOM)
        axes.set_aspect("equal", adjustable="datalim")
        axes.invert_yaxis()
        axes.set_xlabel("x, blocks to the east")
        axes.set_ylabel("z, blocks to the south")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))

    return drawn(draw, 5.2)


def deeds(rows: Sequence[Row]) -> str:
    """What she did over the show, a row for each kind, and whether it worked."""
    done = [row for row in rows if row.did]
    goals = list(dict.fromkeys(row.goal for row in done))
    zero = rows[0].at

    def draw(axes: Any) -> None:
        for row in done:
            begin, took = (row.began - zero) / 60, max(row.at - row.began, 1.0) / 60
            axes.barh(
                goals.index(row.goal), took, left=begin, height=0.62, color=DONE if row.success else MISSED
            )
        axes.set_yticks(range(len(goals)), goals, color=INK)
        axes.invert_yaxis()
        axes.set_xlim(0, max(1.0, *((row.at - zero) / 60 for row in rows)))
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("minutes since she entered the world (green: done, red: it did not work)")

    return drawn(draw, 1.0 + 0.34 * max(1, len(goals)))
