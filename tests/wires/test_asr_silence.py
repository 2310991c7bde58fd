"""A microphone that gives nothing for a while, and a server that ends quiet streams, as a speech NIM does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import anyio
import grpc
import numpy as np
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from riva.client.proto import riva_asr_pb2, riva_asr_pb2_grpc

from glue.closing import closing
from glue.errors import TooSlow
from glue.events import Event, LineArrived, PartDegraded, PartRecovered
from glue.ports import Pcm
from glue.senses import hearing, riva_asr
from glue.senses.hearing import RATE, hear, steady
from glue.senses.riva_asr import RivaAsr

KEPT = 3  # blocks of a little silence that are waited for
WORD: Pcm = np.full(1600, 9000, np.int16)


class Impatient(riva_asr_pb2_grpc.RivaSpeechRecognitionServicer):  # type: ignore[misc]  # generated, untyped
    """Hears a word in every loud block; its first stream is ended when behind a word it sends nothing for
    `patience` seconds. A NIM's are 8 to 10 minutes."""

    def __init__(self, patience: float = 30.0) -> None:
        self._patience = patience
        self.streams = 0
        self.silence = 0  # blocks that were sent in which nothing is
        self.kept = anyio.Event()  # KEPT of them were

    async def StreamingRecognize(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        self.streams += 1
        words = 0
        pieces = aiter(requests)
        while True:
            with anyio.move_on_after(self._patience if words and self.streams == 1 else None) as scope:
                request: Any = await anext(pieces, None)
                if request is None:
                    return
            if scope.cancelled_caught:
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no audio for too long")
            if np.frombuffer(request.audio_content, "<i2").any():
                words += 1
                yield final(f"word {words} of stream {self.streams}")
            elif request.audio_content:
                self.silence += 1
                if self.silence == KEPT:
                    self.kept.set()


def final(text: str) -> Any:
    said = riva_asr_pb2.SpeechRecognitionAlternative(transcript=text)
    result = riva_asr_pb2.StreamingRecognitionResult(alternatives=[said], is_final=True)
    return riva_asr_pb2.StreamingRecognizeResponse(results=[result])


class HeldKey:
    """The page's microphone: sound while the key is held, else nothing at all."""

    def __init__(self) -> None:
        self.send, self.receive = anyio.create_memory_object_stream[Pcm](10)

    async def heard(self) -> Pcm:
        return await self.receive.receive()


@asynccontextmanager
async def serving(server: Any) -> AsyncIterator[str]:
    """Its address."""
    riva = grpc.aio.server()
    riva_asr_pb2_grpc.add_RivaSpeechRecognitionServicer_to_server(server, riva)
    port = riva.add_insecure_port("127.0.0.1:0")
    await riva.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await riva.stop(0)


@asynccontextmanager
async def listened(
    server: Impatient, key: HeldKey, events: MemoryObjectSendStream[Event]
) -> AsyncIterator[None]:
    """Ears on the server."""

    async def collect(asr: RivaAsr) -> None:
        async with closing(hear(asr, lambda: steady(key.heard), "mika", "page")) as heard:
            async for event in heard:
                await events.send(event)

    async with serving(server) as address, RivaAsr(address) as asr, anyio.create_task_group() as tg:
        tg.start_soon(collect, asr)
        yield
        tg.cancel_scope.cancel()


class Told:
    """What the ears tell, in order."""

    def __init__(self, events: MemoryObjectReceiveStream[Event]) -> None:
        self._events = events
        self.seen = list[Event]()

    async def until(self, kind: type[Event]) -> None:
        """Wait for the next of this kind."""
        while True:
            self.seen.append(await self._events.receive())
            if isinstance(self.seen[-1], kind):
                return


async def _said(server: Impatient, silence: Callable[[Told], Awaitable[None]]) -> tuple[list[Event], float]:
    """A word, a silence, a word; what was told of it, and the seconds that it took."""
    key, began = HeldKey(), anyio.current_time()
    into, events = anyio.create_memory_object_stream[Event](100)
    with key.send, key.receive, into, events, anyio.fail_after(60):
        async with listened(server, key, into):
            told = Told(events)
            await key.send.send(WORD)
            await told.until(LineArrived)
            await silence(told)
            await key.send.send(WORD)
            await told.until(LineArrived)
    return told.seen, anyio.current_time() - began


# Each in a loop of its own: what gRPC still has to say to other tests' loops is no failure of this one.


def test_a_little_silence_keeps_the_stream_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "KEEP_ALIVE", 0.3)
    server = Impatient()
    events, took = anyio.run(_said, server, lambda told: server.kept.wait())
    assert [e.line.text for e in events if isinstance(e, LineArrived)] == [
        "word 1 of stream 1",
        "word 2 of stream 1",
    ]
    assert not any(isinstance(e, PartDegraded) for e in events) and server.streams == 1
    assert server.silence <= 1 + took / 0.3, "now and then, not all the time"


