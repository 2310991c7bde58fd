"""What she makes of the show in the background: what left her prompt, and which of her jokes landed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio

from glue.events import ChatLine, Event, LineArrived, Source
from glue.memory.entry import Entry
from glue.memory.keeping import Keeping
from glue.memory.laughs import Laughs
from glue.memory.notes import Exchange
from glue.memory_events import HistoryScrolled, MemoryAdded, ReplyLanded

NOBODY = (Source.GAME, Source.HERSELF, Source.EYES)  # lines that no viewer wrote


class Reflection:
    """Hands what happened to `keeping`, and tells what came of it. `known(id)`: a line's id among those of
    all shows; `within` and `least` are Laughs'."""

    def __init__(
        self,
        keeping: Keeping,
        known: Callable[[str], str],
        emit: Callable[[Event], None],
        within: float,
        least: int,
    ) -> None:
        self._keeping = keeping
        self._known = known
        self._emit = emit
        self._laughs = Laughs(within, least)
        keeping.added = self._added

    def show(self, event: Event) -> None:
        """Take note of an event."""
        self._laughs.show(event, not isinstance(event, LineArrived) or event.line.source not in NOBODY)

    def drop(self, id: str) -> None:
        """This line was not let in."""
        self._laughs.drop(id)

    def scrolled(self, who: str, said: Sequence[tuple[ChatLine, str]]) -> None:
        """These lines and her answers have left the prompt of `who`. What a screen showed, and whom she
        thanked, is summed up nowhere."""
        exchanges = [
            Exchange(self._sources(line), *_of(line, heard))
            for line, heard in said
            if line.source is not Source.EYES and not line.deed
        ]
        self._keeping.summaries.scrolled(who, exchanges)
        self._emit(HistoryScrolled(anyio.current_time(), who, len(said)))

    def tell(self) -> None:
        """Keep the jokes that landed: by now it is known whose laugh was let in. Raises Refused."""
        for reply in self._laughs.landed():
            times = self._keeping.laughed(reply, self._sources(reply.line))
            now, laughs = anyio.current_time(), len(reply.laughs)
            self._emit(ReplyLanded(now, reply.who, reply.turn, reply.heard, laughs, times))

    def _added(self, entry: Entry, why: str) -> None:
        about = (entry.id, entry.kind.value, entry.called, entry.text, why)
        self._emit(MemoryAdded(anyio.current_time(), entry.persona, *about))

    def _sources(self, line: ChatLine) -> str:
        return " ".join(self._known(part.id) for part in line.parts)


def _of(line: ChatLine, heard: str) -> tuple[str, str, str, str]:
    """An exchange's author, words, answer and key; nobody wrote what comes of a game, or of herself."""
    author, key = ("", "") if line.source in NOBODY else (line.author, line.viewer)
    return author, line.text, heard, key
