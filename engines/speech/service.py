"""The Riva service: requests in order, each spoken piece by piece, every inference in a worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import aclosing

import grpc
from riva.client.proto import riva_tts_pb2, riva_tts_pb2_grpc
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest, SynthesizeSpeechResponse

from engines.riva import Calls, Context
from engines.speech import text
from engines.speech.asked import Asked, Invalid, check
from engines.speech.heap import tidy
from engines.speech.pace import Pace
from engines.speech.pcm import Pcm
from engines.speech.sound import Block, Stop, Voice

Online = AsyncGenerator[SynthesizeSpeechResponse, None]
BYTES = 2  # a sample
IDLE = 0.4  # seconds without a call until memory is given back: right before one, it costs that one 5 ms
SERVICE = "nvidia.riva.tts.RivaSpeechSynthesis"


class Tts(riva_tts_pb2_grpc.RivaSpeechSynthesisServicer):  # type: ignore[misc]  # generated, untyped
    """Riva's RivaSpeechSynthesis over one voice."""

    def __init__(
        self, voice: Voice, workers: Executor, most_characters: int, pace: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """`pace`: seconds to the first sound, and for each second of it; zeros: as fast as it can."""
        self._voice = voice
        self._pace = pace
        self._workers = workers
        self._most = most_characters
        self._calls = Calls()
        self._tidying: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """End every call now with UNAVAILABLE."""
        self._calls.end()

    async def Synthesize(
        self, request: SynthesizeSpeechRequest, context: Context
    ) -> SynthesizeSpeechResponse:
        """The whole sound of a text in one answer."""
        whole = SynthesizeSpeechResponse()
        audio = bytearray()
        async with self._calls.one(context), aclosing(self._spoken(request, context)) as answers:
            async for answer in answers:
                audio += answer.audio
                _join(whole.meta, answer.meta)
        whole.audio = bytes(audio)
        whole.id.CopyFrom(request.id)
        return whole

    async def SynthesizeOnline(
        self, requests: AsyncIterator[SynthesizeSpeechRequest], context: Context
    ) -> Online:
        """The sound of each request as it is made, in the order of the requests."""
        async with self._calls.one(context):
            async for request in requests:
                async with aclosing(self._spoken(request, context)) as answers:
                    async for answer in answers:
                        answer.id.CopyFrom(request.id)
                        yield answer

    async def GetRivaSynthesisConfig(
        self, request: riva_tts_pb2.RivaSynthesisConfigRequest, context: Context
    ) -> riva_tts_pb2.RivaSynthesisConfigResponse:
        """The voices, as Riva's own clients expect to read them."""
        model, _, speaker = self._voice.name.partition(".")
        prefix = f"{speaker}." if speaker else ""
        config = riva_tts_pb2.RivaSynthesisConfigResponse.Config(
            model_name=self._voice.name,
            parameters={
                "language_code": self._voice.language,
                "voice_name": model,
                "subvoices": ",".join(f"{prefix}{style}:{i}" for i, style in enumerate(self._voice.styles)),
                "sample_rate": str(self._voice.rate),
                "streaming": "True",
            },
        )
        if request.model_name and request.model_name != self._voice.name:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Error: Model is not available on server: {request.model_name}",
            )
        return riva_tts_pb2.RivaSynthesisConfigResponse(model_config=[config])

    async def _spoken(self, request: SynthesizeSpeechRequest, context: Context) -> Online:
        try:
            asked = check(request, self._voice, self._most)
        except Invalid as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        stop, pace = Stop(), Pace(*self._pace)
        heard, offset = False, 0.0
        try:
            for piece in text.pieces(asked.words):
                blocks = self._voice.speak(piece, asked.style, asked.times, stop)
                pcm: Pcm | None = None
                while (block := await self._in_worker(blocks)) is not None:
                    pcm = pcm or Pcm(block.rate, asked.rate)
                    heard = True
                    for answer in _answers(block, pcm, offset, asked):
                        await pace.hold(len(answer.audio) / (BYTES * asked.rate))
                        yield answer
                    offset += sum(phone.seconds for phone in block.phones)
        finally:
            stop.pull()
            self._tidy_later()
        if not heard:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Error: text has nothing to speak")

    def _tidy_later(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
        self._tidying = asyncio.get_running_loop().call_later(IDLE, self._tidy)

    def _tidy(self) -> None:
        if not self._calls.ending:
            self._workers.submit(tidy)

    async def _in_worker(self, blocks: Iterator[Block]) -> Block | None:
        """The next block, None at the end. Cancelled, it returns at once; the worker stops by itself."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, next, blocks, None)


def _answers(block: Block, pcm: Pcm, offset: float, asked: Asked) -> Iterator[SynthesizeSpeechResponse]:
    """A block on the wire: the first chunk carries the timings of its inference."""
    meta = riva_tts_pb2.SynthesizeSpeechResponseMetadata(
        text=asked.text,
        processed_text=" ".join(phone.text for phone in block.phones),
        predicted_durations=[phone.seconds for phone in block.phones],
    )
    for word in block.words:
        start, end = round((offset + word.start) * 1000), round((offset + word.end) * 1000)
        meta.words.add(word=word.text, start_time=start, end_time=end)
    for number, chunk in enumerate(pcm.chunks(block)):
        first = number == 0 and bool(block.phones)
        yield SynthesizeSpeechResponse(audio=chunk, meta=meta if first else None)


def _join(
    whole: riva_tts_pb2.SynthesizeSpeechResponseMetadata, part: riva_tts_pb2.SynthesizeSpeechResponseMetadata
) -> None:
    whole.text = whole.text or part.text
    whole.processed_text = f"{whole.processed_text} {part.processed_text}".strip()
    whole.predicted_durations.extend(part.predicted_durations)
    whole.words.extend(part.words)
