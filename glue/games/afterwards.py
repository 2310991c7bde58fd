"""What she does about a game when nothing else is to be done: say why she chose so, sum up what happened."""

from collections.abc import Callable
from contextlib import suppress

import anyio

from glue.errors import PortError
from glue.events import Event
from glue.game_events import ActionExplained
from glue.games.notes import Notes
from glue.games.player import Choice, Player
from glue.ports import Message

SUMMED_WITHIN = 60.0  # seconds; the background gives way to everything


class Afterwards:
    """Of one game. `reasons`: whether she is asked for them."""

    def __init__(
        self, who: str, game: str, player: Player, emit: Callable[[Event], None], reasons: bool
    ) -> None:
        self.folding = False
        self._who, self._game, self._player, self._emit = who, game, player, emit
        self._wanted = reasons
        self._explains = anyio.CancelScope()

    async def explain(self, asked: tuple[Message, ...], choice: Choice, id: str) -> None:
        """Ask her why, until something else is to be done."""
        self._explains.cancel()
        if not self._wanted or choice.by != "model":
            return
        with anyio.CancelScope() as self._explains, suppress(PortError):
            if why := await self._player.why(asked, choice):
                self._emit(ActionExplained(anyio.current_time(), self._who, self._game, id, why))

    def hush(self) -> None:
        """Something else is to be done."""
        self._explains.cancel()

    async def fold(self, notes: Notes) -> None:
        """The oldest notes become a summary, in the background; where none comes, they are forgotten."""
        self.folding = True
        summary = ""
        old, upto = notes.oldest()
        with anyio.move_on_after(SUMMED_WITHIN), suppress(PortError):
            summary = await self._player.summary(self._game, old)
        notes.fold(summary or notes.summary, upto)
        self.folding = False
