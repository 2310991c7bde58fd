"""TEXT -> SOUND: the Tts port over Riva's gRPC wire; one SynthesizeOnline stream a clause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import grpc
from riva.client.proto.riva_audio_pb2 import AudioEncoding
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest, SynthesizeSpeechResponse
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from glue.errors import PortError, Refused, TooSlow, Unreachable
from glue.ports import Speech
from glue.voice.riva_meta import Clock

PART = "speech"
LARGEST_MESSAGE = 64 << 20  # bytes; gRPC's own 4 MB are 95 s of sound
UNSPEAKABLE = str.maketrans("*{}<>", "     ")  # Magpie chokes on them
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
CHANNEL: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),  # what one attempt to connect may take
    ("grpc.max_reconnect_backoff_ms", 1000),  # gRPC's own two minutes would outlast a restarted server
    ("grpc.keepalive_time_ms", 60_000),  # only during a call: a quiet line is left alone
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.use_local_subchannel_pool", 1),
]


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
        fastest: float = 40.0,
    ) -> None:
        """`address` is host:port, `rate` Hz; conf/speech says what each is for."""
        self._address = address
        self._first, self._stall = first_chunk_s, stall_s
        self._rate, self._hold, self._fastest = rate, hold_s, fastest
        self._request = SynthesizeSpeechRequest(
            language_code=language,
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hz=rate,
            custom_dictionary=",".join(f"{word}  {ipa}" for word, ipa in (dictionary or {}).items()),
            custom_configuration=dict(configuration or {}),
            enable_word_time_offsets=word_times,
        )
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
        """The Tts port. A server that gave only part of the sound is asked once more, if nothing was yielded
        yet (`hold_s`); after that, half a clause is Refused."""
        spoken = " ".join(text.translate(UNSPEAKABLE).split())
        enough = sum(c.isalnum() for c in spoken) / self._fastest
        for attempt in (1, 2):
            held: list[Speech] = []
            length, yielded = 0.0, False
            async with aclosing(self._stream(spoken, voice)) as chunks:
                async for chunk in chunks:
                    held.append(chunk)
                    length += len(chunk.pcm) / self._rate
                    if length >= min(enough, self._hold):
                        for speech in held:
                            yield speech
                        held, yielded = [], True
            if length >= enough:
                return
            if attempt == 2 or yielded:
                raise Refused(PART, f"only {length:.2f} s of sound for {len(spoken)} characters")

    async def _stream(self, text: str, voice: str) -> AsyncGenerator[Speech, None]:
        """One stream: a clause's chunks with their timings. Closing it cancels the call."""
        if self._channel is None:
            raise Unreachable(PART, "the adapter is not open")
        request = SynthesizeSpeechRequest(text=text, voice_name=voice)
        request.MergeFrom(self._request)
        call = RivaSpeechSynthesisStub(self._channel).SynthesizeOnline()
        clock = Clock()
        try:
            wait = self._first
            await self._within(wait, call.write(request))
            await self._within(wait, call.done_writing())
            while (answer := await self._next(call, wait)) is not None:
                if speech := clock.read(answer):
                    wait = self._stall
                    yield speech
        except grpc.aio.AioRpcError as error:
            raise _translated(error, self._address) from error
        finally:
            call.cancel()

    async def _next(self, call: Any, seconds: float) -> SynthesizeSpeechResponse | None:
        answer = await self._within(seconds, call.read())
        return answer if isinstance(answer, SynthesizeSpeechResponse) else None  # else grpc.aio.EOF

    async def _within(self, seconds: float, work: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError as error:
            raise TooSlow(PART, f"no sound within {seconds:g} s") from error
        except asyncio.InvalidStateError as error:  # grpc.aio's word for a write on a call that has ended
            raise Unreachable(PART, f"{self._address} hung up") from error


def _translated(error: grpc.aio.AioRpcError, address: str) -> PortError:
    if error.code() in AWAY:
        return Unreachable(PART, f"{address} cannot be reached ({error.details()})")
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TooSlow(PART, str(error.details()))
    return Refused(PART, f"{error.code().name}: {error.details()}")
