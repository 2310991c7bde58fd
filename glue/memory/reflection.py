"""What she makes of the show in the background: what left her prompt, and which of her jokes landed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import anyio

from glue.events import ChatLine, Event, LineArrived, Source, TurnEnded
from glue.memory.entry import Entry
from glue.memory.keeping import Keeping
from glue.memory.laughs import Laughs
from glue.memory.notes import Exchange
from glue.memory.promises import done, kept, past
from glue.memory_events import HistoryScrolled, MemoryAdded, ReplyLanded
from glue.news import UNSPOKEN


class Reflection:
    """Hands what happened to `keeping`, and tells what came of it. `known(id)`: a line's id among those of
    all shows; `within` and `least` are Laughs'; `days` that a promise holds, 0: for ever."""

    def __init__(
        self,
        keeping: Keeping,
        known: Callable[[str], str],
        emit: Callable[[Event], None],
        within: float,
        least: int,
        days: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._keeping = keeping
        self._days, self._wall = days, wall
        self._said: list[tuple[str, str]] = []  # by which a promise may end, by whom
        self._began = False
        self._known = known
        self._emit = emit
        self._laughs = Laughs(within, least)
        keeping.added = self._added

    def show(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, TurnEnded) and done(event.heard):
            self._said.append((event.who, event.heard))
        self._laughs.show(event, not isinstance(event, LineArrived) or event.line.source not in UNSPOKEN)

    def drop(self, id: str) -> None:
        """This line was not let in."""
        self._laughs.drop(id)

    def scrolled(self, who: str, said: Sequence[tuple[ChatLine, str]]) -> None:
        """These lines and her answers have left the prompt of `who`. What a screen showed, whom she thanked,
        and what the cast said to each other is summed up nowhere: that may be about somebody in chat."""
        exchanges = [
            Exchange(self._sources(line), *_of(line, heard))
            for line, heard in said
            if line.source not in (Source.EYES, Source.TWIN) and not line.deed
        ]
        self._keeping.summaries.scrolled(who, exchanges)
        self._emit(HistoryScrolled(anyio.current_time(), who, len(said)))

    def tell(self) -> None:
        """Keep the jokes that landed: by now it is known whose laugh was let in; end promises that are past,
        or that she says she has kept. Raises Refused."""
        self._end()
        for reply in self._laughs.landed():
            times = self._keeping.laughed(reply, self._sources(reply.line))
            now, laughs = anyio.current_time(), len(reply.laughs)
            self._emit(ReplyLanded(now, reply.who, reply.turn, reply.heard, laughs, times))

    def _end(self) -> None:
        store, now = self._keeping.store, self._wall()
        if store is None:
            return
        over = [] if self._began else past(list(store.entries.values()), self._days, now)
        for who, heard in self._said:
            over += kept(list(store.entries.values()), who, heard, now)
        if over:
            self._keeping.put(over)
        self._said, self._began = [], True  # not before there was room for it

    def _added(self, entry: Entry, why: str) -> None:
        now, kind = anyio.current_time(), entry.kind.value
        self._emit(MemoryAdded(now, entry.persona, entry.id, kind, entry.called, entry.text, why))

    def _sources(self, line: ChatLine) -> str:
        return " ".join(self._known(part.id) for part in line.parts)


def _of(line: ChatLine, heard: str) -> tuple[str, str, str, str]:
    """An exchange's author, words, answer and key; nobody wrote what comes of a game, or of herself."""
    author, key = ("", "") if line.source in UNSPOKEN else (line.author, line.viewer)
    return author, line.text, heard, key
