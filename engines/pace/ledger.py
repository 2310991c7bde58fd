"""What pace was kept: every answer's times, beside those that were stated."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engines.pace.options import Pace
from engines.pace.schedule import prefill_seconds, step_seconds

CLOCK_MS = 0.5  # that two readings of a clock may be apart


@dataclass(slots=True)
class Kept:
    """One answer. Times in seconds from its turn to be prefilled; `waited` before that, for another's."""

    route: str
    new: int = 0  # prompt tokens that were not cached
    tokens: int = 0
    waited: float = 0.0
    first: float = 0.0  # until its first token
    last: float = 0.0  # until its last one
    work: float = 0.0  # of the whole machine that it had got by then; less than `last` where it was shared
    # of the token that came earliest, beside the stated time; over 0: too fast
    early_ms: float = float("-inf")
    behind_ms: float = 0.0  # the most that the small engine let one wait
    cut: bool = False  # the client hung up

    def token(self, pace: Pace, at: float, work: float, behind: float) -> None:
        """A token left `at` seconds, after `work` seconds of the whole machine: the pace is that of a model
        alone on it. The small engine had it `behind` seconds after it was due."""
        stated = prefill_seconds(pace, self.new) + step_seconds(pace, self.tokens)
        self.early_ms = max(self.early_ms, 1000 * (stated - min(at, work)))
        self.behind_ms = max(self.behind_ms, 1000 * behind)
        self.first = self.first or at
        self.last, self.work = at, work
        self.tokens += 1

    @property
    def rate(self) -> float | None:
        """Tokens a second after the first."""
        return (self.tokens - 1) / (self.last - self.first) if self.tokens > 1 else None


class Ledger:
    """The newest answers."""

    def __init__(self, routes: Mapping[str, Pace], most: int) -> None:
        self._routes = routes
        self._kept: deque[Kept] = deque(maxlen=most)

    def add(self, kept: Kept) -> None:
        """An answer is over, or was cut."""
        if kept.tokens:
            self._kept.append(kept)

    def report(self) -> dict[str, Any]:
        """As JSON: by route what was stated and what was kept, and each answer. `faster` counts answers with
        a token before its stated time, or the time that it has with less of the machine: over 0, nothing
        measured against this proxy holds. `shared_s`: seconds that went to the other model at work."""
        routes = {}
        for name, pace in self._routes.items():
            mine = [kept for kept in self._kept if kept.route == name]
            routes[name] = {
                "stated": asdict(pace),
                "kept": _summary(mine),
                "answers": [_plain(kept) for kept in mine],
            }
        return {"faster": _faster(self._kept), "routes": routes}


def _faster(kept: Iterable[Kept]) -> int:
    return sum(each.early_ms > CLOCK_MS for each in kept)


def _summary(kept: Sequence[Kept]) -> dict[str, float | int | None]:
    rates = [rate for each in kept if (rate := each.rate) is not None]
    return {
        "answers": len(kept),
        "first_token_ms": round(1000 * statistics.median(each.first for each in kept), 1) if kept else None,
        "decode": round(statistics.median(rates), 2) if rates else None,
        "early_ms": round(max(each.early_ms for each in kept), 2) if kept else None,
        "behind_ms": round(max(each.behind_ms for each in kept), 1) if kept else None,
        "shared_s": round(sum(each.last - each.work for each in kept), 3),
        "faster": _faster(kept),
    }


def _plain(kept: Kept) -> dict[str, Any]:
    return {
        key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(kept).items()
    } | {"decode": round(kept.rate, 3) if kept.rate else None}
