"""What a search may find: of whom, for whom, of which time; as the index's filter says it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from glue.memory.entry import SHARED, Entry, Kind
from glue.memory.shares import ABOUT_ALL
from glue.memory.spans import Span

PROMISED = re.compile(
    r"\byou (?:ever |just |already |still )?promised?\b|\b(?:your|any|a|the|which|what) promises?\b.*\byou\b|"
    r"\byour promises?\b|\b(?:was|were|been|are) (?:we |i )?promised\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the `cast` knows that `viewer` may be told. `hers`: facts about herself are among it; `span`: only
    what is of that time; `kinds`: only these, if any."""

    cast: frozenset[str]
    viewer: str = ""
    hers: bool = False
    span: Span | None = None
    kinds: tuple[Kind, ...] = ()

    def filter(self) -> str:
        """In Milvus's filter language."""
        kinds = ", ".join(quoted(kind.value) for kind in ABOUT_ALL)
        words = (
            f"persona in [{', '.join(map(quoted, sorted({*self.cast, SHARED})))}] "
            f'and (viewer in [{quoted(self.viewer)}, ""] or kind in [{kinds}])'
        )
        if self.span is not None:
            words += f" and at >= {self.span.since!r} and at < {self.span.until!r}"
        if self.kinds:
            words += f" and kind in [{', '.join(quoted(kind.value) for kind in self.kinds)}]"
        return words


def kinds(text: str) -> tuple[Kind, ...]:
    """What a line asks for by its name: "what did you promise me?" is like no promise in its words."""
    return (Kind.PROMISE,) if PROMISED.search(text) else ()


def like(entry: Entry) -> str:
    """The filter of entries about the same viewer, of the same kind."""
    return f"viewer == {quoted(entry.viewer)} and kind == {quoted(entry.kind.value)}"


def quoted(text: str) -> str:
    """A viewer's name as a literal of that language: JSON's escapes are its own."""
    return json.dumps(text, ensure_ascii=False)
