"""What she is told of at a line that is answered at once: only what it was certainly about."""

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


async def recalled(servers: Slow, text: str, after: float) -> tuple[list[str], float]:
    """What a reply that begins `after` seconds is told, and how long it waits for that."""
    recalls = Recalls(2, 0.18, 0.006)
    recalls.tell = lambda ids, line, who: list(ids)
    line, warm = ChatLine("1", "mira", text, Source.CONSOLE), anyio.Event()
    async with anyio.create_task_group() as tg:
        tg.start_soon(recalls.serve, cast(Index, servers), cast(Embeddings, servers), warm.set)
        await warm.wait()
        recalls.arrived(line)
        await anyio.sleep(after)
        began = anyio.current_time()
        found = await recalls.get("main", line)
        took = anyio.current_time() - began
        tg.cancel_scope.cancel()
    return list(found), took


@pytest.mark.parametrize(
    ("text", "takes", "after", "told", "waits"),
    [
        ("what is my cat called?", 0.03, 0.0, ["cat"], 0.03),
        ("my cat is asleep", 0.03, 0.0, ["cat"], 0.03),
        ("what is my cat called?", 0.08, 0.0, [], 0.05),
        ("lol", 0.03, 0.0, [], 0.006),
        ("lol", 0.03, 1.0, ["cat", "junk"], 0.0),
        ("what is my cat called?", 0.08, 1.0, ["cat", "junk"], 0.0),
    ],
)
async def test_a_question_waits_for_the_search_and_is_told_what_it_was_about(
    text: str, takes: float, after: float, told: list[str], waits: float
) -> None:
    """Whoever had to wait in any case is told all that fits a little: the model has read it ahead."""
    servers = Slow([Found("cat", SURE, "mira"), Found("junk", SURE, "")], takes)
    found, waited = await recalled(servers, text, after)
    assert found == told and waited == pytest.approx(waits, abs=1e-9)


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
        (Found("promise", 0.0, ""), "what did you promise?", True),
    ],
)
async def test_what_a_line_is_surely_about(hit: Found, text: str, sure: bool) -> None:
    found, _ = await recalled(Slow([hit], takes=0.03), text, 0.0)
    assert found == ([hit.id] if sure else [])
