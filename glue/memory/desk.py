"""What the operator sees of her memory, and may change."""

from __future__ import annotations

import dataclasses
from itertools import islice

from glue.errors import Refused
from glue.memory.entry import Entry, Kind
from glue.memory.store import Store

FOUND = 100  # entries that the operator is shown at once


def found(store: Store | None, words: str) -> list[dict[str, object]]:
    """See memory_ports.Memories. May be asked from a thread: a copy is searched."""
    wanted = words.casefold().split()
    entries = reversed(list(store.entries.values())) if store else ()
    some = (each for each in entries if all(word in _about(each) for word in wanted))
    return [dataclasses.asdict(entry) for entry in islice(some, FOUND)]


def changeable(store: Store | None, id: str) -> Entry | None:
    """An entry that may be corrected or forgotten. Raises Refused for what she is."""
    entry = store.entries.get(id) if store else None
    if entry is not None and entry.kind is Kind.SELF:
        raise Refused("memory", "what she is stands in conf/persona: change it there")
    return entry


def _about(entry: Entry) -> str:
    return f"{entry.viewer} {entry.name} {entry.text} {entry.kind}".casefold()
