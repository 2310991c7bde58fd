"""The Memory port on Milvus: recalls from the moment that a line arrives, learns in the background."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio

from glue.chat_events import LinesRemoved
from glue.errors import ConfigError, PortError, Refused
from glue.events import ChatLine, Event, Fate, LineArrived, LineClosed, StageTaken, TurnEnded, TurnStarted
from glue.folders import data
from glue.memory.core import EVERY_S, Core
from glue.memory.desk import changeable, found
from glue.memory.entry import Entry
from glue.memory.figures import Figures
from glue.memory.keeping import Keeping
from glue.memory.lines import Lines
from glue.memory.porter import exported, taken
from glue.memory.recall import Recalls
from glue.memory.reflection import Reflection
from glue.memory.selves import fixed
from glue.memory.serving import Servers, serve
from glue.memory.store import Store
from glue.memory.whose import theirs, wrote
from glue.memory.wishes import Wish, wish
from glue.news import UNSPOKEN
from glue.ports import Llm, Whose
from glue.redacted import Known
from glue.safety_events import LineScreened

log = logging.getLogger(__name__)

SYNC_EVERY = 0.5  # seconds: what is older than two is on the disk
CLOSING = 5.0  # seconds for the last lines and wishes
REFUSED = (Fate.BLOCKED, Fate.SPAM, Fate.PAUSED, Fate.ECHO)  # lines with such a fate never came to her


class MilvusMemory:
    """Sees every event (`show`), answers `recall`, and works in `runs()`."""

    def __init__(
        self,
        llm: Llm,
        unlearn: Callable[[Sequence[str], Whose | None], None],
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
        within_ms: float = 6.0,
        asked_within_ms: float = 50.0,
        learn_from: int = 6,
        learn_after_s: float = 20.0,
        same: float = 0.75,
        core_tokens: int = 60,
        refuses: Callable[[str], str] = lambda text: "",
        likeness_self: float = 0.24,
        laugh_within_s: float = 8.0,
        laughs: int = 2,
        promise_days: float = 30.0,
        every: int = 1,
        made: int = 0,
        selves: Mapping[str, tuple[str, Sequence[str]]] | None = None,
        emit: Callable[[Event], None] = lambda event: None,
        forgets: Callable[[Sequence[str], Whose | None], None] = lambda ids, whose: None,
        run_dir: Path = Path(),
    ) -> None:
        """`unlearn(ids, whose)` takes lines out of every prompt, `forgets` likewise out of journal and pages;
        `know(who, text)` puts core memory into hers, `unknow(who)` takes it out; `refuses(text)`: why it may
        not be kept, or ""; `selves`: her name and facts by character. The rest: conf/memory/milvus.yaml."""
        self._unlearn, self._refuses, self._selves = unlearn, refuses, selves or {}
        self._folder = Path(run_dir, "memory") if made else data("memory", folder)
        self._made, self._session = made, uuid4().hex[:8]
        self._servers = Servers(uri, token, collection, dimensions, embeddings, model, key)
        self._recalls = Recalls(most, likeness, within_ms / 1000, likeness_self, asked_within_ms / 1000)
        self._keeping = Keeping(llm, learn_from, learn_after_s, same, refuses=refuses)
        self._recalls.tell = self._keeping.tell
        self._reflection = Reflection(self._keeping, self._known, emit, laugh_within_s, laughs, promise_days)
        self._figures = Figures(llm, self._recalls, emit, every)
        self._core, self._lines = Core(llm, self._keeping, know, unknow, core_tokens), Lines(forgets)
        self._met: dict[str, ChatLine] = {}  # lines whose authors are not counted yet
        self._names = {"spark"}  # hers, word by word
        self._store: Store | None = None

    async def __aenter__(self) -> MilvusMemory:
        try:
            import glue.memory.index  # noqa: F401  # a second or two, before the show is ready
        except ImportError as error:
            raise ConfigError(
                f"memory: {error.name} is not installed; cure: uv sync --all-extras --inexact"
            ) from error
        self._store = Store(self._folder)
        for who, (name, facts) in self._selves.items():
            self._store.fix(who, fixed(who, name, facts))
        self._keeping.open(self._store)
        if self._made:
            from glue.memory.made import furnish

            self._servers = replace(self._servers, collection=f"{self._servers.collection}_made")
            await furnish(self._store, self._servers, self._made)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._store is not None:
            try:
                with anyio.fail_after(CLOSING, shield=True):
                    await self._file()
                await self._figures.close()
            except (PortError, TimeoutError) as error:
                log.error("the last lines were not kept: %s", error)
            finally:
                self._store.close()
                self._store = None
        if self._made:
            with anyio.move_on_after(CLOSING, shield=True), suppress(PortError):
                async with self._servers.opened() as (index, _):
                    await index.drop()

    def runs(self) -> Mapping[str, Callable[[Callable[[], None]], Coroutine[Any, Any, None]]]:
        """The index and what is learnt; what was said to the disk, which waits for no server; the rest."""
        needs = {"memory": self._work, "core memory": self._edit, "memory figures": self._figures.run}
        return {"memory file": self._sync, **needs}

    async def recall(self, who: str, line: ChatLine) -> Sequence[str]:
        """See memory_ports.Memory. Waits at most `within_ms`, to a question `asked_within_ms`."""
        if line.source in UNSPOKEN or self._figures.recalls(line.id):
            return await self._recalls.get(who, line)
        return ()

    def scrolled(self, who: str, said: Sequence[tuple[ChatLine, str]]) -> None:
        """These lines and her answers have left the prompt of `who`."""
        self._reflection.scrolled(who, said)

    def found(self, words: str) -> list[dict[str, object]]:
        """See memory_ports.Memories."""
        return found(self._store, words)

    def amend(self, id: str, text: str) -> bool:
        """See memory_ports.Memories."""
        if (old := changeable(self._store, id)) is None:
            return False
        if why := self._refuses(text):
            raise Refused("memory", f"the filters refuse these words ({why})")
        self._keeping.amend(old, text)
        self._core.forget({id: old}, "")
        return True

    def forget(self, id: str = "", viewer: str = "") -> int:
        """See memory_ports.Memories."""
        if viewer:
            about = self._store.about(viewer) if self._store else []
            name = next((e.name for e in about if e.name.casefold() != e.viewer.casefold()), "")
            return self._forget_viewer(viewer, name)
        if (entry := changeable(self._store, id)) is None:
            return 0
        session, _, line = entry.source.partition(":")
        here = [line] if session == self._session and len(entry.lines) == 1 else []
        return self._wish(here, entries=(entry,))

    def export(self) -> Iterator[bytes]:
        """See memory_ports.Memories."""
        return exported(self._store) if self._store else iter(())

    async def take(self, data: bytes) -> int:
        """See memory_ports.Memories."""
        return await taken(data, self._keeping, self._refuses)

    def show(self, event: Event) -> None:
        """Take note of an event; what it asks for is done in runs()."""
        self._figures.show(event)
        self._reflection.show(event)
        match event:
            case LineArrived(_, line):
                self._arrived(line)
            case StageTaken(_, who, name):
                self._recalls.cast.add(who)
                self._recalls.names.add(name.casefold())
                self._keeping.summaries.called[who] = name
                self._names |= set(name.casefold().split())
            case TurnStarted(_, who, turn, line, _):
                self._lines.began(who, turn, line)
            case TurnEnded(_, who, turn, _, _, heard, _):
                self._ended(turn, heard)
            case LinesRemoved(_, ids, viewer):
                here, show = self._lines.of(theirs(viewer)), viewer and self._known("")
                self._forget_lines([*ids, *here], viewer, show=show)
            case LineScreened(_, id):
                self._unheard(id)
            case LineClosed(_, id, fate, _, why) if fate in REFUSED or (why and fate is Fate.OVERFLOW):
                self._unheard(id)  # an overflow with a reason is the door's: nobody screened that line
                self._recalls.drop([id])
                self._lines.drop([id])
                self._reflection.drop(id)
            case _:
                pass

    def _arrived(self, line: ChatLine) -> None:
        self._lines.arrived(line)
        people = line.source not in UNSPOKEN
        match wish(line.text, self._names) if people else None:
            case Wish.ME:
                self._forget_viewer(line.viewer, line.author)
            case Wish.THAT:
                self._wish(self._lines.of(theirs(line.viewer, line.author))[-2:])
            case None:
                if people:
                    self._met[line.id] = line
                if people and not line.deed:
                    self._keeping.heard(self._known(line.id), line)
                self._recalls.arrived(line)

    def _unheard(self, id: str) -> None:
        """Nothing of this line may be kept as it is; what somebody did for her counts, whatever they said."""
        self._keeping.unheard(self._known(id))
        if id in self._met and not self._met[id].deed:
            del self._met[id]

    def _ended(self, turn: str, heard: str) -> None:
        who, line, gone = self._lines.ended(turn)
        if gone:
            self._unlearn(gone, None)
        elif heard and line is not None and line.source not in UNSPOKEN and not line.deed:
            self._keeping.exchanged(who, self._known(line.id), line, heard)

    def _forget_viewer(self, viewer: str, name: str) -> int:
        self._met = {id: each for id, each in self._met.items() if not wrote(viewer, name)(each)}
        self._unlearn((), wrote(viewer, name))  # also what is older than Lines
        return self._wish(self._lines.leaves(viewer, name), viewer, name)

    def _wish(
        self, ids: Sequence[str], viewer: str = "", name: str = "", entries: Sequence[Entry] = ()
    ) -> int:
        """What a person wants to be forgotten leaves the journal, too; what a moderator removes does not."""
        gone, whose = self._forget_lines(ids, viewer, name, entries), theirs(viewer, name)
        names = {viewer, name, *(e.called for e in gone.values() if whose(e.viewer, e.called))} - {""}
        known = Known(wrote(viewer, name), names, {entry.text for entry in gone.values()})
        self._lines.wish(ids, known if viewer or gone else None)
        return len(gone)

    def _forget_lines(
        self, ids: Sequence[str], viewer: str, name: str = "", entries: Sequence[Entry] = (), show: str = ""
    ) -> dict[str, Entry]:
        """Out of every prompt now, out of files and index as soon as can be. Returns what was known."""
        self._lines.forget(ids)
        self._unlearn(ids, None)
        self._recalls.drop(ids)
        learnt = {entry.source for entry in entries if len(entry.lines) == 1}  # a summary goes alone
        sources = learnt.union(map(self._known, ids))
        gone = self._keeping.forget(sorted(sources), viewer, [e.id for e in entries], name, show)
        self._core.forget(gone, name or viewer)
        return gone

    def _known(self, id: str) -> str:
        """A line's id among those of all shows."""
        return f"{self._session}:{id}"

    async def _file(self) -> None:
        """What was heard, and from whom, to the disk: by now it is known what was let in. Raises Refused."""
        met, self._met = self._met, {}
        for line in met.values():
            self._keeping.met(line)
        self._reflection.tell()
        await self._keeping.file()

    async def _sync(self, works: Callable[[], None]) -> None:
        while True:
            await self._file()
            works()
            await anyio.sleep(SYNC_EVERY)

    async def _edit(self, works: Callable[[], None]) -> None:
        works()
        while True:
            await self._core.edit(self._recalls.cast)
            await anyio.sleep(EVERY_S)

    async def _work(self, works: Callable[[], None]) -> None:
        await serve(self._servers, self._recalls, self._keeping, works)
