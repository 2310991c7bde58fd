"""TEXT -> SOUND: the Tts port over Riva's gRPC wire; one SynthesizeOnline stream a clause."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import grpc
from riva.client.proto.riva_tts_pb2 import (
    RivaSynthesisConfigRequest,
    SynthesizeSpeechRequest,
    SynthesizeSpeechResponse,
)
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from glue.errors import PortError, Refused, TooSlow, Unreachable
from glue.ports import Speech
from glue.voice.riva_ask import Asking, Extra, spoken, voices
from glue.voice.riva_meta import Clock, later
from glue.voice.tempo import Tempo, letters

PART = "speech"
LARGEST_MESSAGE = 64 << 20  # bytes; gRPC's own 4 MB are 95 s of sound
UNWILLING = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
CHANNEL: list[tuple[str, Any]] = [
    ("grpc.enable_http_proxy", 0),  # of the environment: gRPC would ask it even for 127.0.0.1
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),  # what one attempt to connect may take
    ("grpc.max_reconnect_backoff_ms", 1000),  # gRPC's own two minutes would outlast a restarted server
    ("grpc.keepalive_time_ms", 60_000),  # only during a call: a quiet line is left alone
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.use_local_subchannel_pool", 1),
]

log = logging.getLogger(__name__)


class Unwilling(Refused):
    """The server will not take this request; it may take a plainer one."""


class RivaTts:
    """A voice behind the Riva wire: our own speech server, a Riva or a speech NIM."""

    def __init__(
        self,
        address: str,
        rate: int,
        language: str = "en-US",
        first_chunk_s: float = 5.0,
        stall_s: float = 3.0,
        word_times: bool = True,
        dictionary: Mapping[str, str] | None = None,
        configuration: Mapping[str, str] | None = None,
        hold_s: float = 0.0,
        pace: float = 14.0,
        whole: float = 0.3,
        shortest_s: float = 0.0,
        emotions: Mapping[str, str] | None = None,
        mood: Callable[[str], str | None] = lambda text: None,
    ) -> None:
        """`address` is host:port, `rate` Hz; conf/speech says what each is for. `mood` reads a clause."""
        self._address = address
        self._first, self._stall = first_chunk_s, stall_s
        self._language, self._rate, self._hold = language, rate, hold_s
        self._tempo = Tempo(pace, whole, shortest_s)
        self._emotions, self._mood = emotions or {}, mood
        self._asking = Asking(language, rate, word_times, dictionary or {}, configuration or {})
        self._voices: frozenset[str] | None = None  # not known yet
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        """Open the channel; it connects, and connects again, by itself."""
        self._channel = grpc.aio.insecure_channel(self._address, options=CHANNEL)
        self._channel.get_state(try_to_connect=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._channel is not None:
            await self._channel.close(None)
            self._channel = None

    async def speak(self, text: str, voice: str) -> AsyncGenerator[Speech, None]:
        """The Tts port. A server that gave only part of the sound is asked once more: for all of it where
        nothing was yielded yet (`hold_s`), else for the words behind where it broke off; half a clause that
        is heard is no reason to end a reply. Twice so little that nothing could be yielded is Refused."""
        words, said = spoken(text, self._language), 0.0
        named = await self._emotional(words, voice)
        for last in (False, True):
            held, length, enough = list[Speech](), 0.0, self._tempo.enough(words, voice)
            async with aclosing(self._willing(words, voice, named)) as chunks:
                async for chunk in chunks:
                    held.append(later(chunk, said))
                    length += len(chunk.pcm) / self._rate
                    if length >= min(enough, self._hold):
                        for speech in held:
                            yield speech
                        held = []
            self._tempo.heard(words, voice, length, again=last)
            if length >= enough:
                return
            log.warning("only %.2f s of sound for %d letters", length, letters(words))
            if not last and length >= self._hold:
                words, said = self._tempo.behind(words, voice, length), length
                if not words:
                    return
        if not said and (length < self._hold or not length):
            raise Refused(PART, f"only {length:.2f} s of sound for {len(words)} characters")
        for speech in held:  # less than is held back of a clause, behind what was heard of it
            yield speech

    async def _willing(self, text: str, voice: str, emotional: str) -> AsyncGenerator[Speech, None]:
        """One stream, asked again without what the server refuses; that is remembered."""
        extras, given_up = self._asking.extras(emotional != voice), None
        while True:
            named = emotional if Extra.EMOTION in extras else voice
            try:
                async with aclosing(self._stream(self._asking.request(text, named, extras))) as chunks:
                    async for chunk in chunks:
                        if given_up is not None:  # it is this one that the server refused, at least
                            self._refuse(given_up, emotional)
                            given_up = None
                        yield chunk
                return
            except Unwilling:
                if not extras:
                    raise
                given_up, *extras = extras

    def _refuse(self, extra: Extra, voice: str) -> None:
        if extra is Extra.EMOTION:
            self._voices = (self._voices or frozenset()) - {voice}
        else:
            self._asking.refused.add(extra)

    async def _emotional(self, text: str, voice: str) -> str:
        """The voice in the mood of these words, where the server has it; otherwise the plain one."""
        emotion = self._emotions.get(self._mood(text) or "") if self._emotions else None
        if emotion is None:
            return voice
        name = f"{voice}.{emotion}"
        return name if name in await self._discovered() else voice

    async def _discovered(self) -> frozenset[str]:
        """The server's voices; asked once, or again while it has none: one that is loading lists none yet.
        None at all where it cannot say: then nothing is tried."""
        if self._voices is None:
            call = RivaSpeechSynthesisStub(self._open()).GetRivaSynthesisConfig(RivaSynthesisConfigRequest())
            try:
                self._voices = voices(await self._within(self._first, call)) or None
            except TooSlow:
                self._voices = frozenset()
            except grpc.aio.AioRpcError as error:
                if error.code() in AWAY:  # it may be back for the next clause
                    return frozenset()
                self._voices = frozenset()
        return self._voices or frozenset()

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            raise Unreachable(PART, "the adapter is not open")
        return self._channel

    async def _stream(self, request: SynthesizeSpeechRequest) -> AsyncGenerator[Speech, None]:
        """One stream: a clause's chunks with their timings. Closing it cancels the call."""
        call = RivaSpeechSynthesisStub(self._open()).SynthesizeOnline()
        clock, heard = Clock(), False
        try:
            wait = self._first
            await self._within(wait, call.write(request))
            await self._within(wait, call.done_writing())
            while (answer := await self._next(call, wait)) is not None:
                if speech := clock.read(answer):
                    wait, heard = self._stall, True
                    yield speech
        except grpc.aio.AioRpcError as error:
            if error.code() in UNWILLING and not heard:
                raise Unwilling(PART, f"{error.code().name}: {error.details()}") from error
            raise _translated(error, self._address) from error
        finally:
            call.cancel()

    async def _next(self, call: Any, seconds: float) -> SynthesizeSpeechResponse | None:
        answer = await self._within(seconds, call.read())
        return answer if isinstance(answer, SynthesizeSpeechResponse) else None  # else grpc.aio.EOF

    async def _within(self, seconds: float, work: Awaitable[Any]) -> Any:
        """What gRPC gives in time. It runs as a task of its own: cancelled in the middle of one of its
        awaits, grpc.aio raises a CancelledError of its own making, which is not the cut reply's any more: it
        ended the show, in one cut of four right before the first sound."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(_looked_at)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            task.cancel()
        if not task.done() or task.cancelled():
            raise TooSlow(PART, f"no sound within {seconds:g} s")
        try:
            return task.result()
        except (asyncio.InvalidStateError, grpc.aio.BaseError) as error:  # for a call that has ended
            raise Unreachable(PART, f"{self._address} hung up") from error


def _looked_at(task: asyncio.Future[Any]) -> None:
    """An error of a call that nobody waits for any more is nobody's."""
    if not task.cancelled():
        task.exception()


def _translated(error: grpc.aio.AioRpcError, address: str) -> PortError:
    if error.code() in AWAY:
        return Unreachable(PART, f"{address} cannot be reached ({error.details()})")
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TooSlow(PART, str(error.details()))
    return Refused(PART, f"{error.code().name}: {error.details()}")
