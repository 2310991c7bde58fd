"""The ears, on Riva's wire: from the end of a message, sent as fast as it is spoken, to its final words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from riva.client.proto.riva_asr_pb2 import (
    RecognitionConfig,
    RivaSpeechRecognitionConfigRequest,
    StreamingRecognitionConfig,
    StreamingRecognizeRequest,
)
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from engines.bench.errors import BenchFailed, Lacking
from engines.bench.grpc_wire import LOOK_SECONDS, channel, told
from engines.bench.options import Options
from engines.bench.rows import FLOOR, Row, ms, row
from engines.bench.sound import RATE, Message, wrong
from engines.bench.together import together

PART = "asr"
CHUNK = 0.05  # seconds, as a microphone gives them
PATIENCE = 10.0  # seconds of silence after the message; no final within them is none


@dataclass(frozen=True, slots=True)
class Heard:
    """One message: seconds from its end to the final, what was understood, and how late we sent."""

    delay: float
    wrong: float
    late: float


class Microphone:
    """Sends a message in real time and then silence, until `over` is set or PATIENCE ends."""

    def __init__(self, message: Message, options: Options) -> None:
        self._message, self._options = message, options
        self.over = asyncio.Event()
        self.ended = 0.0  # when the last word was over, on time.perf_counter's clock
        self.late = 0.0

    async def requests(self) -> AsyncIterator[StreamingRecognizeRequest]:
        """The stream: its config, then a chunk whenever it has been spoken."""
        yield self._config()
        began = time.perf_counter()
        self.ended = began + self._message.end
        size = int(CHUNK * RATE)
        sound = self._message.pcm
        for number in range(int((self._message.end + PATIENCE) / CHUNK)):
            due = began + (number + 1) * CHUNK
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.late = max(self.late, time.perf_counter() - due)
            if self.over.is_set():
                return
            chunk = sound[number * size : (number + 1) * size].tobytes()
            yield StreamingRecognizeRequest(audio_content=chunk.ljust(2 * size, b"\0"))

    def _config(self) -> StreamingRecognizeRequest:
        config = RecognitionConfig(
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hertz=RATE,
            language_code=self._options.language,
            max_alternatives=1,
            enable_automatic_punctuation=True,
        )
        asked = StreamingRecognitionConfig(config=config, interim_results=True)
        return StreamingRecognizeRequest(streaming_config=asked)


class AsrBench:
    """The cases against one server."""

    def __init__(self, address: str, options: Options, messages: Sequence[Message]) -> None:
        self._address, self._options, self._messages = address, options, messages
        self.rows: list[Row] = []  # what was measured so far
        self._late = 0.0

    async def run(self, say: Callable[[str], None]) -> list[Row]:
        """Every number of clients. Raises BenchFailed; Lacking where the server hears nothing at all."""
        for count in self._options.clients:
            say(f"asr: {count} clients")
            async with AsyncExitStack() as stack:
                opened = [await stack.enter_async_context(channel(self._address)) for _ in range(count)]
                stubs = [RivaSpeechRecognitionStub(each) for each in opened]
                self.rows += await self._wire(stubs)
                await together(stubs, count, self._once)
                heard = await together(stubs, self._options.rounds, self._once)
            self._late = max(self._late, *(each.late for each in heard))
            case = "end of speech to the final"
            self.rows.append(row(PART, "final transcript", case, count, "ms", ms(h.delay for h in heard)))
            if all(message.words for message in self._messages):
                self.rows.append(row(PART, "words heard wrong", case, count, "%", (h.wrong for h in heard)))
        return self.rows

    def notes(self) -> list[str]:
        """What a reader of the rows should know."""
        seconds = ", ".join(f"{message.end:.1f}" for message in self._messages)
        said = [f"messages of {seconds} s, sent as fast as they are spoken, in pieces of {CHUNK * 1000:g} ms"]
        if self._late > CHUNK:
            said.append(f"this machine was busy: sound left up to {self._late * 1000:.0f} ms late")
        return said

    async def _wire(self, stubs: Sequence[RivaSpeechRecognitionStub]) -> list[Row]:
        async def once(stub: RivaSpeechRecognitionStub, number: int) -> float:
            began = time.perf_counter()
            with told(PART, self._address, LOOK_SECONDS):
                config = await stub.GetRivaSpeechRecognitionConfig(
                    RivaSpeechRecognitionConfigRequest(), timeout=LOOK_SECONDS
                )
            if not config.model_config:
                raise Lacking(f"{PART} at {self._address}: the server has no recognition")
            return time.perf_counter() - began

        await together(stubs, len(stubs), once)  # connects
        took = await together(stubs, self._options.rounds, once)
        return [row(PART, FLOOR, "wire alone: list of models", len(stubs), "ms", ms(took))]

    async def _once(self, stub: RivaSpeechRecognitionStub, number: int) -> Heard:
        message = self._messages[number % len(self._messages)]
        microphone = Microphone(message, self._options)
        within = message.end + PATIENCE + self._options.timeout_s
        call = stub.StreamingRecognize(microphone.requests(), timeout=within)
        finals: list[str] = []
        delay = None
        try:
            with told(PART, self._address, within):
                async for answer in call:
                    now = time.perf_counter()
                    found = [
                        r.alternatives[0].transcript for r in answer.results if r.is_final and r.alternatives
                    ]
                    finals += found
                    if any(map(str.strip, found)) and now >= microphone.ended > 0:
                        delay = now - microphone.ended
                        break
        finally:
            microphone.over.set()
            call.cancel()
        if delay is None:
            why = f"no final words within {PATIENCE:g} s after a message; so far: {' '.join(finals)!r}"
            raise BenchFailed(f"{PART} at {self._address}: {why}")
        return Heard(delay, wrong(message.words, " ".join(finals)), microphone.late)
