"""What happens in one game and she may speak about: not all of it, and less where nobody in chat reacts."""

from __future__ import annotations

from collections.abc import Callable

import anyio

LONGER = (1.0, 5 / 3, 10 / 3)  # pauses after one mention that nobody reacted to, after two, after more
FRESH = 20.0  # seconds; what would have to wait for longer is no news then
Told = Callable[[bool], None]  # what came of one: whether she spoke about it


class Mentions:
    """`speak(text, now)` lets her speak; `pause` seconds lie between two times, if people write."""

    def __init__(self, pause: float, speak: Callable[[str, float], None]) -> None:
        self._pause, self._speak = pause, speak
        self._last, self._unanswered = -float("inf"), 0
        self._kept: tuple[str, Told] | None = None
        self._changed = anyio.Event()

    def mention(self, text: str, now: float, told: Told = lambda spoken: None) -> bool:
        """Whether she speaks about it at once; "" is nothing to speak of. Where she just did so, the newest
        waits for its end. `told` hears once what came of it."""
        if not text:
            told(False)
            return False
        self.drop()
        if now >= self._free:
            self._speaks(text, now, told)
            return True
        if self._free <= now + FRESH:
            self._kept = text, told
        else:
            told(False)
        self._changed.set()
        return False

    def reacted(self) -> None:
        """A person wrote something."""
        self._unanswered = 0
        self._changed.set()

    def drop(self) -> None:
        """What is kept is no news any more: the game is gone, or there is something newer."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1](False)

    async def run(self) -> None:
        """Speak about what was kept, for ever."""
        while True:
            with anyio.move_on_at(self._free if self._kept else float("inf")):
                await self._changed.wait()
            self._changed = anyio.Event()
            if self._kept and (now := anyio.current_time()) >= self._free:
                kept, self._kept = self._kept, None
                self._speaks(kept[0], now, kept[1])

    @property
    def _free(self) -> float:
        alone = max(0, self._unanswered - 1)
        return self._last + self._pause * LONGER[min(alone, len(LONGER) - 1)]

    def _speaks(self, text: str, now: float, told: Told) -> None:
        self._last = now
        self._unanswered += 1
        told(True)
        self._speak(text, now)
