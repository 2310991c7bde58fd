"""Recall runs ahead of the reply: it starts when a line arrives, and a reply takes what is there by then."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from glue.memory.vectors import Embeddings

if TYPE_CHECKING:
    from glue.memory.index import Index

WAITING = 200  # lines whose recall is kept or wanted; beyond it the oldest is let go
READ = 300  # characters of a line


AND = re.compile(r",?\s+and\s+(?=(?:what|where|who|when|which|how|do|did|is|are)\b)", re.IGNORECASE)


def parts(text: str) -> list[str]:
    """The questions in a line, two at most: what is likest to both at once answers neither."""
    found = [part for part in AND.split(text, maxsplit=1) if part.strip()]
    return found if text.rstrip().endswith("?") else [text] if text.strip() else []


@dataclass(slots=True)
class _Line:
    author: str
    text: str
    done: anyio.Event = field(default_factory=anyio.Event)
    found: tuple[str, ...] = ()


class Recalls:
    """Lines and what is remembered at them. The newest line is looked up first: it is the likeliest next."""

    def __init__(self, most: int, likeness: float, within: float) -> None:
        self.cast: set[str] = set()
        self.took: list[float] = []  # seconds of the newest lookups
        self.late = 0
        self.tell: Callable[[Sequence[str], str], list[str]] = lambda ids, line: []  # what holds, in words
        self._most = most
        self._likeness = likeness
        self._within = within
        self._lines: OrderedDict[tuple[str, str], _Line] = OrderedDict()
        self._wake = anyio.Event()

    def arrived(self, author: str, text: str) -> None:
        """Begin with this line."""
        key = (author, text)
        self._lines[key] = _Line(author, text)
        self._lines.move_to_end(key)
        while len(self._lines) > WAITING:
            self._lines.popitem(last=False)
        self._wake.set()

    async def get(self, who: str, author: str, text: str) -> Sequence[str]:
        """What was found for a line that arrived; nothing where it is late."""
        line = self._lines.get((author, text))
        if line is None:
            return ()
        if not line.done.is_set():
            self._lines.move_to_end((author, text))
            with anyio.move_on_after(self._within):
                await line.done.wait()
            self.late += not line.done.is_set()
        return line.found

    def clear(self) -> None:
        """Nothing that was found may be said any more: some of it was forgotten."""
        self._lines.clear()

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
            line.found = await self.look(index, vectors, line.author, line.text)
            line.done.set()
            self.took = [*self.took[-999:], time.perf_counter() - began]

    async def look(self, index: Index, vectors: Embeddings, author: str, text: str) -> tuple[str, ...]:
        """What is worth knowing at this line. Raises PortError."""
        text = text[:READ]
        found = await vectors.embed(parts(text) or [" "])
        hits = await index.search(text, found, self.cast, author, self._most * 2)
        alike = [hit.id for hit in hits if hit.likeness >= self._likeness]
        return tuple(self.tell(alike, text)[: self._most])

    async def _warm(self, index: Index, vectors: Embeddings) -> None:
        """The first searches after opening are slow, up to 1.5 s."""
        for text in ("good evening", "what is my cat called?", "do you remember me?"):
            await self.look(index, vectors, "", text)
