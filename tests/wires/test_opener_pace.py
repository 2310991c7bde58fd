"""Two paced models and one answer: the opener speaks where the main model's measured pace is too slow."""

from __future__ import annotations

import json

import anyio
import httpx
import pytest

from glue.closing import closing
from glue.mind.opened_llm import OpenedLlm
from glue.ports import Message, Opened, Prompt
from glue.settings import When
from tests.wires.llm_server import LONG, patient, until_at_work
from tests.wires.test_opener_ids import SMALL, sent

__all__ = ["sent"]

pytestmark = pytest.mark.anyio
PROMPT = Prompt("main", (Message("user", "tom: tell me about the moon"),), max_tokens=24, temperature=0.0)


@pytest.mark.parametrize(("soon", "opens"), [(0.4, True), (20.0, False)])
async def test_auto_goes_by_the_pace_that_the_main_model_keeps(proxy: str, soon: float, opens: bool) -> None:
    """Ten words of its need 0.12 s and 13 tokens of 50 ms: more than 0.4 s."""
    async with (
        patient(f"{proxy}/main") as main,
        patient(f"{proxy}/opener", SMALL) as small,
        OpenedLlm(main, small, When.auto, words=10, soon=soon, within=60) as llm,
    ):
        await llm.settle(PROMPT)
        async with closing(llm.stream(PROMPT)) as pieces:
            opened = [piece async for piece in pieces if isinstance(piece, Opened)]
    assert [piece.tokens > 3 for piece in opened] == [True] * opens


@pytest.mark.parametrize(("words", "working"), [(1600, 1), (4, 0)], ids=["opener", "continuation"])
async def test_a_barge_in_stops_the_model_that_speaks_and_asks_the_other_nothing(
    proxy: str, engine: str, sent: list[httpx.Request], words: int, working: int
) -> None:
    """Cut while the small one speaks, or while the large one goes on: soon no slot of the engine works."""
    async with (
        patient(f"{proxy}/main") as main,
        patient(f"{proxy}/opener", SMALL) as small,
        OpenedLlm(main, small, When.always, words=words, within=60, patience=60) as llm,
    ):
        came: list[object] = []
        with anyio.CancelScope() as turn:
            async with closing(llm.stream(LONG)) as pieces:
                async for piece in pieces:
                    came.append(piece)
                    opened = any(isinstance(each, Opened) for each in came)
                    if isinstance(piece, str) and opened is (working == 0):
                        await until_at_work(engine, working)
                        turn.cancel()
        assert turn.cancelled_caught
        written = (await until_at_work(engine))[working]
    asked = [request for request in sent if request.url.path.endswith("/completions")]
    assert [request.url.path.split("/")[1] for request in asked] == ["opener", "main"][: 2 - working]
    assert written < json.loads(asked[-1].content)["max_tokens"]
