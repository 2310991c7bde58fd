"""The OpenAI adapter against a server that misbehaves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream

from glue.closing import closing
from glue.errors import PortError, Refused, TooSlow, Unreachable
from glue.mind.openai_llm import Extensions, OpenAiLlm
from glue.ports import Message, Prompt, Role, Usage

pytestmark = pytest.mark.anyio
PROMPT = Prompt("main", (Message("user", "tom: hello"),), max_tokens=8)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
Answer = Callable[[SocketStream], Awaitable[None]]


def word(text: str) -> bytes:
    return b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % text.encode()


def sends(*pieces: bytes, then_hang: bool = False) -> Answer:
    async def answer(client: SocketStream) -> None:
        for piece in pieces:
            await client.send(piece)
            await anyio.sleep(0.01)  # a packet of its own
        if then_hang:
            await anyio.sleep_forever()

    return answer


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """Reads a request's head and body as they come, then does what `answer` says. Yields its address."""

    async def handle(client: SocketStream) -> None:
        async with client:
            try:
                await _request(client)
                await answer(client)
            except (anyio.BrokenResourceError, anyio.EndOfStream):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with anyio.create_task_group() as tg:
        tg.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{port}"
        tg.cancel_scope.cancel()
    await listener.aclose()


async def _request(client: SocketStream) -> None:
    """Read it to its end: who hangs up on bytes that were not read resets the connection."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await client.receive()
    length = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(length[1]) - len(head.partition(b"\r\n\r\n")[2]) if length else 0
    while left > 0:
        left -= len(await client.receive())


def client(url: str, first: float = 30.0, stall: float = 30.0) -> OpenAiLlm:
    return OpenAiLlm(url, {}, {}, Extensions.NONE, first_token_s=first, stall_s=stall)


async def said(answer: Answer, **patience: float) -> list[str | Usage]:
    """All that the adapter yields; its error is raised outside the server's task group."""
    found: list[str | Usage] = []
    error: PortError | None = None
    async with server(answer) as url, client(url, **patience) as llm:
        try:
            async with closing(llm.stream(PROMPT)) as pieces:
                async for piece in pieces:
                    found.append(piece)
        except PortError as raised:
            error = raised
    if error is not None:
        raise error
    return found


async def test_text_then_usage_however_the_bytes_are_cut() -> None:
    usage = (
        b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,'
        b'"prompt_tokens_details":{"cached_tokens":4}}}\n\n'
    )
    body = word("h\u00e9") + b": a comment\r\n\r\n" + word("llo") + usage + b"data: [DONE]\n\n"
    whole = await said(sends(HEAD, body))
    assert whole == ["h\u00e9", "llo", Usage(9, 4, 2)]
    assert await said(sends(HEAD, *(body[at : at + 7] for at in range(0, len(body), 7)))) == whole


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (sends(HEAD, then_hang=True), TooSlow, "no first token"),
        (sends(HEAD, b": still here\n\n", then_hang=True), TooSlow, "no first token"),
        (sends(then_hang=True), TooSlow, "within"),
        (sends(HEAD, word("one"), then_hang=True), TooSlow, "stalled"),
        (sends(HEAD, b"data: {half a lin", then_hang=True), TooSlow, "no first token"),
        (sends(HEAD, b"data: {half a lin"), Refused, "JSON"),
        (sends(HEAD, b"data: [1, 2]\n\n"), Refused, "object"),
        (sends(HEAD, b"<html>hello</html>\n\n"), Refused, "event stream"),
        (sends(HEAD, b'data: {"error":{"message":"out of luck"}}\n\n'), Refused, "out of luck"),
        (sends(HEAD, b'data: {"x": "\xff\xfe"}\n\n'), Refused, "utf-8"),
        (sends(HEAD, b"data: " + b"[" * 50_000 + b"\n\n"), Refused, "JSON"),
        (sends(HEAD, b"x" * 1_100_000, b"x" * 1_100_000), Refused, "without an end"),
        (sends(b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops"), Refused, "HTTP 500: oops"),
        (sends(b'HTTP/1.1 400 No\r\nContent-Length: 21\r\n\r\n{"error":"too large"}'), Refused, "too large"),
        (sends(b"HTTP/1.1 404 No\r\nContent-Length: 400\r\n\r\nhalf", then_hang=True), TooSlow, "error"),
        (sends(b"\x00\x01 not http at all\r\n\r\n"), Unreachable, "Protocol"),
        (sends(), Unreachable, "Protocol"),
    ],
)
async def test_bad_servers_are_named(answer: Answer, error: type[PortError], why: str) -> None:
    soon: dict[str, float] = {}
    if error is TooSlow:  # the head has to come within the time of the first token, too
        soon = {"stall": 0.5} if why in ("stalled", "error") else {"first": 2.0 if "token" in why else 0.5}
    with anyio.fail_after(20), pytest.raises(error, match=why) as caught:
        await said(answer, **soon)
    assert caught.value.quoted is (error is Refused), "what a server says may hold the prompt"


async def test_nobody_there(port: int) -> None:
    async with client(f"http://127.0.0.1:{port}") as llm:
        with pytest.raises(Unreachable):
            async for _ in llm.stream(PROMPT):
                raise AssertionError
        with pytest.raises(Unreachable):
            await llm.warm(PROMPT)


@pytest.mark.parametrize("body", [b"data: [DONE]\n\n", b"", b'data: {"choices":[{"delta":{}}]}\n\n'])
async def test_nothing_to_say_is_not_an_error(body: bytes) -> None:
    assert await said(sends(HEAD, body)) == []


async def test_closing_the_iterator_hangs_up() -> None:
    hung_up = anyio.Event()

    async def endless(stream: SocketStream) -> None:
        await stream.send(HEAD)
        try:
            while True:
                await stream.send(word("and "))
                await anyio.sleep(0.005)
        finally:
            hung_up.set()

    async with server(endless) as url, client(url) as llm:
        async with closing(llm.stream(PROMPT)) as pieces:
            assert [await anext(pieces) for _ in range(3)] == ["and "] * 3
        with anyio.fail_after(20):
            await hung_up.wait()


async def test_background_work_gives_way_starts_again_and_is_not_lost() -> None:
    requests, asked = 0, anyio.Event()

    async def slow_at_first(stream: SocketStream) -> None:
        nonlocal requests
        requests += 1
        asked.set()
        if requests == 1:
            await anyio.sleep_forever()
        await sends(HEAD, word(f"answer {requests}"))(stream)

    answers: list[str | Usage] = []

    async def background(llm: OpenAiLlm) -> None:
        async with closing(llm.stream(PROMPT, Role.BACKGROUND)) as pieces:
            answers.extend([piece async for piece in pieces])

    async with server(slow_at_first) as url, client(url) as llm, anyio.create_task_group() as tg:
        tg.start_soon(background, llm)
        with anyio.fail_after(20):
            await asked.wait()
            async with closing(llm.stream(PROMPT)) as speech:
                assert await anext(speech) == "answer 2"
                assert not answers
    assert answers[0] == "answer 3"
