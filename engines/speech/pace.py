"""Stands in for a slower machine: holds a text's sound back until that machine would have it."""

import asyncio
import time


class Pace:
    """One text's pace: no sound before `first` seconds, then at most a second of it in `factor` seconds."""

    def __init__(self, first: float, factor: float) -> None:
        self._due, self._factor = time.monotonic() + first, factor

    async def hold(self, seconds: float) -> None:
        """Wait until the next part, of so many seconds of sound, may leave."""
        if (wait := self._due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        self._due += self._factor * seconds
