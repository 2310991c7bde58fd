"""Things that she says by chance, and not the same one again and again. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence


class Bag:
    """Things drawn by chance, all of them before any again, and never the same twice in a row."""

    def __init__(self, things: Sequence[str], chance: random.Random) -> None:
        self._things, self._chance = tuple(dict.fromkeys(things)), chance
        self._left: list[str] = []
        self._last = ""

    def draw(self) -> str:
        """The next one."""
        if not self._left:
            self._left = list(self._things)
            self._chance.shuffle(self._left)
            if self._left[-1] == self._last:  # the seam of two rounds
                self._left.reverse()
        self._last = self._left.pop()
        return self._last
