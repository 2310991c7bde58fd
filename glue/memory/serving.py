"""Both servers at work: the index and the embeddings, opened, served and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from glue.errors import PortError, first
from glue.memory.keeping import Keeping
from glue.memory.recall import Recalls
from glue.memory.vectors import Embeddings

if TYPE_CHECKING:
    from glue.memory.index import Index


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are, as conf/memory has it."""

    uri: str
    token: str
    collection: str
    dimensions: int
    embeddings: str
    model: str
    key: str

    @asynccontextmanager
    async def opened(self, within: float = 10.0) -> AsyncIterator[tuple[Index, Embeddings]]:
        """The index, made where it is missing, and the vectors; a call may take `within` seconds. Raises
        PortError."""
        from glue.memory.index import Index  # a second or two: who lives in the moment need not wait

        index = Index(self.uri, self.token, self.collection, self.dimensions, within)
        vectors = Embeddings(self.embeddings, self.model, self.dimensions, 5.0, self.key)
        try:
            await index.open()
            yield index, vectors
        finally:
            with anyio.move_on_after(0.2, shield=True):
                await vectors.close()
                await index.close()


async def serve(at: Servers, recalls: Recalls, keeping: Keeping, works: Callable[[], None]) -> None:
    """Recall and learn until one of them fails. Raises PortError."""
    try:
        async with at.opened() as (index, vectors), anyio.create_task_group() as tg:
            tg.start_soon(recalls.serve, index, vectors, works)
            tg.start_soon(keeping.serve, index, vectors)
    except* PortError as group:
        raise first(group) from None
