"""The Tts port's adapter against our speech server, also while that dies and comes back."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from engines.port import unused
from engines.process import NotReady
from engines.speech.options import Options
from engines.speech.probe import ready
from glue.closing import closing
from glue.errors import Refused, TooSlow, Unreachable
from glue.ports import Speech
from glue.voice.riva_tts import RivaTts
from glue.voice.tempo import Tempo
from tests.wires import speech_server

pytestmark = pytest.mark.anyio
RATE = 24000
BRIGHT = "Piper.joe.bright"
WITHIN = 30.0  # seconds for what is over at once; gRPC left to itself would try again after two minutes
LONG = "I walked to the harbour to look at the boats, and then it rained for a very long time. " * 12


@asynccontextmanager
async def adapter(port: int, **more: float) -> AsyncIterator[RivaTts]:
    patient = {"first_chunk_s": WITHIN, "stall_s": WITHIN}
    async with RivaTts(f"127.0.0.1:{port}", RATE, **(patient | more)) as tts:  # type: ignore[arg-type]  # only numbers here
        yield tts


async def all_of(tts: RivaTts, text: str, voice: str = BRIGHT) -> list[Speech]:
    async with closing(tts.speak(text, voice)) as chunks:
        return [chunk async for chunk in chunks]


async def test_gives_sound_and_its_timings(piper: int) -> None:
    async with adapter(piper) as tts:
        chunks = await all_of(tts, "Well hello, everyone! I missed you.")
    sound = np.concatenate([chunk.pcm for chunk in chunks])
    length = len(sound) / RATE
    assert sound.dtype == np.int16 and np.abs(sound.astype(np.int32)).max() > 3000
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == "Well hello, everyone! I missed you.".split()
    phonemes = [phoneme for chunk in chunks for phoneme in chunk.phonemes]
    assert {"w", "h", "s"} <= {phoneme.text for phoneme in phonemes}
    for timed in (words, phonemes):
        edges = [edge for each in timed for edge in (each.start, each.end)]
        assert edges == sorted(edges) and 0 <= edges[0] and edges[-1] <= length + 0.002
    assert not {p.text for p in phonemes} & {"_", ",", "!", "."}


async def test_timings_lie_on_the_sound(piper: int) -> None:
    async with adapter(piper) as tts:
        chunks = await all_of(tts, "Stop. Stop.")
    sound = np.concatenate([chunk.pcm for chunk in chunks]).astype(np.float64)
    phonemes = [phoneme for chunk in chunks for phoneme in chunk.phonemes]
    inside = np.zeros(len(sound), bool)
    for phoneme in phonemes:
        inside[int(phoneme.start * RATE) : int(phoneme.end * RATE)] = True
    assert np.mean(sound[inside] ** 2) > 50 * np.mean(sound[~inside] ** 2)


async def test_closing_cancels_and_the_channel_stays(piper: int) -> None:
    async with adapter(piper) as tts:
        for _ in range(5):
            async with closing(tts.speak(LONG, BRIGHT)) as chunks:
                async for _ in chunks:
                    break
        with anyio.fail_after(WITHIN):
            assert await all_of(tts, "Still here.")


async def test_a_cancelled_reader_ends_at_once(piper: int) -> None:
    async with adapter(piper) as tts:
        with anyio.fail_after(WITHIN):
            with anyio.move_on_after(0.2) as scope:
                while True:
                    await all_of(tts, LONG)
            assert scope.cancelled_caught
            assert await all_of(tts, "Still here.")


async def test_what_the_server_will_not_do_is_refused(piper: int) -> None:
    async with adapter(piper) as tts:
        with pytest.raises(Refused, match="Voice Nobody"):
            await all_of(tts, "Hello.", "Nobody")
        with pytest.raises(Refused, match="nothing to speak"):
            await all_of(tts, "?!")


async def test_nobody_there_is_unreachable() -> None:
    async with adapter(unused()) as tts:
        with anyio.fail_after(WITHIN), pytest.raises(Unreachable):
            await all_of(tts, "Hello.")


async def test_killed_in_mid_sentence_and_back() -> None:
    speech_server.need("piper-joe", "voice.onnx")
    port = unused()
    server = await anyio.to_thread.run_sync(begin, port)
    try:
        async with adapter(port) as tts:
            with anyio.fail_after(WITHIN), pytest.raises(Unreachable):
                async with closing(tts.speak(LONG * 2, BRIGHT)) as chunks:
                    async for _ in chunks:
                        server.kill()
            await anyio.to_thread.run_sync(server.communicate)
            server = await anyio.to_thread.run_sync(begin, port)
            assert await spoken_at_last(tts)
    finally:
        server.kill()
        await anyio.to_thread.run_sync(server.communicate)


def begin(port: int) -> subprocess.Popen[bytes]:
    server = speech_server.start(port)
    speech_server.await_ready(port)
    return server


async def spoken_at_last(tts: RivaTts) -> list[Speech]:
    """Ask again until it answers, as a turn after a lost one would."""
    with anyio.fail_after(WITHIN):
        while True:
            try:
                return await all_of(tts, "I am back.")
            except Unreachable:
                await anyio.sleep(0.1)


async def test_the_probe_says_whether_it_speaks(piper: int) -> None:
    await ready(Options(port=piper))
    with pytest.raises(NotReady):
        await ready(Options(port=unused()))


async def test_a_server_that_never_answers_is_too_slow() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connections are taken by the kernel and never looked at
        async with adapter(silent.getsockname()[1], first_chunk_s=0.3) as tts:
            with anyio.fail_after(WITHIN), pytest.raises(TooSlow):
                await all_of(tts, "Hello.")


def test_a_cut_at_any_moment_ends_the_reply_and_nothing_else(piper: int) -> None:
    """grpc.aio makes CancelledErrors of its own, which anyio takes for the end of all that goes on."""
    survived = []

    async def cuts() -> None:
        async with adapter(piper) as tts:

            async def reply(scope: anyio.CancelScope) -> None:
                with scope:
                    async with closing(tts.speak(LONG, BRIGHT)) as sound:
                        async for _ in sound:
                            pass
                survived.append(scope.cancel_called)

            for ticks in range(40):
                async with anyio.create_task_group() as tg:
                    scope = anyio.CancelScope()
                    tg.start_soon(reply, scope)
                    for _ in range(ticks):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()

    anyio.run(cuts)  # by itself: what gRPC still has to say to other tests' loops is no failure of this one
    assert survived == [True] * 40


async def test_nothing_that_a_real_voice_says_whole_is_taken_for_half(piper: int) -> None:
    """Its quickest clauses have two thirds of the sound that its pace lets expect."""
    quick = ("When you do not know something,", "Thunder could not have done it better.", "Hmmmmmmm.")
    tempo = Tempo(14.0, 0.6, 0.2)
    async with adapter(piper) as tts:
        for text in quick:
            length = sum(len(chunk.pcm) for chunk in await all_of(tts, text)) / RATE
            assert length > tempo.enough(text, BRIGHT), text
            tempo.heard(text, BRIGHT, length)
