"""Which likeness says that a memory fits a line, and which that two facts are one, on pairs of our own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glue.memory.entry import Entry, Kind, meant
from glue.memory.vectors import Embeddings
from glue.memory.year import CHATTER

PAIRS = Path(__file__).parent / "pairs.jsonl"
FITS = (0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.35, 0.45, 0.55)
NAMED = re.compile(r"(?:mira|bob|kaja|zed|nina|tom|ivy|lou|ola|rae|ned|Spark)\b")
ONES = (0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.95)


async def tune(section: dict[str, Any]) -> str:
    """Two tables, as text. Raises PortError."""
    pairs = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    vectors = Embeddings(section["embeddings"], section["model"], section["dimensions"], 10.0, section["key"])
    try:
        fact, again, other, line = [
            await vectors.embed([_meant(pair[key]) for pair in pairs])
            for key in ("fact", "again", "other", "line")
        ]
        chatter = await vectors.embed(CHATTER)
    finally:
        await vectors.close()
    apart = ~np.eye(len(pairs), dtype=bool)
    table = ["likeness: kept of what fits the line; let in of what does not; of chatter"]
    fitting, strange, idle = (fact * line).sum(1), (fact @ line.T)[apart], (fact @ chatter.T).ravel()
    table += [_row(least, fitting, strange, idle) for least in FITS]
    table.append("same: merged of what is the same; of what only resembles it; of all other facts")
    one, near, far = (fact * again).sum(1), (fact * other).sum(1), (fact @ fact.T)[apart]
    table += [_row(least, one, near, far) for least in ONES]
    return "\n".join(table) + "\n"


def _meant(text: str) -> str:
    """As an entry about whoever it begins with is embedded."""
    viewer = NAMED.match(text)
    return meant(Entry("", Kind.VIEWER, "", viewer[0] if viewer else "", text, 0.0))


def _row(least: float, *groups: NDArray[np.float32]) -> str:
    return f"{least:5.2f}" + "".join(f"  {100 * np.mean(group >= least):5.1f} %" for group in groups)
