"""What a living face does by itself: blinks, small jumps of the gaze, a head that is never quite still.

Each part is a function of time that draws its next moment from the random source it is given, so a seed
gives the same face again. Seconds everywhere.
"""

from __future__ import annotations

import math
from random import Random

DOUBLE = 0.13  # of blinks come in pairs


class Blink:
    """Log-normal pauses of 2 to 6 s; 60-80 ms to close, 120-150 ms to open."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._next: float | None = None
        self._down, self._up, self._again = 0.07, 0.13, False

    def closed(self, now: float) -> float:
        """How far the lids are shut, 0-1."""
        if self._next is None:
            self._plan(now)
        begun = self._next if self._next is not None else now
        if now < begun:
            return 0.0
        since = now - begun
        if since < self._down:
            return since / self._down
        if since < self._down + self._up:
            return 1 - ease((since - self._down) / self._up)
        self._plan(now)
        return 0.0

    def _plan(self, now: float) -> None:
        double = self._next is not None and not self._again and self._rng.random() < DOUBLE
        self._again = double
        pause = min(6.0, max(2.0, self._rng.lognormvariate(math.log(3.4), 0.35)))
        self._next = now + (self._rng.uniform(0.05, 0.12) if double else pause)
        self._down, self._up = self._rng.uniform(0.06, 0.08), self._rng.uniform(0.12, 0.15)


class Gaze:
    """Jumps to a new point every 0.5 to 2 s, within `reach` of the middle."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._next = 0.0
        self._x, self._y = 0.0, 0.0

    def at(self, now: float, reach: float) -> tuple[float, float]:
        """Where to look, each -reach to reach (up is positive)."""
        if now >= self._next:
            self._next = now + self._rng.uniform(0.5, 2.0)
            self._x, self._y = self._rng.uniform(-1, 1), 0.6 * self._rng.uniform(-1, 1)
        return self._x * reach, self._y * reach


class Sway:
    """A sum of three slow sines (0.1-0.5 Hz) whose phases are drawn once; -1 to 1."""

    def __init__(self, rng: Random) -> None:
        self._waves = [
            (weight, rng.uniform(low, high), rng.uniform(0, math.tau))
            for weight, low, high in ((0.5, 0.10, 0.15), (0.3, 0.20, 0.30), (0.2, 0.38, 0.50))
        ]

    def at(self, now: float) -> float:
        """Its value now."""
        return sum(w * math.sin(math.tau * hz * now + phase) for w, hz, phase in self._waves)


def breath(now: float) -> float:
    """0 (out) to 1 (in), 3.6 s a breath, the way in a little quicker than the way out."""
    turn = math.tau * now / 3.6
    return 0.5 - 0.5 * math.cos(turn + 0.3 * math.sin(turn))


def ease(x: float) -> float:
    """0 to 1 with a soft begin and end."""
    return x * x * (3 - 2 * x)
