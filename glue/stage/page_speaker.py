"""SOUND -> AUDIENCE: the Output port onto whichever of the console's pages plays the sound."""

from types import TracebackType
from typing import Self

from glue.ports import Pcm
from glue.stage.console import Console

JOINED = 0.002  # seconds; blocks nearer than this follow one another without a gap


class PageSpeaker:
    """Gives each block its place on the show's clock, in samples, and sends it to the page that plays."""

    def __init__(self, console: Console) -> None:
        self._players = console.players
        self._rate = console.rate
        self._next = 0

    async def __aenter__(self) -> Self:
        self._players.wire(True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._players.wire(False)

    def play(self, pcm: Pcm, at: float) -> None:
        """The Output port. Without a page that plays, the sound is gone."""
        index = round(at * self._rate)
        if abs(index - self._next) <= JOINED * self._rate:
            index = self._next  # a sample more or less is only rounding, and would click
        self._next = index + pcm.size
        if player := self._players.player:
            player.play(index, pcm)

    def flush(self, at: float) -> None:
        """The Output port. The page fades out within 3 ms; whatever it holds is later than `at`."""
        self._next = 0
        if player := self._players.player:
            player.flush()

    def latency(self) -> float:
        """The Output port: as the page's audio clock says, smoothed; 0 while no page plays."""
        player = self._players.player
        return player.latency if player else 0.0
