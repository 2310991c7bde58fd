"""One machine's work, shared: all who work at the same time get equal shares of the memory's bandwidth."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable


class Budget:
    """A clock that counts the work (seconds of the whole machine) that each of the busy ones has got.

    With n of them busy it runs at 1/n of real time, so a schedule in its seconds stretches by itself, and
    nothing is summed up from sleeps. The same name twice is one: a batch reads the weights once."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._busy: Counter[str] = Counter()
        self._at, self._work = now(), 0.0
        self._changed = asyncio.Event()

    def work(self) -> float:
        """Seconds of work that a busy one would have got since the start."""
        return self._work + (self.now() - self._at) / self._shares

    @property
    def _shares(self) -> int:
        return max(1, len(self._busy))

    def enter(self, name: str) -> None:
        """`name` begins to work."""
        self._change(name, 1)

    def leave(self, name: str) -> None:
        """It has ended, once for each time that it began."""
        self._change(name, -1)

    def _change(self, name: str, by: int) -> None:
        self._work, self._at = self.work(), self.now()
        self._busy[name] += by
        if self._busy[name] <= 0:
            del self._busy[name]
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, work: float) -> None:
        """Wait until work() has come so far, however many join or leave meanwhile."""
        while (left := work - self.work()) > 0:
            changed = self._changed
            try:
                async with asyncio.timeout(left * self._shares):
                    await changed.wait()
            except TimeoutError:
                continue
