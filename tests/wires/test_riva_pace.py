"""The speech server standing in for a slower machine: no sound before its time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import anyio
import pytest

from glue import pace
from glue.closing import closing
from glue.measured_events import PaceKept
from glue.pace import PacedTts
from glue.voice.riva_tts import RivaTts
from tests.wires import speech_server

RATE = 24000
FIRST_MS, FACTOR = 400.0, 0.3
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


async def kept(port: int, first_ms: float = FIRST_MS) -> tuple[PaceKept, float]:
    """What a show would say of its voice, and the seconds of sound ahead of the last chunk."""
    sizes = list[int]()
    async with RivaTts(f"127.0.0.1:{port}", RATE) as tts:
        voice = PacedTts(tts, RATE, "magpie", first_ms, FACTOR)
        async with closing(voice.speak(TEXT, "Piper.joe.bright")) as chunks:
            async for chunk in chunks:
                sizes += [chunk.pcm.size] if chunk.pcm.size else []
        return voice.kept(), sum(sizes[:-1]) / RATE


@pytest.fixture(scope="module")
def paced() -> Iterator[int]:
    with speech_server.serving(f"first_chunk_ms={FIRST_MS}", f"real_time_factor={FACTOR}") as port:
        yield port


def test_a_show_hears_whether_its_voice_kept_to_it(
    paced: int, piper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "HELD", 60.0)  # nothing here is full, though the machine may be busy
    told, before = anyio.run(kept, paced)
    assert told.faster == 0 and told.kept is not None and told.kept_first_ms is not None
    # Behind a late first chunk the others catch up with their times, and no further.
    fastest = before / max(FACTOR * before - (told.behind_ms or 0) / 1000, 0.001)
    assert 0 < told.kept <= fastest + 0.1 and FIRST_MS <= told.kept_first_ms
    assert anyio.run(kept, piper, 60_000)[0].faster == 1, "as fast as it can"


def test_sound_comes_at_the_stated_pace_and_no_sooner(paced: int) -> None:
    found = anyio.run(arrivals, paced)
    assert len(found) > 3
    assert all(at >= FIRST_MS / 1000 + FACTOR * before - 0.02 for at, before in found)
