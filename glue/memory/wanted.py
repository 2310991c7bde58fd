"""What a search may find: of whom, for whom, of which time; as the index's filter says it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from glue.memory.entry import SHARED, Entry
from glue.memory.shares import ABOUT_ALL
from glue.memory.spans import Span


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the `cast` knows that `viewer` may be told. `hers`: facts about herself are among it; `span`: only
    what is of that time."""

    cast: frozenset[str]
    viewer: str = ""
    hers: bool = False
    span: Span | None = None

    def filter(self) -> str:
        """In Milvus's filter language."""
        kinds = ", ".join(quoted(kind.value) for kind in ABOUT_ALL)
        words = (
            f"persona in [{', '.join(map(quoted, sorted({*self.cast, SHARED})))}] "
            f'and (viewer in [{quoted(self.viewer)}, ""] or kind in [{kinds}])'
        )
        if self.span is not None:
            words += f" and at >= {self.span.since!r} and at < {self.span.until!r}"
        return words


def like(entry: Entry) -> str:
    """The filter of entries about the same viewer, of the same kind."""
    return f"viewer == {quoted(entry.viewer)} and kind == {quoted(entry.kind.value)}"


def quoted(text: str) -> str:
    """A viewer's name as a literal of that language: JSON's escapes are its own."""
    return json.dumps(text, ensure_ascii=False)
