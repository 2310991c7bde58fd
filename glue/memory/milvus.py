"""The Memory port on Milvus: recalls from the moment that a line arrives, learns in the background."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

import anyio

from glue.chat_events import LinesRemoved
from glue.errors import ConfigError, PortError
from glue.events import ChatLine, Event, LineArrived, Source, StageTaken, TurnEnded, TurnStarted
from glue.memory.core import EVERY_S, Core
from glue.memory.entry import Entry
from glue.memory.keeping import Keeping
from glue.memory.place import place
from glue.memory.recall import Recalls
from glue.memory.store import Store
from glue.memory.vectors import Embeddings
from glue.memory.wishes import Wish, wish
from glue.ports import Llm
from glue.safety_events import LineScreened

log = logging.getLogger(__name__)

SYNC_EVERY = 0.5  # seconds: what is older than two is on the disk
CLOSING = 5.0  # seconds for the last lines and wishes
NOBODY = (Source.GAME, Source.HERSELF, Source.EYES)  # lines that no viewer wrote
FOUND = 100  # entries that the operator is shown at once
LAST = 2000  # lines whose authors and ids are known, for wishes


class MilvusMemory:
    """Sees every event (`show`), answers `recall`, and works in `runs()`."""

    def __init__(
        self,
        llm: Llm,
        unlearn: Callable[[Sequence[str]], None],
        know: Callable[[str, str], Awaitable[None]],
        unknow: Callable[[str], None],
        uri: str,
        embeddings: str,
        model: str,
        folder: str = "",
        collection: str = "memory",
        token: str = "",
        key: str = "",
        dimensions: int = 384,
        most: int = 2,
        likeness: float = 0.18,
        within_ms: float = 10.0,
        learn_from: int = 6,
        learn_after_s: float = 20.0,
        same: float = 0.75,
        core_tokens: int = 60,
    ) -> None:
        """`unlearn(ids)` takes lines out of every prompt, `know(who, text)` puts core memory into hers,
        `unknow(who)` takes it out.
        conf/memory/milvus.yaml says what the rest is."""
        self._unlearn = unlearn
        self._folder = folder
        self._make = (uri, token, collection, dimensions, embeddings, model, key)
        self._recalls = Recalls(most, likeness, within_ms / 1000)
        self._keeping = Keeping(llm, learn_from, learn_after_s, same)
        self._recalls.tell = self._keeping.tell
        self._core = Core(llm, self._keeping, know, unknow, core_tokens)
        self._session = uuid4().hex[:8]
        self._lines: dict[str, ChatLine] = {}  # by id, the newest
        self._turns: dict[str, tuple[str, ChatLine]] = {}
        self._gone: set[str] = set()  # lines of this session that no prompt may hold
        self._store: Store | None = None

    async def __aenter__(self) -> MilvusMemory:
        try:
            import glue.memory.index  # noqa: F401  # a second or two, before the show is ready
        except ImportError as error:
            raise ConfigError(
                f"memory: {error.name} is not installed; cure: uv sync --extra memory"
            ) from error
        self._store = Store(place(self._folder))
        self._keeping.open(self._store)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._store is not None:
            try:
                with anyio.fail_after(CLOSING, shield=True):
                    await self._keeping.file()
            except (PortError, TimeoutError) as error:
                log.error("the last lines were not kept: %s", error)
            finally:
                self._store.close()
                self._store = None

    def runs(self) -> Mapping[str, Callable[[Callable[[], None]], Coroutine[Any, Any, None]]]:
        """The index and what is learnt; and what was said to the disk, which needs neither."""
        return {"memory": self._work, "memory file": self._sync, "core memory": self._edit}

    async def recall(self, who: str, author: str, text: str) -> Sequence[str]:
        """See ports.Memory. Waits at most `within_ms`."""
        return await self._recalls.get(who, author, text)

    def found(self, words: str) -> list[dict[str, object]]:
        """See glue.memories.Memories."""
        wanted = words.casefold().split()
        entries = reversed(self._store.entries.values()) if self._store else ()
        some = (each for each in entries if all(word in _about(each) for word in wanted))
        return [dataclasses.asdict(entry) for entry in islice(some, FOUND)]

    def amend(self, id: str, text: str) -> bool:
        """See glue.memories.Memories."""
        old = self._store.entries.get(id) if self._store else None
        if old is None:
            return False
        self._keeping.amend(old, text)
        self._recalls.clear()
        self._core.forget({id: old}, "")
        return True

    def forget(self, id: str = "", viewer: str = "") -> int:
        """See glue.memories.Memories."""
        entry = self._store.entries.get(id) if self._store else None
        if viewer:
            return self._forget_lines(self._lines_of(viewer), viewer)
        if entry is None:
            return 0
        session, _, line = entry.source.partition(":")
        here = [line] if session == self._session else []
        return self._forget_lines(here, entries=(entry,))

    def show(self, event: Event) -> None:
        """Take note of an event; what it asks for is done in runs()."""
        match event:
            case LineArrived(_, line):
                self._arrived(line)
            case StageTaken(_, who, _):
                self._recalls.cast.add(who)
            case TurnStarted(_, who, turn, line, _):
                self._turns[turn] = (who, line)
            case TurnEnded(_, who, turn, _, _, heard, _):
                self._ended(turn, heard)
            case LinesRemoved(_, ids):
                self._forget_lines(ids)
            case LineScreened(_, id):
                self._keeping.unheard(self._known(id))
            case _:
                pass

    def _arrived(self, line: ChatLine) -> None:
        self._lines[line.id] = line
        if len(self._lines) > LAST:
            del self._lines[next(iter(self._lines))]
        match wish(line.text):
            case Wish.ME:
                self._forget_lines(self._lines_of(line.author), line.author)
            case Wish.THAT:
                self._forget_lines(self._lines_of(line.author)[-2:])
            case None:
                if line.source not in NOBODY:
                    self._keeping.met(line)
                if line.source not in NOBODY and not line.deed:
                    self._keeping.heard(self._known(line.id), line)
                self._recalls.arrived(line.author, line.text)

    def _ended(self, turn: str, heard: str) -> None:
        who, line = self._turns.pop(turn, ("", None))
        if line is None:
            return
        if line.id in self._gone:
            self._unlearn([line.id])
        elif heard and line.source not in NOBODY and not line.deed:
            self._keeping.exchanged(who, self._known(line.id), line, heard)

    def _lines_of(self, viewer: str) -> list[str]:
        return [each.id for each in self._lines.values() if each.author.casefold() == viewer.casefold()]

    def _forget_lines(self, ids: Sequence[str], viewer: str = "", entries: Sequence[Entry] = ()) -> int:
        """Out of every prompt now, out of the files and the index as soon as they can be reached."""
        self._gone |= set(ids)
        self._unlearn(ids)
        for id in ids:
            self._lines.pop(id, None)
        self._recalls.clear()
        sources = {entry.source for entry in entries if entry.source}.union(map(self._known, ids))
        gone = self._keeping.forget(sorted(sources), viewer, [entry.id for entry in entries])
        self._core.forget(gone, viewer)
        return len(gone)

    def _known(self, id: str) -> str:
        """A line's id among those of all shows."""
        return f"{self._session}:{id}"

    async def _sync(self, works: Callable[[], None]) -> None:
        while True:
            await self._keeping.file()
            works()
            await anyio.sleep(SYNC_EVERY)

    async def _edit(self, works: Callable[[], None]) -> None:
        works()
        while True:
            await self._core.edit(self._recalls.cast)
            await anyio.sleep(EVERY_S)

    async def _work(self, works: Callable[[], None]) -> None:
        from glue.memory.index import Index

        uri, token, name, dimensions, url, model, key = self._make
        index = Index(uri, token, name, dimensions, within=10.0)
        vectors = Embeddings(url, model, dimensions, 5.0, key)
        try:
            await index.open()
            async with anyio.create_task_group() as tg:
                tg.start_soon(self._recalls.serve, index, vectors, works)
                tg.start_soon(self._keeping.serve, index, vectors)
        except* PortError as group:
            raise first(group) from None
        finally:
            with anyio.move_on_after(0.2, shield=True):
                await vectors.close()
                await index.close()


def first(group: BaseExceptionGroup[Any]) -> PortError:
    """The first error of a group of groups."""
    error: Any = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, PortError)
    return error


def _about(entry: Entry) -> str:
    return f"{entry.viewer} {entry.text} {entry.kind}".casefold()
