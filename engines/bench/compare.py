"""Two results side by side: every row that both have, the second over the first."""

from __future__ import annotations

from dataclasses import dataclass

from engines.bench.errors import BenchFailed
from engines.bench.results import Result
from engines.bench.rows import Row

SAME = 0.05  # a ratio this near to 1 is no difference


@dataclass(frozen=True, slots=True)
class Ratio:
    """One row of both; a ratio is None where the first is 0."""

    one: Row
    other: Row

    @property
    def p50(self) -> float | None:
        """Of the medians."""
        return _over(self.other.at(50), self.one.at(50))

    @property
    def p95(self) -> float | None:
        """Of the bad ends."""
        return _over(self.other.at(95), self.one.at(95))

    @property
    def verdict(self) -> str:
        """By the medians: better, worse, or the same within SAME."""
        if self.p50 is None or abs(self.p50 - 1) <= SAME:
            return ""
        return "better" if (self.p50 > 1) is self.one.higher else "worse"


def ratios(one: Result, other: Result) -> list[Ratio]:
    """What both have, in the first's order. Raises BenchFailed where that is nothing."""
    there = {row.key: row for row in other.rows}
    found = [Ratio(row, there[row.key]) for row in one.rows if row.key in there]
    if not found:
        raise BenchFailed("the two results have no row in common")
    return found


def differences(one: Result, other: Result) -> list[str]:
    """What else differs, and so may be the reason; a line each."""
    said = [f"machines: {one.machine} | {other.machine}"] if one.machine != other.machine else []
    for key in sorted(one.options.keys() | other.options.keys()):
        pair = one.options.get(key), other.options.get(key)
        if key != "out" and pair[0] != pair[1]:
            said.append(f"{key}: {pair[0]} | {pair[1]}")
    lone = {row.key for row in one.rows} ^ {row.key for row in other.rows}
    return [*said, f"{len(lone)} rows are only in one of them"] if lone else said


def _over(value: float, by: float) -> float | None:
    return value / by if by > 0 else None
