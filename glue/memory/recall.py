"""Recall runs ahead of the reply: it starts when a line arrives, and a reply takes what is there by then."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from glue.errors import PortError
from glue.events import ChatLine
from glue.memory.selves import MINE, about_her, whose
from glue.memory.shares import telling
from glue.memory.spans import PAST, span
from glue.memory.vectors import Embeddings
from glue.memory.wanted import Wanted, kinds

if TYPE_CHECKING:
    from glue.memory.index import Found, Index

WAITING = 200  # lines whose recall is kept or wanted; beyond it the oldest is let go
READ = 300  # characters of a line
TRIES = 2  # at one line: it may be what the server breaks at
# Cosines: of 24 facts five of six are as like the line that asks for them, and one of a hundred others
# (`glue.memory tune`); what everybody may be told has to be more so.
SURE, SURE_OF_ALL = 0.35, 0.55


# what holds of these entries, in the words that somebody of the cast is told at a line
Tell = Callable[[Sequence[str], str, str], list[str]]
REMEMBER = re.compile(r"\b(?:remember|recall|forgotten|forget)\b", re.IGNORECASE)
AND = re.compile(r",?\s+and\s+(?=(?:what|where|who|when|which|how|do|did|is|are)\b)", re.IGNORECASE)


def parts(text: str) -> list[str]:
    """The questions in a line, two at most: what is likest to both at once answers neither."""
    found = [part for part in AND.split(text, maxsplit=1) if part.strip()]
    return found if text.rstrip().endswith("?") else [text] if text.strip() else []


def asks(text: str) -> bool:
    """Whether a line asks for something, or tells of its author: worth a moment of waiting."""
    return bool(text.rstrip().endswith("?") or MINE.search(text) or REMEMBER.search(text) or kinds(text))


@dataclass(slots=True)
class _Line:
    viewer: str
    text: str
    done: anyio.Event = field(default_factory=anyio.Event)
    tries: int = 0
    found: Sequence[str] = ()  # ids of entries, the likest first
    sure: Sequence[str] = ()  # of these, what it was certainly about


class Recalls:
    """Lines and what is remembered at them. The newest line is looked up first: it is the likeliest next.

    What was found is put in words only when it is asked for: what was forgotten since is then not told."""

    def __init__(
        self,
        most: int,
        likeness: float,
        within: float,
        hers: float = 0.24,
        asked: float = 0.05,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`likeness`: cosine of a line and a memory, below which it is not told; `hers`: a fact about her.
        `within`: seconds that a reply waits; `asked`: where the line asks for what she remembers."""
        self.cast: set[str] = set()
        self.names: set[str] = set()  # the cast's, lower case
        self.took: list[float] = []  # seconds of the newest lookups
        self.fresh: list[float] = []  # of them, those that nobody was told of
        self.missed = 0  # that a reply went on without
        self.tell: Tell = lambda ids, line, who: []
        self._most = most
        self._likeness = likeness
        self._within, self._asked = within, asked
        self._hers = hers
        self._wall = wall
        self._lines: OrderedDict[str, _Line] = OrderedDict()  # by id
        self._wake = anyio.Event()

    def arrived(self, line: ChatLine) -> None:
        """Begin with this line."""
        self._lines[line.id] = _Line(line.viewer, line.text)
        self._lines.move_to_end(line.id)
        while len(self._lines) > WAITING:
            self._lines.popitem(last=False)
        self._wake.set()

    async def get(self, who: str, line: ChatLine) -> Sequence[str]:
        """What `who` knows at a line that arrived, or at those that it was put together from, the last one's
        first; nothing where it is late. What is not there at once the model has not read ahead, and its words
        cost more than the search: of that only what was surely meant."""
        asked = [(part, self._lines[part.id]) for part in line.parts if part.id in self._lines]
        late = {part.id: part.text for part, each in asked if not each.done.is_set()}
        for id in late:
            self._lines.move_to_end(id)
        with anyio.move_on_after(self._asked if any(map(asks, late.values())) else self._within):
            for _, each in asked:
                await each.done.wait()
        self.missed += not all(each.done.is_set() for _, each in asked)
        told: list[str] = []
        for part, each in reversed(asked):
            told += self.tell(each.sure if part.id in late else each.found, part.text, who)
        return list(dict.fromkeys(told))[: self._most]

    def drop(self, ids: Iterable[str]) -> None:
        """Nobody will answer these."""
        for id in ids:
            self._lines.pop(id, None)

    async def serve(self, index: Index, vectors: Embeddings, works: Callable[[], None]) -> None:
        """Look lines up, one after the other. Raises PortError."""
        await self._warm(index, vectors)
        works()
        while True:
            line = next((each for each in reversed(self._lines.values()) if not each.done.is_set()), None)
            if line is None:
                await self._wake.wait()
                self._wake = anyio.Event()
                continue
            began = time.perf_counter()
            try:
                line.found, line.sure = await self._find(index, vectors, line.viewer, line.text)
            except PortError:
                line.tries += 1
                if line.tries >= TRIES:  # or nobody's lines were looked up for as long as it is kept
                    line.done.set()
                raise
            line.done.set()
            took = time.perf_counter() - began
            self.took, self.fresh = [*self.took[-999:], took], [*self.fresh[-999:], took]

    async def look(self, index: Index, vectors: Embeddings, viewer: str, text: str) -> tuple[str, ...]:
        """What the first of the cast should know at this line. Raises PortError."""
        who = min(self.cast, default="")
        found, _ = await self._find(index, vectors, viewer, text)
        return tuple(self.tell(found, text, who)[: self._most])

    async def _find(
        self, index: Index, vectors: Embeddings, viewer: str, text: str
    ) -> tuple[list[str], list[str]]:
        """Ids of what fits, and of them those that fit for sure."""
        text = text[:READ]
        found = await vectors.embed(parts(text) or [" "])
        asked = span(text, self._wall()), kinds(text)
        wanted = Wanted(frozenset(self.cast), viewer, about_her(text, self.names), *asked)
        most = self._most * (1 + len(self.cast))  # who will answer is not known yet
        kept = self._worth(await index.search(text, found, wanted, most), wanted)
        if not kept and any(asked):  # it may have been told at another time, or be of another kind
            wanted = replace(wanted, span=None, kinds=())
            kept = self._worth(await index.search(text, found, wanted, most), wanted)
        return [hit.id for hit in kept], [hit.id for hit in kept if _sure(hit, wanted)]

    def _worth(self, hits: Sequence[Found], wanted: Wanted) -> list[Found]:
        """Those that fit the line. Where it asks for nothing but a time or a kind, all of that do."""
        least = -1.0 if _asks_for_all(wanted) else self._likeness
        kept = [hit for hit in hits if hit.likeness >= (self._hers if whose(hit.id) else least)]
        return sorted(kept, key=lambda hit: whose(hit.id) is None)  # few lines ask about her: these did

    async def _warm(self, index: Index, vectors: Embeddings) -> None:
        """The first searches after opening are slow, up to 1.5 s."""
        for text in ("good evening", "what is my cat called?", "do you remember me?"):
            await self.look(index, vectors, "", text)


def _asks_for_all(wanted: Wanted) -> bool:
    when = wanted.span
    return bool(wanted.kinds) or (when is not None and not telling(PAST.sub(" ", when.rest)))


def _sure(hit: Found, wanted: Wanted) -> bool:
    """Whether a line was certainly about this. Of what is about its author, or about her where she is asked,
    there is little; of what everybody may be told there are thousands, and some are always like it."""
    few = (wanted.viewer and hit.viewer == wanted.viewer) or whose(hit.id)
    return _asks_for_all(wanted) or hit.likeness >= (SURE if few else SURE_OF_ALL)
