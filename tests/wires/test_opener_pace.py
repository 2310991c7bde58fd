"""Two paced models and one answer: the opener speaks where the main model's measured pace is too slow."""

from __future__ import annotations

import pytest

from glue.closing import closing
from glue.mind.openai_llm import OpenAiLlm
from glue.mind.opened_llm import OpenedLlm
from glue.ports import Message, Opened, Prompt
from glue.settings import When
from tests.wires.test_llm import SLOTS
from tests.wires.test_pace import anyio_backend, engine, proxy

__all__ = ["anyio_backend", "engine", "proxy"]

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
