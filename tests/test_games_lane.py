"""Talking and playing on one server: who waits for whom. A scripted server, real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream

from glue.closing import closing
from glue.mind.openai_llm import AHEAD, OpenAiLlm
from glue.ports import Message, Prompt, Role, Usage
from tests.test_openai_llm import HEAD, client, sends, word

pytestmark = pytest.mark.anyio
SPEECH = Prompt("main", (Message("user", "tom: hello"),))
ACT = Prompt("main", (Message("user", "Your move."),), schema={"type": "object"})


@asynccontextmanager
async def telling(answer: Callable[[SocketStream, bytes], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that reads a whole request before it answers. Yields its address."""

    async def handle(stream: SocketStream) -> None:
        async with stream:
            request = b""
            try:
                while not request.endswith(b"}"):
                    request += await stream.receive()
                await answer(stream, request)
            except (anyio.BrokenResourceError, anyio.EndOfStream):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with anyio.create_task_group() as tg:
        tg.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{port}"
        tg.cancel_scope.cancel()
    await listener.aclose()


async def decided(llm: OpenAiLlm, into: list[str]) -> None:
    async with closing(llm.stream(ACT, Role.ACT)) as pieces:
        into += [piece async for piece in pieces if isinstance(piece, str)]


async def read(pieces: AsyncIterator[str | Usage], count: int) -> None:
    for _ in range(count):
        await anext(pieces)


async def test_a_decision_waits_for_the_first_words_and_not_for_the_sentence() -> None:
    acts = 0

    async def answer(stream: SocketStream, body: bytes) -> None:
        nonlocal acts
        if b"response_format" in body:
            acts += 1
            await sends(HEAD, word("{}"))(stream)
            return
        await stream.send(HEAD)
        while True:
            await stream.send(word("and "))
            await anyio.sleep(0.001)

    found: list[str] = []
    async with telling(answer) as url, client(url) as llm, anyio.create_task_group() as tg:
        async with closing(llm.stream(SPEECH)) as pieces:
            await read(pieces, 1)
            tg.start_soon(decided, llm, found)
            await anyio.sleep(0.1)
            assert not acts  # her first words come first
            with anyio.fail_after(30):
                await read(pieces, AHEAD)
                while not found:
                    await read(pieces, 1)
        assert found == ["{}"]


async def replied(llm: OpenAiLlm) -> None:
    async with closing(llm.stream(SPEECH)) as pieces:
        assert await anext(pieces) == "hello"


async def prepared(llm: OpenAiLlm) -> None:
    await llm.warm(SPEECH)


@pytest.mark.parametrize("first", [replied, prepared])
async def test_a_decision_in_work_gives_way_to_a_reply_and_its_preparation_and_is_not_lost(
    first: Callable[[OpenAiLlm], Awaitable[None]],
) -> None:
    acts = 0
    asked = anyio.Event()

    async def answer(stream: SocketStream, body: bytes) -> None:
        nonlocal acts
        if b"response_format" not in body:
            await sends(HEAD, word("hello"))(stream)
            return
        acts += 1
        asked.set()
        if acts == 1:
            await anyio.sleep_forever()
        await sends(HEAD, word("{}"))(stream)

    found: list[str] = []
    async with telling(answer) as url, client(url) as llm, anyio.create_task_group() as tg:
        tg.start_soon(decided, llm, found)
        with anyio.fail_after(30):
            await asked.wait()
            await first(llm)
    assert (found, acts) == (["{}"], 2)


async def test_what_a_game_wants_at_once_does_not_wait_for_her_first_words() -> None:
    async def answer(stream: SocketStream, body: bytes) -> None:
        if b"response_format" in body:
            await sends(HEAD, word("{}"))(stream)
            return
        await stream.send(HEAD + word("and "))
        await anyio.sleep_forever()

    async with telling(answer) as url, client(url) as llm:
        async with closing(llm.stream(SPEECH)) as pieces:
            await read(pieces, 1)
            with anyio.fail_after(30):
                found = [piece async for piece in llm.stream(ACT, Role.URGENT)]
    assert found[0] == "{}"
