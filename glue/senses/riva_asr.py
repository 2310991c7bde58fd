"""WORLD -> EVENTS: the Asr port over Riva's gRPC wire; one StreamingRecognize stream for a whole evening."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
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
from glue.errors import PortError, Refused, Unreachable
from glue.ports import Pcm, Words
from glue.senses.spoken import Spoken

PART = "ears"
RATE = 16_000  # Hz
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED)
CHANNEL: list[tuple[str, Any]] = [
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
        spoken = Spoken()
        call = RivaSpeechRecognitionStub(self._channel).StreamingRecognize(self._requests(sound, spoken))
        try:
            async for answer in call:
                for words in _words(answer, spoken):
                    yield words
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error
        finally:
            call.cancel()

    async def _requests(
        self, sound: AsyncIterator[Pcm], spoken: Spoken
    ) -> AsyncIterator[StreamingRecognizeRequest]:
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
            async for pcm in chunks:
                spoken.sent(len(pcm) / RATE, anyio.current_time())
                yield StreamingRecognizeRequest(audio_content=pcm.astype("<i2").tobytes())

    def _translated(self, error: grpc.aio.AioRpcError) -> PortError:
        why = f"{self._address}: {error.code().name}: {error.details() or 'no reason given'}"
        return Unreachable(PART, why) if error.code() in AWAY else Refused(PART, why)


def _words(answer: StreamingRecognizeResponse, spoken: Spoken) -> list[Words]:
    """An answer's results that have words; interim results come in several parts that belong together."""
    for result in answer.results:
        spoken.answered(result.audio_processed, result.pipeline_states.vad_probabilities)
    best = [(r.is_final, r.alternatives[0].transcript) for r in answer.results if r.alternatives]
    interim = "".join(text for final, text in best if not final).strip()
    found = [Words(text.strip(), True, spoken.until()) for final, text in best if final and text.strip()]
    return [*found, Words(interim, False)] if interim else found
