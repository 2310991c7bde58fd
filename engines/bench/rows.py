"""What was measured, a row a case: its values, and percentiles that look at the bad side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

MORE_IS_BETTER = frozenset({"tok/s", "% cached"})
FLOOR = "floor"  # what of a row that shows what the wire alone costs
Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One case under one number of clients. `values` in `unit`, in the order in which they came."""

    part: str
    what: str
    case: str
    clients: int
    unit: str
    values: tuple[float, ...]

    @property
    def key(self) -> Key:
        """What makes it the same row in another result."""
        return self.part, self.what, self.case, self.clients

    @property
    def higher(self) -> bool:
        """Whether more of it is better."""
        return self.unit in MORE_IS_BETTER

    def at(self, percent: float) -> float:
        """The value that `percent` of the measurements were at least as good as."""
        return float(np.percentile(self.values, 100 - percent if self.higher else percent))


def row(part: str, what: str, case: str, clients: int, unit: str, values: Iterable[float]) -> Row:
    """A row of finite values, at most four decimals each."""
    return Row(part, what, case, clients, unit, tuple(round(float(value), 4) for value in values))


def ms(seconds: Iterable[float]) -> list[float]:
    """Seconds as milliseconds."""
    return [value * 1000 for value in seconds]


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Things and cases as they were measured, those of several clients side by side, floors last."""
    whats = list(dict.fromkeys(row.what for row in rows))
    cases = list(dict.fromkeys(row.case for row in rows))
    return sorted(rows, key=lambda r: (r.what == FLOOR, whats.index(r.what), cases.index(r.case), r.clients))


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
