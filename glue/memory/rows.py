"""The index behind the file: which of its rows have to be made or to go, and doing it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from glue.errors import Refused
from glue.memory.entry import Entry, Kind, meant
from glue.memory.selves import whose
from glue.memory.shares import share
from glue.memory.store import Store
from glue.memory.vectors import Embeddings, Vectors

if TYPE_CHECKING:
    from glue.memory.index import Index

log = logging.getLogger(__name__)
BATCH = 64  # entries embedded at once
UNFLUSHED = 1000  # entries


class Rows:
    """Every method that takes the index raises PortError of either server."""

    def __init__(self, same: float) -> None:
        """`same`: cosine from which on two entries are one."""
        self.stale: dict[str, None] = {}  # ids whose rows differ from the file, the oldest first
        self.gone: dict[str, str] = {}  # ids whose rows have to go, and where these are
        self._fresh: set[str] = set()  # of the stale ones, those that may say what an older one says
        self._same = same
        self._unflushed = 0

    def changed(self, entries: Sequence[Entry], new: bool = False) -> None:
        """The file has these, or has them otherwise. `new`: they were just learnt, and ended nothing."""
        self.stale |= dict.fromkeys(each.id for each in entries)
        # what is only quoted is one with its like alone: "greetings from Oslo", or Rome
        self._fresh |= {each.id for each in entries if new and each.kind is not Kind.EPISODE}

    def left(self, gone: Mapping[str, Entry]) -> None:
        """These are in the file no more."""
        self.gone |= {id: share(entry) for id, entry in gone.items()}
        self._done(gone)

    async def level(self, store: Store, index: Index) -> None:
        """After a start: what the index lacks is to be added, what it has too much to be taken out. Facts
        about a character who is not on stage today stay there."""
        there = await index.ids()
        held = {id: share(entry) for id, entry in list(store.entries.items()) if not entry.ended}
        theirs = {id for id in there if (who := whose(id)) is not None and who not in store.fixed}
        self.gone |= {id: name for id, name in there.items() if held.get(id) != name and id not in theirs}
        self.stale |= {id: None for id, name in held.items() if there.get(id) != name}

    async def remove(self, index: Index, purge: bool) -> None:
        """What is gone out of searches, and where `purge` out of the index's files."""
        gone = dict(self.gone)
        await index.remove(gone)
        if purge:
            await index.purge(gone.values())
            self.gone = {id: name for id, name in self.gone.items() if id not in gone}

    async def add(self, store: Store, index: Index, vectors: Embeddings) -> int:
        """Some entries into the index; those that hold no longer out of it. Returns how many said what an
        older one says: these are in the file no more."""
        known, merged = store.entries, 0
        some = {id: known.get(id) for id in islice(self.stale, BATCH)}
        entries = [entry for entry in some.values() if entry and not entry.ended]
        if entries:
            found = await vectors.embed([meant(entry) for entry in entries])
            for n in range(len(entries)):
                merged += await self._merge(store, index, entries[: n + 1], found[: n + 1])
            still = [n for n, entry in enumerate(entries) if known.get(entry.id) is entry]
            await index.add([entries[n] for n in still], found[still])
        await index.remove({id: share(entry) for id, entry in some.items() if entry and entry.ended})
        self._done([id for id, entry in some.items() if known.get(id) is entry])  # or it changed meanwhile
        self._unflushed += len(some)
        if not self.stale or self._unflushed >= UNFLUSHED:
            await index.flush()
            self._unflushed = 0
        return merged

    async def _merge(self, store: Store, index: Index, entries: Sequence[Entry], found: Vectors) -> bool:
        """The last of these, with what the index has, and with those before it, which it has not yet."""
        entry, vector = entries[-1], found[-1]
        if entry.id not in self._fresh or len(store.about(entry.viewer)) < 2:
            return False
        alike = await index.near(entry, vector, self._same)
        if store.entries.get(entry.id) is not entry:
            return False  # forgotten, or ended, meanwhile
        likeness = found[:-1] @ vector
        alike |= {
            old.id
            for old, cosine in zip(entries, likeness, strict=False)
            if cosine >= self._same and old.kind is entry.kind
        }
        try:
            return store.merge(entry, alike)
        except Refused as error:
            log.error("said twice, and kept twice: %s", error)
            return False

    def _done(self, ids: Iterable[str]) -> None:
        for id in ids:
            self.stale.pop(id, None)
            self._fresh.discard(id)
