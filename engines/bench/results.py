"""A run's result as JSON, written and read again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engines.bench.errors import BenchFailed
from engines.bench.rows import Row

FORMAT = 1
NAME = "result.json"


@dataclass(slots=True)
class Result:
    """All that a run found. `notes` by part; `failed` says why a part has no rows."""

    made: str  # when, ISO 8601
    machine: str
    options: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    roofline: list[dict[str, Any]] = field(default_factory=list)
    others_percent: float | None = None  # of all cores, used by others meanwhile; None: servers were not ours


def save(result: Result, path: Path) -> None:
    """Write it, with the percentiles beside the values."""
    said = asdict(result) | {"format": FORMAT}
    said["rows"] = [asdict(row) | _summary(row) for row in result.rows]
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _summary(row: Row) -> dict[str, float]:
    return {"n": len(row.values)} | {f"p{q}": round(row.at(q), 4) for q in (50, 95, 99)}


def load(path: Path) -> Result:
    """Read it. Raises BenchFailed for what is none."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchFailed(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BenchFailed(f"{path}: not JSON") from error
    return parse(raw, str(path))


def parse(raw: object, name: str) -> Result:
    """A result from its JSON. Raises BenchFailed."""
    if not isinstance(raw, dict) or raw.get("format") != FORMAT or not isinstance(raw.get("rows"), list):
        raise BenchFailed(f"{name}: no result of this benchmark (format {FORMAT})")
    options = raw.get("options")
    return Result(
        made=str(raw.get("made", "")),
        machine=str(raw.get("machine", "")),
        options={str(key): value for key, value in options.items()} if isinstance(options, dict) else {},
        rows=[_row(each, name) for each in raw["rows"]],
    )


def _row(raw: object, name: str) -> Row:
    try:
        assert isinstance(raw, Mapping)
        values = tuple(float(value) for value in raw["values"])
        words = [str(raw[key]) for key in ("part", "what", "case")]
        row = Row(words[0], words[1], words[2], int(raw["clients"]), str(raw["unit"]), values)
    except (AssertionError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise BenchFailed(f"{name}: a row that is none: {str(raw)[:120]}") from error
    if not values or not all(map(math.isfinite, values)):
        raise BenchFailed(f"{name}: the row {row.what}, {row.case} has no values")
    return row
