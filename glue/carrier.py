"""The desk's export and import of her memory, told in the journal like every wish: beside controls.py."""

from __future__ import annotations

from collections.abc import Iterator

import anyio

from glue.desk_events import OperatorServed
from glue.errors import Refused
from glue.parts import Parts

NONE = "she has no memory in this show; cure: memory=milvus at the start"


class Carrier:
    """What the page's two buttons do. Paths are the browser's: none is sent here."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def export(self) -> Iterator[bytes] | None:
        """All that she remembers, as JSON lines; None where there is no memory."""
        memories = self._parts.memories
        self._tell("export", memories is not None, "on its way to the browser" if memories else NONE)
        return memories.export() if memories else None

    async def take(self, data: bytes) -> tuple[bool, str]:
        """Whether an export was taken in, and what to tell of it."""
        done, told = False, NONE
        if self._parts.memories is not None:
            try:
                new = await self._parts.memories.take(data)
                done, told = True, f"{new} entries are new; she recalls them as soon as they are indexed"
            except Refused as error:
                told = error.why
        self._tell("import", done, told)
        return done, told

    def _tell(self, what: str, done: bool, effect: str) -> None:
        self._parts.emit(OperatorServed(anyio.current_time(), what, "", done, effect))
