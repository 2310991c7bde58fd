"""What she comes to remember when her reply has begun: only what a line was certainly about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import anyio
import numpy as np
import pytest

from glue.events import ChatLine, Source
from glue.memory.index import Found, Index
from glue.memory.recall import SURE, SURE_OF_ALL, Recalls
from glue.memory.vectors import Embeddings, Vectors
from glue.memory.wanted import Wanted
from tests.test_eyes_show import VIRTUAL

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", [VIRTUAL], ids=["virtual"])]


@dataclass
class Slow:
    """Servers that answer `hits` after `takes` seconds."""

    hits: Sequence[Found]
    takes: float = 0.0

    async def search(self, text: str, vectors: Vectors, wanted: Wanted, most: int) -> list[Found]:
        await anyio.sleep(self.takes)
        return list(self.hits)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 4), np.float32)


async def late(servers: Slow, text: str) -> list[str]:
    """What a reply is told later, as soon as it is known: nothing was there at once."""
    recalls = Recalls(2, 0.18, 0.006)
    recalls.tell = lambda ids, line, who: list(ids)
    line, warm = ChatLine("1", "mira", text, Source.CONSOLE), anyio.Event()
    async with anyio.create_task_group() as tg:
        tg.start_soon(recalls.serve, cast(Index, servers), cast(Embeddings, servers), warm.set)
        await warm.wait()
        recalls.arrived(line)
        began = anyio.current_time()
        assert not await recalls.get("main", line)
        found = await recalls.late("main", line)
        assert anyio.current_time() - began == pytest.approx(servers.takes)
        tg.cancel_scope.cancel()
    return list(found)


@pytest.mark.parametrize(
    ("hit", "text", "sure"),
    [
        (Found("cat", SURE, "mira"), "what is my cat called?", True),
        (Found("cat", SURE - 0.01, "mira"), "what is my cat called?", False),
        (Found("joke", SURE, ""), "what is my cat called?", False),
        (Found("joke", SURE_OF_ALL, ""), "what is my cat called?", True),
        (Found("joke", SURE, "bob"), "what is my cat called?", False),
        (Found("self:main:1", SURE, ""), "what is your favourite food?", True),
        (Found("promise", 0.0, "mira"), "what did you promise me?", True),
        (Found("promise", 0.0, ""), "what did you promise me?", False),
    ],
)
async def test_what_fits_well_enough_is_told_though_the_reply_has_begun(
    hit: Found, text: str, sure: bool
) -> None:
    """What fits less is told to who waited: it was read then, for nothing."""
    assert await late(Slow([hit], takes=0.08), text) == ([hit.id] if sure else [])
