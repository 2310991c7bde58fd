"""Two paced models and one answer: the opener speaks where the main model's measured pace is too slow."""

from __future__ import annotations

import anyio
import httpx
import pytest

from glue.closing import closing
from glue.mind.openai_llm import OpenAiLlm
from glue.mind.opened_llm import OpenedLlm
from glue.ports import Message, Opened, Prompt
from glue.settings import When
from tests.wires.test_llm import LONG, SLOTS, at_work, until_busy
from tests.wires.test_opener_ids import sent
from tests.wires.test_pace import engine, proxy

__all__ = ["engine", "proxy", "sent"]

pytestmark = pytest.mark.anyio
PROMPT = Prompt("main", (Message("user", "tom: tell me about the moon"),), max_tokens=24, temperature=0.0)


@pytest.mark.parametrize(("soon", "opens"), [(0.4, True), (20.0, False)])
@pytest.mark.alone
async def test_auto_goes_by_the_pace_that_the_main_model_keeps(proxy: str, soon: float, opens: bool) -> None:
    """Ten words of its need 0.12 s and 13 tokens of 50 ms: more than 0.4 s."""
    async with (
        OpenAiLlm(f"{proxy}/main", {}, SLOTS) as main,
        OpenAiLlm(f"{proxy}/opener", {}, {"main": 1, "background": 2}) as small,
        OpenedLlm(main, small, When.auto, words=10, soon=soon, within=10) as llm,
    ):
        await llm.settle(PROMPT)
        async with closing(llm.stream(PROMPT)) as pieces:
            opened = [piece async for piece in pieces if isinstance(piece, Opened)]
    assert [piece.tokens > 3 for piece in opened] == [True] * opens


@pytest.mark.parametrize(("words", "working"), [(300, 1), (4, 0)], ids=["opener", "continuation"])
async def test_a_barge_in_stops_the_model_that_speaks_and_asks_the_other_nothing(
    proxy: str, engine: str, sent: list[httpx.Request], words: int, working: int
) -> None:
    """Cut while the small one speaks, or while the large one goes on: soon no slot of the engine works."""
    async with (
        OpenAiLlm(f"{proxy}/main", {}, SLOTS) as main,
        OpenAiLlm(f"{proxy}/opener", {}, {"main": 1, "background": 2}) as small,
        OpenedLlm(main, small, When.always, words=words, within=10, patience=10) as llm,
    ):
        await until_busy(engine, False)
        came: list[object] = []
        with anyio.CancelScope() as turn:
            async with closing(llm.stream(LONG)) as pieces:
                async for piece in pieces:
                    came.append(piece)
                    opened = any(isinstance(each, Opened) for each in came)
                    if isinstance(piece, str) and opened is (working == 0):
                        assert await at_work(engine) == {working}
                        turn.cancel()
        assert turn.cancelled_caught
        assert await until_busy(engine, False) < 1.0
    asked = [request.url.path.split("/")[1] for request in sent if request.url.path.endswith("/completions")]
    assert asked == ["opener", "main"][: 2 - working]
