"""The voice, on Riva's wire: first audio and real-time factor by the length of the text."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from riva.client.proto.riva_audio_pb2 import AudioEncoding
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigRequest, SynthesizeSpeechRequest
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from engines.bench.errors import BenchFailed
from engines.bench.grpc_wire import LOOK_SECONDS, channel, told
from engines.bench.options import Options
from engines.bench.rows import FLOOR, Row, ms, row
from engines.bench.texts import SPOKEN
from engines.bench.together import together

PART = "tts"
FASTEST = 40.0  # letters a second; less sound than that for a text is half of it (Magpie on a Spark)


Once = Callable[[RivaSpeechSynthesisStub, int], Awaitable["Spoken"]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One text: seconds to its first and its last sound, its sound, and its letters."""

    first: float
    last: float
    pcm: bytes  # s16le, mono
    seconds: float
    letters: int


async def say_text(stub: RivaSpeechSynthesisStub, text: str, options: Options, address: str) -> Spoken:
    """One text over SynthesizeOnline. Raises BenchFailed."""
    request = SynthesizeSpeechRequest(
        text=text,
        voice_name=options.voice,
        language_code=options.language,
        encoding=AudioEncoding.LINEAR_PCM,
        sample_rate_hz=options.rate,
    )
    pieces: list[bytes] = []
    began, first = time.perf_counter(), 0.0
    with told(PART, address, options.timeout_s):
        async for answer in stub.SynthesizeOnline(_alone(request), timeout=options.timeout_s):
            if answer.audio:
                first = first or time.perf_counter() - began
                pieces.append(answer.audio)
    last, pcm = time.perf_counter() - began, b"".join(pieces)
    if len(pcm) < 2:
        raise BenchFailed(f"{PART} at {address}: no sound for {text!r}")
    return Spoken(first, last, pcm, len(pcm) / 2 / options.rate, sum(map(str.isalnum, text)))


class TtsBench:
    """The cases against one server."""

    def __init__(self, address: str, options: Options) -> None:
        self._address, self._options = address, options
        self.rows: list[Row] = []  # what was measured so far
        self._short = 0  # texts whose sound was cut
        self._voices = 0

    async def run(self, say: Callable[[str], None]) -> list[Row]:
        """Every length under every number of clients. Raises BenchFailed."""
        for count in self._options.clients:
            say(f"tts: {count} clients")
            async with AsyncExitStack() as stack:
                opened = [await stack.enter_async_context(channel(self._address)) for _ in range(count)]
                stubs = [RivaSpeechSynthesisStub(each) for each in opened]
                self.rows += await self._wire(stubs)
                await together(stubs, count, self._once("a word or two"))
                for case in SPOKEN:
                    self.rows += self._rows(
                        case, count, await together(stubs, self._options.rounds, self._once(case))
                    )
        return self.rows

    def notes(self) -> list[str]:
        """What a reader of the rows should know."""
        said = [f"voice models: {self._voices}; {self._options.voice or 'the first voice'} speaks"]
        if self._short:
            said.append(
                f"{self._short} texts were cut short: less than a second of sound for {FASTEST:g} letters"
            )
        return said

    async def _wire(self, stubs: Sequence[RivaSpeechSynthesisStub]) -> list[Row]:
        async def once(stub: RivaSpeechSynthesisStub, number: int) -> float:
            began = time.perf_counter()
            with told(PART, self._address, LOOK_SECONDS):
                config = await stub.GetRivaSynthesisConfig(RivaSynthesisConfigRequest(), timeout=LOOK_SECONDS)
            if not config.model_config:
                raise BenchFailed(f"{PART} at {self._address}: the server has no voice")
            self._voices = len(config.model_config)
            return time.perf_counter() - began

        await together(stubs, len(stubs), once)  # connects
        took = await together(stubs, self._options.rounds, once)
        return [row(PART, FLOOR, "wire alone: list of voices", len(stubs), "ms", ms(took))]

    def _once(self, case: str) -> Once:
        texts = SPOKEN[case]

        async def once(stub: RivaSpeechSynthesisStub, number: int) -> Spoken:
            return await say_text(stub, texts[number % len(texts)], self._options, self._address)

        return once

    def _rows(self, case: str, count: int, spoken: Sequence[Spoken]) -> list[Row]:
        self._short += sum(each.letters > FASTEST * each.seconds for each in spoken)
        return [
            row(PART, "first audio", case, count, "ms", ms(each.first for each in spoken)),
            row(PART, "real-time factor", case, count, "x", (each.last / each.seconds for each in spoken)),
        ]


async def _alone(request: SynthesizeSpeechRequest) -> AsyncIterator[SynthesizeSpeechRequest]:
    yield request
