"""The speech server standing in for a slower machine: no sound before its time."""

from __future__ import annotations

import time

import anyio

from glue.closing import closing
from glue.voice.riva_tts import RivaTts
from tests.wires import speech_server

RATE = 24000
TEXT = "I walked to the harbour to look at the boats, and then it rained for a very long time."


async def arrivals(port: int) -> list[tuple[float, float]]:
    """For each chunk: seconds since the request, and seconds of sound before it."""
    found, sound = [], 0.0
    async with RivaTts(f"127.0.0.1:{port}", RATE) as tts:
        began = time.monotonic()
        async with closing(tts.speak(TEXT, "Piper.joe.bright")) as chunks:
            async for chunk in chunks:
                found.append((time.monotonic() - began, sound))
                sound += len(chunk.pcm) / RATE
    return found


def test_sound_comes_at_the_stated_pace_and_no_sooner() -> None:
    with speech_server.serving("first_chunk_ms=400", "real_time_factor=0.3") as port:
        found = anyio.run(arrivals, port)
    assert len(found) > 3
    assert all(at >= 0.4 + 0.3 * before - 0.02 for at, before in found)
    assert found[0][0] < 1.5
