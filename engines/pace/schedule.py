"""When each token of one answer may leave: the arithmetic of a pace, without a clock of its own."""

from __future__ import annotations

import math

from engines.pace.options import Pace


def prefill_seconds(pace: Pace, new: int) -> float:
    """From a request to its first token, with `new` prompt tokens that are not cached: bound by computing,
    or, for few of them, by the one pass over the weights that it takes in any case."""
    return max(pace.first_token_ms / 1000, new / pace.prefill)


def step_seconds(pace: Pace, token: int) -> float:
    """From the first token to number `token` (from 0)."""
    return math.ceil(token / pace.step) * pace.step / pace.decode


class Schedule:
    """The times of one answer's tokens, on whichever clock `begun` was read from."""

    def __init__(self, pace: Pace, begun: float, new: int) -> None:
        self._pace, self._begun = pace, begun
        self._first, self._token = 0.0, 0
        self.prompt(new)

    def prompt(self, new: int) -> None:
        """Before the first token: so many tokens have to be prefilled."""
        self._first = self._begun + prefill_seconds(self._pace, new)

    def due(self) -> float:
        """When the next token may leave."""
        return self._first + step_seconds(self._pace, self._token)

    def sent(self, there: float) -> None:
        """It has left. One that was there only after its time shifts the rest: no machine catches up."""
        self._first += max(0.0, there - self.due())
        self._token += 1
