"""Writes: raw lines within a second, what is learnt of them in the background, the index behind both."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
import anyio.lowlevel
import anyio.to_thread

from glue.errors import PortError, Refused
from glue.events import ChatLine
from glue.memory.asking import asked
from glue.memory.entry import MOST as LONGEST
from glue.memory.entry import SHARED, Entry
from glue.memory.glean import gleaned
from glue.memory.jokes import landed
from glue.memory.laughs import Reply
from glue.memory.names import Names
from glue.memory.notes import Exchange, judged, prompt, worth
from glue.memory.rows import Rows
from glue.memory.store import Store, Waiting
from glue.memory.summaries import Summaries
from glue.memory.traces import Forget
from glue.memory.vectors import Embeddings
from glue.memory.whose import theirs
from glue.memory.words import words
from glue.ports import Llm

if TYPE_CHECKING:
    from glue.memory.index import Index

log = logging.getLogger(__name__)

MOST = 60  # exchanges that wait to be distilled; beyond it the oldest is let go
CHUNK = 100  # lines that are written and read through before the show's own thread is asked for anything
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
        self._learn_from = max(1, learn_from)
        self._learn_after = learn_after
        self._wall = wall
        self._refuses = refuses
        self._heard: dict[str, tuple[ChatLine, float]] = {}  # lines that are in no file yet
        self._exchanges: list[Waiting] = []
        self._kept: list[Waiting] = []  # of them, what is in the file
        self._changed_at = 0.0
        self._names = Names()  # who writes in this show
        self._forgotten: list[Forget] = []  # what is still in the files
        self._rows = Rows(same)
        self.summaries = Summaries(llm, self._names, refuses, wall)
        self.added: Callable[[Entry, str], None] = lambda entry, why: None  # told of what is new, and why
        self.changes = 0  # of what is known: core memory asks

    def open(self, store: Store) -> None:
        """What was kept before, what was still to be learnt from among it."""
        self.store = store
        self._exchanges = self._kept = store.waiting()[-MOST:]
        self._changed_at = anyio.current_time()

    def met(self, line: ChatLine) -> None:
        """Who wrote it is here today."""
        if self.store is not None and line.author:
            paid = line.deed is not None and line.deed.paid
            self.store.bonds.met(line.viewer, self._wall(), paid, line.author)

    def tell(self, ids: Sequence[str], line: str, who: str) -> list[str]:
        """What `who` knows of these entries, in the words that she is told at this line."""
        return words({} if self.store is None else self.store.entries, ids, line, who, self._wall())

    def heard(self, id: str, line: ChatLine) -> None:
        """A raw line, to be kept."""
        self._names.add(line.author)
        self._heard[id] = (line, self._wall())

    def unheard(self, id: str) -> None:
        """The filters did not let this line pass as it is: nothing of it is kept."""
        self._heard.pop(id, None)

    def exchanged(self, who: str, id: str, line: ChatLine, heard: str) -> None:
        """Something to learn from, later."""
        if not worth(line.text, heard):
            return
        exchange = Exchange(id, line.author, line.text, heard, line.viewer)
        self._exchanges = [*self._exchanges[-MOST + 1 :], (who, exchange)]
        self._changed_at = anyio.current_time()

    def put(self, entries: Sequence[Entry]) -> None:
        """These, as they are: an export's, or promises that end. Raises Refused (no room)."""
        assert self.store is not None
        for entry in entries:
            self.store.put(entry)
            self._rows.changed([entry])  # also where there is no room for the next
            self.changes += 1

    def laughed(self, reply: Reply, source: str) -> int:
        """Chat laughed at a reply: how often now at this joke; 0 for one that is not kept. Raises Refused."""
        assert self.store is not None
        back, new = landed(reply, self.store, source, self._wall(), self._refuses)
        for joke in back:
            self.store.put(joke)
            self.changes += 1
        if new is not None:
            self._learnt([new])
            self.added(new, "joke")
        return max((joke.count for joke in back), default=int(new is not None))

    def amend(self, old: Entry, text: str) -> Entry:
        """Put a corrected entry in `old`'s place, of which nothing is left. Raises Refused (no room)."""
        assert self.store is not None
        words = " ".join(text.split())[:LONGEST]
        new = dataclasses.replace(old, id=uuid4().hex, text=words, at=self._wall(), ended=0.0)
        self.store.put(new)
        self._rows.changed([new])
        self.forget((), "", (old.id,))
        return new

    def forget(
        self, ids: Sequence[str], viewer: str, entries: Sequence[str] = (), name: str = "", show: str = ""
    ) -> dict[str, Entry]:
        """Leave no trace of these lines, of this viewer (see theirs(); where `show`, how the ids of this show
        begin, is given, nothing of other shows goes), and of these entries: unknown from now on; they leave
        the files in file(), the index in serve(), a failure only delays that. Returns what was known."""
        gone, whose = set(ids), theirs(viewer, name)
        self._heard = {
            id: each
            for id, each in self._heard.items()
            if id not in gone and not whose(each[0].viewer, each[0].author)
        }
        self._exchanges = [
            (who, each)
            for who, each in self._exchanges
            if each.id not in gone and not (each.id.startswith(show) and whose(each.key, each.author))
        ]
        self.summaries.drop(lambda each: not gone.isdisjoint(each.id.split()) or whose(each.key, each.author))
        self._names.discard(name or viewer)
        what = Forget(
            frozenset(ids),
            frozenset() if name or show else frozenset({viewer} - {""}),
            frozenset(entries),
            frozenset({(viewer, name)}) if name else frozenset(),
            frozenset({(show, viewer)}) if show else frozenset(),
        )
        hidden = {} if self.store is None else self.store.hide(what)
        self._left(hidden)
        self._forgotten.append(what | Forget(entries=frozenset(hidden)))
        return hidden

    def _left(self, gone: dict[str, Entry]) -> None:
        self._rows.left(gone)
        self.changes += bool(gone)

    async def file(self) -> None:
        """What was heard and what is learnt of it into the files, what is forgotten out of them, all of it to
        the disk. In a thread: the loop that calls this moves a face 60 times a second. Raises Refused."""
        if self.store is None:
            return
        heard, wishes = list(self._heard), list(self._forgotten)  # whatever a wish is about was heard by now
        for start in range(0, len(heard), CHUNK):
            await self._take_down(heard[start : start + CHUNK])
        if wishes:
            what = reduce(Forget.__or__, wishes)
            gone, lines, traces = await anyio.to_thread.run_sync(self.store.forget, what)
            self._left(gone)
            self._exchanges = [
                (who, each)
                for who, each in self._exchanges
                if each.id not in lines
                and not traces.in_line(each.key, each.author, f"{each.text} {each.heard}")
            ]
            self.summaries.drop(
                lambda each: traces.in_line(each.key, each.author, f"{each.text} {each.heard}")
            )
            del self._forgotten[: len(wishes)]
        if self._exchanges != self._kept:
            waiting = list(self._exchanges)
            await anyio.to_thread.run_sync(self.store.wait, waiting)
            self._kept = waiting
        await anyio.to_thread.run_sync(self.store.sync)

    async def _take_down(self, ids: Sequence[str]) -> None:
        """Lines into the file, and what is learnt of them. One that is forgotten meanwhile is learnt nothing
        from; where this is cut off before it began, the lines wait for the next time."""
        lines = {id: self._heard[id] for id in ids if id in self._heard}
        found = await anyio.to_thread.run_sync(self._write, lines)
        for id in lines:
            if self._heard.pop(id, None) is not None:
                self._learnt(found[id])

    def _write(self, lines: dict[str, tuple[ChatLine, float]]) -> dict[str, list[Entry]]:
        """What is learnt of each. A full disk loses lines, never the show."""
        assert self.store is not None
        for id, (line, at) in lines.items():
            try:
                self.store.heard(id, line.author, line.text, at, line.viewer)
            except Refused as error:
                self.lost += 1
                if self.lost == 1:
                    log.error("a line was not kept: %s", error)
        return {id: gleaned(id, line, SHARED, at, self._names) for id, (line, at) in lines.items()}

    def _learnt(self, entries: Sequence[Entry]) -> None:
        """Into the file at once; whether it says what an older one says is seen when the index takes it."""
        assert self.store is not None
        for entry in entries:
            try:
                changed = self.store.learn(entry, entry.at)
            except Refused as error:
                log.error("nothing was learnt: %s", error)
                return
            self._rows.changed(changed, new=changed == [entry])
            self.changes += bool(changed)

    async def serve(self, index: Index, vectors: Embeddings) -> None:
        """Keep the index as the file is, and learn. Raises a group of PortErrors of either server."""
        assert self.store is not None
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._learning)  # a request may take minutes: nothing waits for it
            await self._rows.level(self.store, index)
            while True:
                await self._tend(index, vectors)
                if not self._rows.stale:
                    await anyio.sleep(LOOK)

    async def work(self, index: Index, vectors: Embeddings) -> None:
        """All that is to be done now, one thing after the other. Raises PortError of either server."""
        await self._think()
        await self._tend(index, vectors)
        while self._rows.stale:
            await self._tend(index, vectors)

    async def _tend(self, index: Index, vectors: Embeddings) -> None:
        assert self.store is not None
        if self._rows.gone:
            await self._rows.remove(index, purge=not self._forgotten)  # what else has to go, goes with it
        if self._rows.stale:
            self.changes += await self._rows.add(self.store, index, vectors)

    async def _learning(self) -> None:
        while True:
            await self._think()
            await anyio.sleep(LOOK)

    async def _think(self) -> None:
        """One request to the model, if there is something to learn from or to sum up."""
        if self._due():
            await self._learn()
        elif self.summaries.due:
            for entry in await self.summaries.write():
                self._learnt([entry])
                self.added(entry, "summary")

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
        try:
            answer = await asked(self._llm, prompt(some))
        except PortError as error:  # the model's own supervisor tells of it; the exchanges wait
            log.info("nothing was learnt: %s", error)
            self._changed_at = anyio.current_time()
            return
        found = []
        for entry in judged(answer, some, who, self._wall(), self._names):
            found += [] if self._refuses(entry.text) else [entry]
            await anyio.lowlevel.checkpoint()  # a face moves beside it
        done = {each.id for each in some}
        left = {each.id for _, each in self._exchanges}  # not those that were forgotten meanwhile
        self._exchanges = [(w, each) for w, each in self._exchanges if each.id not in done]
        self._learnt([entry for entry in found if entry.source in left])
