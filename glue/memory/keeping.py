"""Writes: raw lines within a second, what is learnt of them in the background, the index behind both."""

from __future__ import annotations

import dataclasses
import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
import anyio.lowlevel
import anyio.to_thread

from glue.closing import closing
from glue.errors import PortError, Refused
from glue.events import ChatLine
from glue.memory.entry import MOST as LONGEST
from glue.memory.entry import SHARED, Entry, Kind, meant, told
from glue.memory.glean import gleaned
from glue.memory.notes import Exchange, judged, prompt
from glue.memory.shares import share
from glue.memory.store import Store
from glue.memory.vectors import Embeddings
from glue.memory.whose import theirs
from glue.ports import Llm, Role

if TYPE_CHECKING:
    from glue.memory.index import Index

log = logging.getLogger(__name__)

BATCH = 64  # entries embedded at once
MOST = 60  # exchanges that wait to be distilled; beyond it the oldest is let go
MOST_NEW = 5000  # entries that wait to be compared; beyond it the oldest is let go
MOST_NAMES = 20_000
WHEN = re.compile(r"\b(?:when|how long|since|date|month|what day)\b", re.IGNORECASE)
LOOK = 0.25  # seconds between two looks at what there is to do


class Keeping:
    """What she will remember. `store` is set while the memory is open."""

    def __init__(
        self,
        llm: Llm | None,
        learn_from: int,
        learn_after: float,
        same: float,
        wall: Callable[[], float] = time.time,
        refuses: Callable[[str], str] = lambda text: "",
    ) -> None:
        """`llm` may be None where nothing is exchanged. `same`: cosine from which on two entries are one.
        `refuses(text)`: why the filters would not let in what a model wrote, or ""."""
        self.store: Store | None = None
        self.lost = 0  # lines that could not be written
        self._llm = llm
        self._learn_from = learn_from
        self._learn_after = learn_after
        self._same = same
        self._wall = wall
        self._refuses = refuses
        self._heard: dict[str, tuple[ChatLine, float]] = {}  # lines that are in no file yet
        self._exchanges: list[tuple[str, Exchange]] = []
        self._changed_at = 0.0
        self._authors: dict[str, None] = {}
        self._new: list[Entry] = []  # learnt, not yet compared with what is known
        # line ids, viewer, hidden entries, the viewer's name
        self._forgotten: list[tuple[tuple[str, ...], str, set[str], str]] = []
        self._forgets = 0
        self._stale: set[str] = set()  # ids whose rows differ from the file
        self._gone: dict[str, str] = {}  # ids whose rows have to go, and where these are
        self.changes = 0  # of what is known: core memory asks

    def met(self, line: ChatLine) -> None:
        """Who wrote it is here today."""
        if self.store is not None and line.author:
            paid = line.deed is not None and line.deed.paid
            self.store.bonds.met(line.viewer, self._wall(), paid, line.author)

    def tell(self, ids: Sequence[str], line: str) -> list[str]:
        """The words of these entries at this line, with their dates where it asks for them. What holds no
        more is left out, and what was only quoted before a fact was learnt: it may be what that ended."""
        known = {} if self.store is None else self.store.entries
        found = [known[id] for id in ids if id in known and not known[id].ended]
        newest = max((entry.at for entry in found if entry.kind is Kind.VIEWER), default=0.0)
        fresh = [entry for entry in found if entry.kind is not Kind.EPISODE or entry.at >= newest]
        dated = WHEN.search(line)
        return [f"{entry.text} ({told(entry.at)})" if dated else entry.text for entry in fresh]

    def heard(self, id: str, line: ChatLine) -> None:
        """A raw line, to be kept."""
        self._authors[line.author] = None
        if len(self._authors) > MOST_NAMES:
            del self._authors[next(iter(self._authors))]
        self._heard[id] = (line, self._wall())

    def unheard(self, id: str) -> None:
        """The filters did not let this line pass as it is: nothing of it is kept."""
        self._heard.pop(id, None)

    def exchanged(self, who: str, id: str, line: ChatLine, heard: str) -> None:
        """Something to learn from, later."""
        exchange = Exchange(id, line.author, line.text, heard, line.viewer)
        self._exchanges = [*self._exchanges[-MOST + 1 :], (who, exchange)]
        self._changed_at = anyio.current_time()

    def amend(self, old: Entry, text: str) -> Entry:
        """Put a corrected entry in `old`'s place, of which nothing is left. Raises Refused (no room)."""
        assert self.store is not None
        words = " ".join(text.split())[:LONGEST]
        new = dataclasses.replace(old, id=uuid4().hex, text=words, at=self._wall(), ended=0.0)
        self.store.put(new)
        self._stale.add(new.id)
        self.forget((), "", (old.id,))
        return new

    def forget(
        self, ids: Sequence[str], viewer: str, entries: Sequence[str] = (), name: str = ""
    ) -> dict[str, Entry]:
        """Leave no trace of these lines, of this viewer (see theirs()), and of these entries: what is about
        them is unknown from now on; it leaves the files in file(), the index in serve(), and a failure of
        either only delays that. Returns what was known."""
        gone, whose = set(ids), theirs(viewer, name)
        self._heard = {
            id: each
            for id, each in self._heard.items()
            if id not in gone and not whose(each[0].viewer, each[0].author)
        }
        self._exchanges = [
            (who, each)
            for who, each in self._exchanges
            if each.id not in gone and not whose(each.viewer, each.author)
        ]
        self._new = [
            each for each in self._new if each.source not in gone and not whose(each.viewer, each.called)
        ]
        self._authors.pop(name or viewer, None)
        self._forgets += 1
        hidden = {} if self.store is None else self.store.hide(ids, viewer, entries, name)
        self._left(hidden)
        self._forgotten.append((tuple(ids), viewer, set(hidden), name))
        return hidden

    def _left(self, gone: dict[str, Entry]) -> None:
        self._gone |= {id: share(entry) for id, entry in gone.items()}
        self._stale -= set(gone)
        self.changes += bool(gone)

    async def file(self) -> None:
        """What was heard into the files, what is forgotten out of them, all of it to the disk. In a thread:
        the loop that calls this moves a face 60 times a second. Raises Refused."""
        if self.store is None:
            return
        lines, self._heard = self._heard, {}
        await anyio.to_thread.run_sync(self._write, lines)
        for id, (line, at) in lines.items():
            self._learnt(gleaned(id, line, SHARED, at, self._authors))
        while self._forgotten:
            self._left(await anyio.to_thread.run_sync(self.store.forget, *self._forgotten[0]))
            del self._forgotten[0]
        await anyio.to_thread.run_sync(self.store.sync)

    def _write(self, lines: dict[str, tuple[ChatLine, float]]) -> None:
        """A full disk loses lines, never the show."""
        assert self.store is not None
        for id, (line, at) in lines.items():
            try:
                self.store.heard(id, line.author, line.text, at, line.viewer)
            except Refused as error:
                self.lost += 1
                if self.lost == 1:
                    log.error("a line was not kept: %s", error)

    def _learnt(self, entries: Sequence[Entry]) -> None:
        self._new = [*self._new, *entries][-MOST_NEW:]

    async def serve(self, index: Index, vectors: Embeddings) -> None:
        """Keep the index as the file is, and learn. Raises PortError of either server."""
        await self._level(index, vectors)
        while True:
            await self.work(index, vectors)
            await anyio.sleep(LOOK)

    async def work(self, index: Index, vectors: Embeddings) -> None:
        """All that is to be done now. Raises PortError of either server."""
        if self._gone:
            await self._remove(index)
        if self._due():
            await self._learn()
        if self._new:
            await self._compare(index, vectors)
        if self._stale:
            await self._add(index, vectors)

    @property
    def busy(self) -> bool:
        """Whether work() has something left that needs no model."""
        return bool(self._gone or self._new or self._stale)

    async def _remove(self, index: Index) -> None:
        gone = dict(self._gone)
        await index.remove(gone)
        if not self._forgotten:  # what else has to go of it, goes with it
            await index.purge(gone.values())
            self._gone = {id: name for id, name in self._gone.items() if id not in gone}

    async def _level(self, index: Index, vectors: Embeddings) -> None:
        """After a start: what the index lacks is added, what it has too much is taken out."""
        assert self.store is not None
        there = await index.ids()
        held = {id: share(entry) for id, entry in self.store.entries.items() if not entry.ended}
        self._gone |= {id: name for id, name in there.items() if held.get(id) != name}
        self._stale |= set(held) - set(there)
        await self._add(index, vectors)

    async def _add(self, index: Index, vectors: Embeddings) -> None:
        """Entries of the file into the index; those that hold no longer are only in the file."""
        assert self.store is not None
        known = self.store.entries
        while some := sorted(self._stale)[:BATCH]:
            entries = [known[id] for id in some if id in known and not known[id].ended]
            if entries:
                found = await vectors.embed([meant(entry) for entry in entries])
                still = [n for n, entry in enumerate(entries) if known.get(entry.id) is entry]
                await index.add([entries[n] for n in still], found[still])
            ended = {id: share(known[id]) for id in some if id in known and known[id].ended}
            await index.remove(ended)
            self._stale -= set(some)
        await index.flush()

    async def _compare(self, index: Index, vectors: Embeddings) -> None:
        """What was learnt, with what is known of the same viewer: new, said before, or instead of it."""
        assert self.store is not None
        some = self._new[:BATCH]
        found = await vectors.embed([meant(entry) for entry in some])
        for entry, vector in zip(some, found, strict=True):
            alike = set[
                str
            ]()  # what is only quoted is one with its like alone: "greetings from Oslo", or Rome
            if entry.kind is not Kind.EPISODE and self.store.about(entry.viewer):
                alike = await index.near(entry, vector, self._same)
            if entry in self._new:  # not forgotten meanwhile
                try:
                    changed = self.store.learn(entry, entry.at, alike)
                except Refused as error:
                    log.error("nothing was learnt: %s", error)
                    return
                self._stale |= {each.id for each in changed}
                self.changes += bool(changed)
                self._new.remove(entry)

    def _due(self) -> bool:
        waited = anyio.current_time() - self._changed_at
        return len(self._exchanges) >= self._learn_from or (
            bool(self._exchanges) and waited > self._learn_after
        )

    async def _learn(self) -> None:
        """One background request; what it gives way to is its business (Role.BACKGROUND)."""
        assert self._llm is not None
        who = self._exchanges[0][0]
        some = [each for whose, each in self._exchanges if whose == who][: self._learn_from]
        before, answer = self._forgets, ""
        try:
            async with closing(self._llm.stream(prompt(some), Role.BACKGROUND)) as pieces:
                async for piece in pieces:
                    answer += piece if isinstance(piece, str) else ""
        except PortError as error:  # the model's own supervisor tells of it; the exchanges wait
            log.info("nothing was learnt: %s", error)
            self._changed_at = anyio.current_time()
            return
        found = []
        for entry in judged(answer, some, who, self._wall(), self._authors):
            found += [] if self._refuses(entry.text) else [entry]
            await anyio.lowlevel.checkpoint()  # a face moves beside it
        if before != self._forgets:
            return  # some of it was forgotten meanwhile: what is left is asked again
        done = {each.id for each in some}
        self._exchanges = [(w, each) for w, each in self._exchanges if each.id not in done]
        self._learnt(found)
