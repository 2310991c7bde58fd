"""One character's place on stage: her track in the mixer, with the performer that follows it."""

from collections.abc import Callable

import anyio
import numpy as np

from glue.ports import Pcm, Speech
from glue.stage.mixer import Mixer
from glue.stage.performer import Performer


class StageStand:
    """The `Stand` port: sound to the track, words and timings to the performer, both on the track's time."""

    def __init__(
        self, mixer: Mixer, performer: Callable[[Callable[[], float]], Performer], lead: float
    ) -> None:
        """`performer` is built around the playhead; `lead`: seconds that it looks ahead, for the mouth."""
        self._mixer = mixer
        self._track = mixer.track()
        self._lead = lead
        self.performer = performer(self.playhead)
        self._index = -1
        self._clause_start = 0.0
        self._turn = ""
        self._since = 0.0
        self._first = 0  # of its samples

    def playhead(self) -> float:
        """Seconds of her sound that are heard when a pose that is sent now has been drawn."""
        return self._track.approaching(anyio.current_time() - self._mixer.latency() + self._lead)

    def enter(self, turn: str, audible: Callable[[float], None]) -> None:
        """A reply begins."""
        self._turn, self._index, self._since = turn, -1, anyio.current_time()
        self._first = self._track.written
        self._track.on_audible(audible)
        self.performer.enter(turn)

    async def play(self, index: int, text: str, speech: Speech) -> None:
        """Add a chunk of clause `index`; waits while about a second is queued already."""
        at = self._track.written / self._track.rate
        if index != self._index:
            self._index, self._clause_start = index, at
            self.performer.begin_clause(self._turn, index, text, at)
        self.performer.add(index, self._clause_start, at, speech)
        await self._track.write(together(speech))

    async def finished(self) -> None:
        """Wait until all that was played has been heard."""
        await self._track.drained(self._mixer.latency())
        self.performer.leave()

    def cut(self) -> None:
        """Silence, now."""
        self._mixer.flush(self._track)
        self.performer.cut(self._track.written / self._track.rate)

    def heard(self) -> str:
        """The words of this reply that have been heard so far."""
        return self.performer.heard(self._audible())

    def played(self) -> float:
        """Seconds of this reply's sound that have been heard so far."""
        return self._audible() - self._first / self._track.rate

    def _audible(self) -> float:
        return self._track.audible(anyio.current_time() - self._mixer.latency())

    def gaps(self) -> tuple[float, ...]:
        """Seconds of silence between the clauses of this reply."""
        return tuple(gap for gap in self._track.silences(self._since) if gap > 0)


def together(speech: Speech) -> Pcm:
    """Her voice and what is beside it, sample by sample, clipped."""
    if speech.beside is None:
        return speech.pcm
    total: Pcm = np.clip(speech.pcm.astype(np.int32) + speech.beside, -32768, 32767).astype(np.int16)
    return total
