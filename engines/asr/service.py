"""The Riva service: streams of sound in, results out; every inference in the one worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from typing import Any

import grpc
from riva.client.proto import riva_asr_pb2, riva_asr_pb2_grpc
from riva.client.proto.riva_asr_pb2 import (
    RecognizeRequest,
    RecognizeResponse,
    StreamingRecognizeRequest,
    StreamingRecognizeResponse,
)

from engines.asr.asked import Asked, Invalid, check
from engines.asr.detector import Detector, Samples
from engines.asr.hearing import Hearing, Result
from engines.asr.incoming import BadAudio, Incoming
from engines.asr.options import Options
from engines.asr.whisper import Heard, Whisper
from engines.riva import Calls, Context

SERVICE = "nvidia.riva.asr.RivaSpeechRecognition"
INTERIM_STABILITY = 0.5
PIECE = 1 << 15  # samples: a long file is heard in pieces, so that other streams have their turn


class Asr(riva_asr_pb2_grpc.RivaSpeechRecognitionServicer):  # type: ignore[misc]  # generated, untyped
    """Riva's RivaSpeechRecognition over one model."""

    def __init__(self, whisper: Whisper, detector: Detector, worker: Executor, options: Options) -> None:
        """`worker` has one thread: the model hears one utterance at a time."""
        self._whisper, self._detector, self._worker, self._options = whisper, detector, worker, options
        self._calls = Calls()

    def end(self) -> None:
        """End every call now with UNAVAILABLE."""
        self._calls.end()

    async def Recognize(self, request: RecognizeRequest, context: Context) -> RecognizeResponse:
        """All utterances of a file."""
        async with self._calls.one(context):
            asked = await self._checked(request.config, context, online=False)
            answer = RecognizeResponse(id=request.id)

            async def tell(result: Result) -> None:
                if result.final and result.text:
                    spoken = answer.results.add(channel_tag=1, audio_processed=result.at)
                    _alternative(spoken.alternatives.add(), result, asked, first=len(answer.results) == 1)

            hearing = self._hearing(asked, tell)
            try:
                sound = Incoming(asked.form).feed(request.audio, last=True)
            except BadAudio as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            try:
                for start in range(0, len(sound), PIECE):
                    await hearing.feed(sound[start : start + PIECE])
                    await asyncio.sleep(0)
                await hearing.end()
            finally:
                await hearing.stop()
            return answer

    async def StreamingRecognize(
        self, requests: AsyncIterator[StreamingRecognizeRequest], context: Context
    ) -> None:
        """Interim results while somebody speaks, a final one after each utterance and at the end."""
        async with self._calls.one(context):
            first = await anext(aiter(requests), None)
            if first is None:
                return
            if not first.HasField("streaming_config"):
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT, "Error: the first request must have streaming_config"
                )
            await self._stream(first, requests, context)

    async def _stream(
        self,
        first: StreamingRecognizeRequest,
        requests: AsyncIterator[StreamingRecognizeRequest],
        context: Context,
    ) -> None:
        config = first.streaming_config
        asked = await self._checked(config.config, context, online=True)
        finals = 0

        async def tell(result: Result) -> None:
            nonlocal finals
            if result.final or config.interim_results:
                await context.write(_streamed(result, asked, first, finals == 0))
            finals += result.final

        hearing, incoming = self._hearing(asked, tell), Incoming(asked.form)
        try:
            async for request in requests:
                await hearing.feed(incoming.feed(request.audio_content))
                if request.runtime_config.get("force_eou", "").lower() == "true":
                    await hearing.end()
            await hearing.feed(incoming.feed(b"", last=True))
            await hearing.end()
        except BadAudio as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        finally:
            await hearing.stop()

    async def GetRivaSpeechRecognitionConfig(
        self, request: riva_asr_pb2.RivaSpeechRecognitionConfigRequest, context: Context
    ) -> riva_asr_pb2.RivaSpeechRecognitionConfigResponse:
        """The model, once for streams and once for files, as Riva's own clients expect to read it."""
        answer = riva_asr_pb2.RivaSpeechRecognitionConfigResponse()
        if request.model_name and request.model_name != self._whisper.name:
            what = f"Error: Model is not available on server: {request.model_name}"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, what)
        for kind in ("online", "offline"):
            parameters = {"type": kind, "language_code": "en-US", "streaming": str(kind == "online")}
            answer.model_config.add(model_name=self._whisper.name, parameters=parameters)
        return answer

    def _hearing(self, asked: Asked, tell: Any) -> Hearing:
        async def hear(sound: Samples) -> Heard:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._worker, self._whisper.hear, sound, asked.language, asked.times
            )

        return Hearing(self._detector, hear, tell, asked.settings)

    async def _checked(self, config: riva_asr_pb2.RecognitionConfig, context: Context, online: bool) -> Asked:
        try:
            return check(config, self._whisper, self._options, online)
        except Invalid as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise


def _streamed(
    result: Result, asked: Asked, first: StreamingRecognizeRequest, opening: bool
) -> StreamingRecognizeResponse:
    answer = StreamingRecognizeResponse(id=first.id)
    told = answer.results.add(
        is_final=result.final,
        stability=1.0 if result.final else INTERIM_STABILITY,
        channel_tag=1,
        audio_processed=result.at,
    )
    told.pipeline_states.vad_probabilities.extend(result.probabilities)
    _alternative(told.alternatives.add(), result, asked, opening)
    return answer


def _alternative(
    alternative: riva_asr_pb2.SpeechRecognitionAlternative, result: Result, asked: Asked, first: bool
) -> None:
    """As Riva writes it: what follows the first final begins with a space; an interim is sure of nothing."""
    text = result.text if asked.punctuated else _bare(result.text)
    alternative.transcript = text if first or not text else f" {text}"
    alternative.confidence = result.confidence if result.final else 0.0
    alternative.language_code.append(asked.language)
    if not asked.times:
        return
    for word in result.words:
        start, end = round(word.start * 1000), round(word.end * 1000)
        alternative.words.add(word=word.text, start_time=start, end_time=end, confidence=word.sure)


def _bare(text: str) -> str:
    """Without punctuation and capitals, as a Riva that was not asked for them."""
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c in " '").split())
