"""What a line makes her look for, and what a look costs: one call for vectors, whatever it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import anyio
import numpy as np
import pytest

from glue.errors import Refused
from glue.memory.entry import Kind
from glue.memory.index import Found, Index
from glue.memory.recall import Recalls
from glue.memory.vectors import Embeddings, Vectors
from glue.memory.wanted import Wanted, kinds
from glue.supervise import Patience, supervise
from tests.core import line

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "text",
    [
        "what did you promise me?",
        "Spark, you promised me something last week, what was it?",
        "did you ever promise me anything",
        "do you keep your promises?",
        "what was I promised again?",
        "which promise did you make me?",
    ],
)
def test_who_asks_for_a_promise_is_told_a_promise(text: str) -> None:
    assert kinds(text) == (Kind.PROMISE,)


@pytest.mark.parametrize("text", ["what is my cat called?", "I promise to be nice", "a promising start", ""])
def test_other_lines_look_for_anything(text: str) -> None:
    assert kinds(text) == ()


def test_the_filter_names_the_kind_beside_whose_it_is() -> None:
    words = Wanted(frozenset({"main"}), "mira", kinds=(Kind.PROMISE,)).filter()
    assert words.endswith(' and kind in ["promise"]') and '"mira"' in words
    assert Wanted(frozenset({"main"}), "mira").filter().count("kind in") == 1


@dataclass
class Counted:
    """Embeddings, and an index that knows one promise; what they are asked."""

    likeness: float = 0.0
    holds: Kind = Kind.PROMISE
    texts: list[Sequence[str]] = field(default_factory=list)
    searched: list[Wanted] = field(default_factory=list)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts.append(texts)
        return np.zeros((len(texts), 1), np.float32)

    async def search(self, text: str, vectors: Vectors, wanted: Wanted, most: int) -> list[Found]:
        self.searched.append(wanted)
        return [Found("e", self.likeness)] if not wanted.kinds or self.holds in wanted.kinds else []


async def look(text: str, counted: Counted) -> Sequence[str]:
    """What is told at a line; only what was asked for it is left in `counted`."""
    recalls, warm = Recalls(2, 0.18, 5.0), anyio.Event()
    recalls.tell = lambda ids, line, who: list(ids)
    async with anyio.create_task_group() as tg:
        tg.start_soon(recalls.serve, cast(Index, counted), cast(Embeddings, counted), warm.set)
        await warm.wait()
        counted.texts.clear()
        counted.searched.clear()
        recalls.arrived(said := line(text))
        found = await recalls.get("main", said)
        tg.cancel_scope.cancel()
    return found


@pytest.mark.parametrize(
    "text", ["hello", "what is my cat called and where do I live?", "what did you promise me last week?"]
)
async def test_a_line_costs_one_call_for_vectors(text: str) -> None:
    counted = Counted(holds=Kind.JOKE)
    await look(text, counted)
    assert len(counted.texts) == 1 and len(counted.searched) <= 2


async def test_a_promise_need_not_be_like_the_question_for_it() -> None:
    assert await look("what did you promise me?", Counted()) == ["e"]
    assert await look("what is my cat called?", Counted()) == []
    other = Counted(likeness=0.6, holds=Kind.VIEWER)
    assert await look("what did you promise me?", other) == ["e"], "where there is none, as any other line"
    assert [wanted.kinds for wanted in other.searched] == [(Kind.PROMISE,), ()]


@dataclass
class Breaks(Counted):
    """Refuses one text, however often it is asked for it; `reached` when it is asked for `wanted`."""

    wanted: str = ""
    reached: anyio.Event = field(default_factory=anyio.Event)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = await super().embed(texts)
        if "indigestible" in texts:
            raise Refused("memory", "embeddings: HTTP 400")
        if self.wanted in texts:
            self.reached.set()
        return vectors


async def test_a_line_that_a_server_breaks_at_costs_nobody_else_their_recall() -> None:
    """It was the newest, so it came first again, for as long as it was among the last two hundred."""
    recalls, breaks = Recalls(2, 0.18, 1.0), Breaks(likeness=0.5, wanted="which instrument do I play?")
    recalls.tell = lambda ids, line, who: list(ids)
    recalls.arrived(mine := line("which instrument do I play?", "mira", "1"))
    recalls.arrived(theirs := line("indigestible", "bob", "2"))
    serve = partial(recalls.serve, cast(Index, breaks), cast(Embeddings, breaks))
    async with anyio.create_task_group() as tg:
        tg.start_soon(supervise, "memory", serve, lambda event: None, Patience(first=0.0, most=0.0))
        with anyio.fail_after(10):
            await breaks.reached.wait()
        assert await recalls.get("main", mine) == ["e"]
        assert await recalls.get("main", theirs) == []
        tg.cancel_scope.cancel()
