"""The Tts port's adapter against Riva servers on a bad day: nothing, half, odd bytes, late, nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import grpc
import numpy as np
import pytest
from riva.client.proto import riva_tts_pb2_grpc
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest, SynthesizeSpeechResponse

from glue.closing import closing
from glue.errors import Refused, TooSlow, Unreachable
from glue.ports import Speech
from glue.voice.riva_tts import RivaTts

pytestmark = pytest.mark.anyio
RATE = 24000
PATIENT = {"first_chunk_s": 30.0, "stall_s": 30.0}  # unless a test is about that
TEXT = "This clause has a good number of letters."
Answers = AsyncIterator[SynthesizeSpeechResponse]
Behaviour = Callable[[SynthesizeSpeechRequest, int], Answers]


class Riva(riva_tts_pb2_grpc.RivaSpeechSynthesisServicer):  # type: ignore[misc]  # generated, untyped
    """Answers each call as told; `calls` counts them and `ended` those that are over."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.calls, self.ended = 0, anyio.Event()
        self.last = SynthesizeSpeechRequest()

    async def SynthesizeOnline(
        self, requests: AsyncIterator[SynthesizeSpeechRequest], context: Any
    ) -> Answers:
        async for self.last in requests:
            self.calls += 1
            try:
                async for answer in self._behaviour(self.last, self.calls):
                    yield answer
            finally:
                self.ended.set()


@asynccontextmanager
async def against(behaviour: Behaviour, **options: Any) -> AsyncIterator[tuple[RivaTts, Riva]]:
    server, riva = grpc.aio.server(), Riva(behaviour)
    riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(riva, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with RivaTts(f"127.0.0.1:{port}", RATE, **(PATIENT | options)) as tts:
            yield tts, riva
    finally:
        await server.stop(0)


async def all_of(tts: RivaTts) -> list[Speech]:
    async with closing(tts.speak(TEXT, "Any")) as chunks:
        return [chunk async for chunk in chunks]


def tone(seconds: float) -> bytes:
    return (8000 * np.sin(np.arange(int(seconds * RATE)) / 9)).astype("<i2").tobytes()


async def nothing(request: SynthesizeSpeechRequest, call: int) -> Answers:
    for _ in ():
        yield SynthesizeSpeechResponse()


async def half_once(request: SynthesizeSpeechRequest, call: int) -> Answers:
    yield SynthesizeSpeechResponse(audio=tone(0.1 if call == 1 else 2.0))


async def half_always(request: SynthesizeSpeechRequest, call: int) -> Answers:
    yield SynthesizeSpeechResponse(audio=tone(0.1))


async def stalling(request: SynthesizeSpeechRequest, call: int) -> Answers:
    yield SynthesizeSpeechResponse(audio=tone(0.2))
    await asyncio.sleep(30)


async def late(request: SynthesizeSpeechRequest, call: int) -> Answers:
    await asyncio.sleep(30)
    yield SynthesizeSpeechResponse(audio=tone(2.0))


async def odd(request: SynthesizeSpeechRequest, call: int) -> Answers:
    audio = tone(2.0)
    for at in range(0, len(audio), 4801):
        yield SynthesizeSpeechResponse(audio=audio[at : at + 4801])
        yield SynthesizeSpeechResponse(audio=b"")


async def nonsense(request: SynthesizeSpeechRequest, call: int) -> Answers:
    answer = SynthesizeSpeechResponse(audio=tone(2.0))
    answer.meta.processed_text = "not as many words"
    answer.meta.predicted_durations.extend([1.0, float("nan"), -3.0])
    answer.meta.words.add(word="backwards", start_time=900, end_time=100)
    yield answer


async def whole_in_one(request: SynthesizeSpeechRequest, call: int) -> Answers:
    yield SynthesizeSpeechResponse(audio=tone(120))


async def test_nothing_is_asked_again_and_then_refused() -> None:
    async with against(nothing) as (tts, riva):
        with pytest.raises(Refused, match=r"only 0\.00 s"):
            await all_of(tts)
        assert riva.calls == 2


async def test_half_is_asked_again_where_sound_is_held() -> None:
    async with against(half_once, hold_s=0.4) as (tts, riva):
        assert sum(len(speech.pcm) for speech in await all_of(tts)) == 2 * RATE
        assert riva.calls == 2


async def test_too_little_again_is_refused_where_nothing_was_heard() -> None:
    async with against(half_always, hold_s=0.4) as (tts, riva):
        with pytest.raises(Refused, match=r"only 0\.10 s"):
            await all_of(tts)
        assert riva.calls == 2


async def test_too_little_again_is_no_error_behind_what_was_heard() -> None:
    async with against(half_always) as (tts, riva):
        assert sum(len(speech.pcm) for speech in await all_of(tts)) == pytest.approx(0.2 * RATE)
        assert riva.calls == 2


async def test_late_is_too_slow_and_is_cancelled() -> None:
    async with against(late, first_chunk_s=0.2) as (tts, riva):
        with pytest.raises(TooSlow):
            await all_of(tts)
        with anyio.fail_after(20):
            await riva.ended.wait()


async def test_a_stall_is_too_slow() -> None:
    async with against(stalling, stall_s=0.2) as (tts, _):
        heard = []
        with pytest.raises(TooSlow):
            async with closing(tts.speak(TEXT, "Any")) as chunks:
                async for chunk in chunks:
                    heard.append(chunk)
        assert len(heard) == 1


async def test_odd_byte_counts_are_put_together() -> None:
    async with against(odd) as (tts, _):
        assert b"".join(speech.pcm.tobytes() for speech in await all_of(tts)) == tone(2.0)


async def test_nonsense_in_the_timings_is_left_out() -> None:
    async with against(nonsense) as (tts, _):
        (speech,) = await all_of(tts)
        assert speech.phonemes == () and speech.words[0].start <= speech.words[0].end


async def test_two_minutes_in_one_message() -> None:
    async with against(whole_in_one) as (tts, _):
        assert sum(len(speech.pcm) for speech in await all_of(tts)) == 120 * RATE


async def test_asks_for_what_it_was_told_and_leaves_out_the_rest() -> None:
    async with against(whole_in_one) as (tts, riva):
        await all_of(tts)
        assert not riva.last.custom_dictionary and not riva.last.custom_configuration
    more = {"dictionary": {"Spark": "spɑːk"}, "configuration": {"k": "v"}, "word_times": False}  # noqa: RUF001
    async with against(whole_in_one, **more) as (tts, riva):
        await all_of(tts)
        assert (
            riva.last.custom_dictionary.startswith("Spark  sp") and riva.last.custom_configuration["k"] == "v"
        )
        assert riva.last.sample_rate_hz == RATE and not riva.last.enable_word_time_offsets


async def test_hanging_up_is_unreachable() -> None:
    async with against(stalling) as (tts, _):
        pass
    with pytest.raises(Unreachable):
        await all_of(tts)
