"""How long a line has waited. The time of a song does not count: it is minutes, and chat goes on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from glue.settings import DirectorSettings
from glue.waiting import Waiting, paid


@dataclass(slots=True)
class Patience:
    """`singing`: whether she does. Times in seconds."""

    singing: bool = False
    _since: float = 0.0

    def sings(self, now: float) -> None:
        """A song begins."""
        self.singing, self._since = True, now

    def ended(self, now: float, inbox: Iterable[Waiting]) -> None:
        """The reply in work is over, a song or not: of these lines none has waited while she sang."""
        for waiting in inbox if self.singing else ():
            waiting.sung += max(0.0, now - max(waiting.received, self._since))
        self.singing = False

    def waited(self, waiting: Waiting, now: float) -> float:
        """How long it has."""
        until = max(waiting.received, self._since) if self.singing else now
        return max(0.0, until - waiting.received - waiting.sung)

    def over(self, inbox: Iterable[Waiting], now: float, settings: DirectorSettings) -> list[Waiting]:
        """Those that waited too long; whoever paid is thanked in any case."""
        mortal = [w for w in inbox if not paid(w) and not self.singing]
        return [w for w in mortal if now >= w.received + w.sung + settings.patience]

    def next(self, inbox: Iterable[Waiting], settings: DirectorSettings) -> float:
        """When the next one has."""
        mortal = (w.received + w.sung for w in inbox if not paid(w) and not self.singing)
        return min(mortal, default=float("inf")) + settings.patience
