"""Two of the cast talk to each other: what one just said is answered by the other. Pure, all times are given.

Viewers come first: the director asks here only where no line waits, and whatever else is answered meanwhile
ends the exchange.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from glue.events import ChatLine, Ending, Source, TurnEnded
from glue.news import NEWS
from glue.settings import DirectorSettings

FRESH = 5.0  # seconds after which an answer comes too late: somebody was listened to, or an engine was away


@dataclass(slots=True)
class Banter:
    """What the other one would answer, and how long they have been at it."""

    _line: ChatLine | None = None
    _who: str = ""
    _depth: int = 0  # replies to each other, one behind the other
    _over: float = field(default=float("-inf"))  # the end of the last of them
    _alone: str = ""  # who spoke into silence last

    def heard(
        self, ended: TurnEnded, line: ChatLine, name: str, cast: Sequence[str], settings: DirectorSettings
    ) -> None:
        """One of them, called `name`, has answered `line`. Announcements and thanks stand for themselves."""
        twin = line.source is Source.TWIN
        self._line, self._depth = None, self._depth + 1 if twin else 0
        self._over = ended.at if twin else self._over
        alone = line.deed is not None or line.id.startswith(NEWS) or len(cast) < 2 or ended.who not in cast
        if alone or ended.ending is not Ending.FINISHED or not ended.heard:
            return
        if self._depth < settings.banter_depth:
            # the lines that it goes back to: who has one of them removed, or forgotten, means this, too
            self._line = ChatLine(f"twin-{ended.turn}", name, ended.heard, Source.TWIN, joined=line.parts)
            self._who = _next(ended.who, cast)

    def due(self, over: float, quiet_since: float, now: float, settings: DirectorSettings) -> float:
        """When the other one answers what was `over` then; `quiet_since` nobody has spoken. Never, where
        there is nothing to answer, it is too late, or they had their say a moment ago."""
        at = quiet_since + settings.banter_after
        begins = self._depth == 0
        if self._line is None or not settings.banter or (begins and at < self._over + settings.banter):
            return float("inf")
        return at if max(now, at) <= over + settings.banter_after + FRESH else float("inf")

    def take(self) -> tuple[str, ChatLine]:
        """Who answers now, and what; once."""
        assert self._line is not None, "not due"
        line, self._line = self._line, None
        return self._who, line

    def drop(self) -> None:
        """What was heard is past."""
        self._line = None

    def forget(self, ids: Collection[str], whose: Callable[[ChatLine], bool] | None = None) -> None:
        """These lines, and all that are `whose()`, are not to be spoken of."""
        parts = self._line.parts if self._line else ()
        if any(part.id in ids or (whose is not None and whose(part)) for part in parts):
            self._line = None

    def alone(self, cast: Sequence[str]) -> str:
        """Who speaks into silence: one after the other."""
        self._alone = _next(self._alone, cast) if self._alone in cast else cast[0]
        return self._alone


def _next(who: str, cast: Sequence[str]) -> str:
    return cast[(cast.index(who) + 1) % len(cast)]
