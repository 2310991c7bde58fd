"""Who of the cast is speaking, as the games see it. Pure but for the events that wait."""

from collections.abc import Callable

import anyio

from glue.events import Event, TurnEnded, TurnStarted
from glue.game_events import FloorClaimed, Priority
from glue.song_events import SongStarted

AT_ONCE = (Priority.HIGH, Priority.CRITICAL)


class Voice:
    """Told of every event of the show."""

    def __init__(self) -> None:
        self._turns: dict[str, anyio.Event] = {}
        self._claimed: dict[tuple[str, str], float] = {}  # when a game last cut her short

    def note(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case TurnStarted(who=who):
                self._turns[who] = anyio.Event()
            case SongStarted(who=who) if who in self._turns:
                self._turns[who].set()  # minutes: what a game wants is decided beside it, without words
            case TurnEnded(who=who):
                if (over := self._turns.pop(who, None)) is not None:
                    over.set()
            case _:
                pass

    async def floor(
        self, who: str, game: str, priority: Priority, pause: float, emit: Callable[[Event], None]
    ) -> None:
        """The priority's way with the speech of `who`. Nothing happens while she is silent; and a game that
        has cut her short waits `pause` seconds for the next time, or she would never end a sentence."""
        turn = self._turns.get(who)
        if turn is None:
            return
        now = anyio.current_time()
        if priority is not Priority.LOW and now >= self._claimed.get((who, game), -pause) + pause:
            self._claimed[who, game] = now
            emit(FloorClaimed(now, who, game, priority))
        if priority not in AT_ONCE:
            await turn.wait()
