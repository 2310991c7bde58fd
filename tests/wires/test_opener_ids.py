"""The opener's tokens against the real server: it tells them, reads them, and goes on behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from glue.closing import closing
from glue.mind.openai_llm import Extensions, OpenAiLlm
from glue.mind.opened_llm import OpenedLlm
from glue.ports import Message, Opened, Prompt, Sampled, Usage
from glue.settings import When
from tests.wires.llm_server import patient

pytestmark = pytest.mark.anyio
SAID = (Message("system", "You are Spark. Be brief."), Message("user", "tom: tell me about the moon"))
PROMPT = Prompt("main", SAID, max_tokens=40, temperature=0.0)
SAME = 6  # letters behind the seam; what is evaluated in other pieces may come out a little different later
SMALL = {"main": 1, "background": 2}  # the opener's slot: another one on the same server


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[httpx.Request]]:
    """Every request, as it goes out."""
    requests: list[httpx.Request] = []
    build = httpx.AsyncClient.build_request

    def noted(self: httpx.AsyncClient, *words: object, **more: object) -> httpx.Request:
        requests.append(build(self, *words, **more))  # type: ignore[arg-type]
        return requests[-1]

    monkeypatch.setattr(httpx.AsyncClient, "build_request", noted)
    yield requests


@pytest.fixture
async def pair(engine: str) -> AsyncIterator[tuple[OpenAiLlm, OpenAiLlm]]:
    async with (
        patient(engine) as main,
        patient(engine, SMALL) as small,
    ):
        yield main, small


async def answered(llm: OpenAiLlm | OpenedLlm, prompt: Prompt) -> tuple[str, Opened | None, Usage]:
    text, opened, usage = "", None, Usage(0, 0, 0)
    async with closing(llm.stream(prompt)) as pieces:
        async for piece in pieces:
            if isinstance(piece, str):
                text += piece
            elif isinstance(piece, Opened):
                opened = piece
            else:
                usage = piece
    return text, opened, usage


async def test_the_server_tells_the_tokens_of_each_piece_and_reads_them(
    pair: tuple[OpenAiLlm, OpenAiLlm],
) -> None:
    main, _ = pair
    await main.warm(PROMPT)  # a prompt that is evaluated in one piece comes out a little different
    plain, _, _ = await answered(main, PROMPT)
    prompt = Prompt("main", SAID, max_tokens=40, temperature=0.0, tell_ids=True)
    pieces = [piece async for piece in main.stream(prompt) if isinstance(piece, str)]
    assert "".join(pieces) == plain
    ids = [id for piece in pieces if isinstance(piece, Sampled) for id in piece.ids]
    assert len(ids) >= len(pieces) > 3
    assert await main.read(ids) == plain


async def test_no_word_is_lost_or_said_again_at_the_seam(
    pair: tuple[OpenAiLlm, OpenAiLlm], sent: list[httpx.Request]
) -> None:
    """At temperature 0 the two, the same model, must say what one says alone."""
    main, small = pair
    for each in pair:
        await each.warm(PROMPT)
    alone, _, counted = await answered(main, PROMPT)
    async with OpenedLlm(main, small, When.always, words=8) as llm:
        text, opened, usage = await answered(llm, PROMPT)
    assert opened is not None and opened.tokens > 4 and alone.startswith(opened.text)
    assert text.startswith(alone[: len(opened.text) + SAME])
    assert sent[-1].url.path == "/v1/completions"
    assert usage.prompt_tokens == counted.prompt_tokens + opened.tokens


async def test_text_goes_where_tokens_are_not_wanted_or_not_understood(
    pair: tuple[OpenAiLlm, OpenAiLlm], engine: str, sent: list[httpx.Request]
) -> None:
    main, small = pair
    async with OpenedLlm(main, small, When.always, words=8, ids=False) as llm:
        by_text, opened, _ = await answered(llm, PROMPT)
    assert opened is not None and opened.tokens == 0
    seam = len(opened.text)
    assert sent[-1].url.path == "/v1/chat/completions"
    async with (
        patient(engine, {}, extensions=Extensions.VLLM) as other,
        OpenedLlm(other, small, When.always, words=8) as llm,
    ):
        text, opened, _ = await answered(llm, PROMPT)
    assert opened is not None and opened.tokens == 0
    assert text[: seam + SAME] == by_text[: seam + SAME]
