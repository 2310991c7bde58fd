"""WORLD -> EVENTS: the Asr port over Riva's gRPC wire; one StreamingRecognize stream for a whole evening."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import anyio
import grpc
from riva.client.proto.riva_asr_pb2 import (
    RecognitionConfig,
    StreamingRecognitionConfig,
    StreamingRecognizeRequest,
    StreamingRecognizeResponse,
)
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from glue.closing import closing
from glue.errors import PortError, Refused, TooSlow, Unreachable
from glue.ports import Pcm, Words
from glue.senses.spoken import Spoken

PART = "ears"
RATE = 16_000  # Hz
CLOSING = 0.2  # seconds that a microphone may take to close
LOOK = 0.5  # seconds between two looks at how a call fares that says nothing
LIVES = 2.0  # seconds after which a call that takes sound is of use, whether or not anybody speaks
HANGS = 10.0  # seconds that a server may leave sound lying: one that hangs still answers gRPC's keep-alive
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED)
CHANNEL: list[tuple[str, Any]] = [
    ("grpc.enable_http_proxy", 0),  # of the environment: gRPC would ask it even for 127.0.0.1
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),  # gRPC's own two minutes would outlast a restarted server
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.use_local_subchannel_pool", 1),
]


class RivaAsr:
    """Ears behind the Riva wire: our own recognition server, a Riva or a speech NIM."""

    def __init__(self, address: str, language: str = "en-US", model: str = "") -> None:
        """`address` is host:port; `model` "": the server's own choice."""
        self._address, self._language, self._model = address, language, model
        self._channel: grpc.aio.Channel | None = None
        self._hung = False  # it took sound for nothing, and has answered nothing since

    async def __aenter__(self) -> Self:
        """Open the channel; it connects, and connects again, by itself."""
        self._channel = grpc.aio.insecure_channel(self._address, options=CHANNEL)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._channel is not None:
            await self._channel.close(None)
            self._channel = None

    async def listen(self, sound: AsyncIterator[Pcm]) -> AsyncGenerator[Words, None]:
        """The Asr port."""
        if self._channel is None:
            raise Unreachable(PART, "the adapter is closed")
        spoken, taking, waits = Spoken(), Taking(self._hung), anyio.CancelScope()

        def waiting() -> anyio.CancelScope:
            """For one piece of sound."""
            nonlocal waits
            waits = anyio.CancelScope()
            return waits

        requests = self._requests(sound, spoken, taking, waiting)
        call = RivaSpeechRecognitionStub(self._channel).StreamingRecognize(requests)
        reading = _read(call)
        try:
            while True:
                await asyncio.wait({reading}, timeout=LOOK)
                if taking.lives(anyio.current_time()):
                    yield Words("", False)
                if reading.done():
                    if not isinstance(answer := reading.result(), StreamingRecognizeResponse):
                        self._ended(taking)  # it is gRPC's mark of the end
                        return
                    reading = _read(call)
                    for words in self._heard(answer, spoken):
                        yield words
                elif taking.hangs(anyio.current_time()):
                    self._hung = True
                    raise TooSlow(PART, f"{self._address} has taken no sound for {HANGS:.0f} s")
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error
        finally:
            call.cancel()
            waits.cancel()  # gRPC leaves a call that failed waiting there: it would take the next one's sound
            reading.cancel()
            with suppress(RuntimeError), anyio.move_on_after(CLOSING, shield=True):
                await asyncio.wait({reading})
                await requests.aclose()  # it is running, which is that error, where it was waiting

    async def _requests(
        self,
        sound: AsyncIterator[Pcm],
        spoken: Spoken,
        taking: Taking,
        waiting: Callable[[], anyio.CancelScope],
    ) -> AsyncGenerator[StreamingRecognizeRequest, None]:
        config = RecognitionConfig(
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hertz=RATE,
            language_code=self._language,
            model=self._model,
            max_alternatives=1,
            enable_automatic_punctuation=True,
        )
        yield StreamingRecognizeRequest(
            streaming_config=StreamingRecognitionConfig(config=config, interim_results=True)
        )
        async with closing(sound) as chunks:
            while True:
                pcm: Pcm | None = None
                with waiting():
                    pcm = await anext(chunks, None)
                if pcm is None:
                    taking.over = True
                    return
                spoken.sent(len(pcm) / RATE, now := anyio.current_time())
                taking.offered(now)
                yield StreamingRecognizeRequest(audio_content=pcm.astype("<i2").tobytes())
                taking.taken()

    def _heard(self, answer: StreamingRecognizeResponse, spoken: Spoken) -> list[Words]:
        alive = [Words("", False)] if self._hung else []
        self._hung = False
        return [*alive, *_words(answer, spoken)]

    def _ended(self, taking: Taking) -> None:
        """The call is over. Raises Unreachable where the sound is not: she would be deaf from then on."""
        if not taking.over:
            raise Unreachable(PART, f"{self._address} ended the stream")

    def _translated(self, error: grpc.aio.AioRpcError) -> PortError:
        why = f"{self._address}: {error.code().name}: {error.details() or 'no reason given'}"
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            self._hung = False  # who comes back is another
        return Unreachable(PART, why) if error.code() in AWAY else Refused(PART, why)


class Taking:
    """How a call takes its sound. gRPC asks for a piece when it has room for it, which a server that reads no
    more leaves to none in the end: the windows of Python's hold two minutes of sound."""

    def __init__(self, hung: bool = False) -> None:
        """`hung`: what it takes says nothing of whether it lives."""
        self._since: float | None = None  # its first piece
        self._lies: float | None = None  # since when a piece is offered that is not taken
        self._told = hung
        self.over = False  # the sound has ended

    def offered(self, now: float) -> None:
        """A piece lies ready."""
        self._lies = now
        self._since = self._since if self._since is not None else now

    def taken(self) -> None:
        """There is room for another."""
        self._lies = None

    def hangs(self, now: float) -> bool:
        """Whether nobody takes what lies there."""
        return self._lies is not None and now - self._lies > HANGS

    def lives(self, now: float) -> bool:
        """Whether it has taken sound for long enough; once."""
        if self._told or self._since is None or self._lies is not None or now - self._since < LIVES:
            return False
        self._told = True
        return True


def _read(call: Any) -> asyncio.Future[Any]:
    """The next answer; an error that nobody waits for any more is let go."""
    reading: asyncio.Future[Any] = asyncio.ensure_future(call.read())
    reading.add_done_callback(lambda done: done.cancelled() or done.exception())
    return reading


def _words(answer: StreamingRecognizeResponse, spoken: Spoken) -> list[Words]:
    """An answer's results that have words; interim results come in several parts that belong together."""
    for result in answer.results:
        spoken.answered(result.audio_processed, result.pipeline_states.vad_probabilities)
    best = [(r.is_final, r.alternatives[0].transcript) for r in answer.results if r.alternatives]
    interim = "".join(text for final, text in best if not final).strip()
    found = [Words(text.strip(), True, spoken.until()) for final, text in best if final and text.strip()]
    return [*found, Words(interim, False)] if interim else found