def test_without_it_the_server_ends_the_stream_and_she_listens_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "KEEP_ALIVE", 1000.0)
    events, _ = anyio.run(_said, Impatient(patience=0.3), lambda told: told.until(PartDegraded))
    assert [type(e) for e in events] == [LineArrived, PartDegraded, PartRecovered, LineArrived]


class Restarted(Impatient):
    """Away at first."""

    async def StreamingRecognize(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        if not self.streams:
            self.streams += 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "it starts")
        async for answer in super().StreamingRecognize(requests, context):
            yield answer


async def _restarted() -> list[Event]:
    key, seen = HeldKey(), list[Event]()
    into, events = anyio.create_memory_object_stream[Event](100)
    with key.send, key.receive, into, events, anyio.fail_after(60):
        async with listened(Restarted(), key, into):
            seen += [await events.receive(), await events.receive()]
    return seen


def test_a_server_that_came_back_in_a_silence_is_told_of_before_anybody_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "KEEP_ALIVE", 0.1)
    monkeypatch.setattr(riva_asr, "LIVES", 0.3)
    assert [type(e) for e in anyio.run(_restarted)] == [PartDegraded, PartRecovered]


class Hung(riva_asr_pb2_grpc.RivaSpeechRecognitionServicer):  # type: ignore[misc]  # generated, untyped
    """Takes calls, and looks at none."""

    async def StreamingRecognize(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        await anyio.sleep_forever()
        yield


async def _endless() -> AsyncIterator[Pcm]:
    while True:
        yield np.zeros(RATE, np.int16)


async def _hung() -> None:
    with anyio.fail_after(60):
        await _heard_by(Hung())


async def _heard_by(server: Any) -> None:
    async with (
        serving(server) as address,
        RivaAsr(address) as asr,
        closing(asr.listen(_endless())) as heard,
    ):
        async for _ in heard:
            pass


def test_a_server_that_takes_no_more_sound_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(riva_asr, "HANGS", 0.5)
    with pytest.raises(TooSlow, match="has taken no sound"):
        anyio.run(_hung)


class Slow(Hung):
    """Answers nothing, on any call, before it is told to."""

    def __init__(self) -> None:
        self.answers = anyio.Event()

    async def StreamingRecognize(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        await self.answers.wait()
        yield final("at last")


class Microphone:
    """Floods the first call, so that it is given up; then gives as much sound as is made."""

    def __init__(self) -> None:
        self.calls = 0
        self.tried = anyio.Event()  # a later call has taken sound for long enough

    async def sound(self) -> AsyncIterator[Pcm]:
        self.calls += 1
        if self.calls == 1:
            async for pcm in _endless():
                yield pcm
        for block in count():
            yield hearing.QUIET
            await anyio.sleep(0.05)
            if block == 20:
                self.tried.set()


async def _slow() -> list[Event]:
    server, microphone, seen = Slow(), Microphone(), list[Event]()

    async def collect(address: str, done: anyio.Event) -> None:
        async with (
            RivaAsr(address) as asr,
            closing(hear(asr, microphone.sound, "mika", "page")) as heard,
        ):
            async for event in heard:
                seen.append(event)
                if isinstance(event, LineArrived):
                    done.set()

    with anyio.fail_after(60):
        async with serving(server) as address, anyio.create_task_group() as tg:
            tg.start_soon(collect, address, done := anyio.Event())
            await microphone.tried.wait()
            assert [type(e) for e in seen] == [PartDegraded]
            server.answers.set()
            await done.wait()
            tg.cancel_scope.cancel()
    return seen


def test_a_server_that_took_sound_for_nothing_is_back_with_its_first_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(riva_asr, "HANGS", 0.5)
    monkeypatch.setattr(riva_asr, "LIVES", 0.3)
    assert [type(e) for e in anyio.run(_slow)] == [PartDegraded, PartRecovered, LineArrived]


def test_it_comes_well_before_a_nims_patience_ends() -> None:
    assert hearing.KEEP_ALIVE < 8 * 60 / 10 and not hearing.QUIET.any()


class Leaving(Impatient):
    """Ends its first stream behind a word, as if all had been said."""

    async def StreamingRecognize(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for answer in super().StreamingRecognize(requests, context):
            yield answer
            if self.streams == 1:
                return


def test_a_server_that_ends_a_stream_in_good_order_is_listened_to_again() -> None:
    """The sense seemed to have come to its end: she was deaf for the rest of the evening, without a word."""
    server = Leaving()

    async def until_told(told: Told) -> None:
        await told.until(PartDegraded)

    seen, _ = anyio.run(_said, server, until_told)
    kinds = [type(event) for event in seen]
    assert kinds == [LineArrived, PartDegraded, PartRecovered, LineArrived] and server.streams == 2
    assert isinstance(seen[1], PartDegraded) and "ended the stream" in seen[1].why
