"""How fast the voice of a paced show was, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import anyio
import numpy as np
import pytest
import trio.testing

from glue.closing import closing
from glue.measured_events import PaceKept
from glue.pace import PacedTts
from glue.ports import Speech

pytestmark = pytest.mark.anyio
RATE = 24000


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@dataclass
class Voice:
    """Half a second of sound at each of these seconds."""

    at: Sequence[float]

    async def speak(self, text: str, voice: str) -> AsyncIterator[Speech]:
        began = anyio.current_time()
        yield Speech(np.zeros(0, np.int16))  # timings alone
        for at in self.at:
            await anyio.sleep_until(began + at)
            yield Speech(np.zeros(RATE // 2, np.int16))


async def kept(*texts: Sequence[float], holds: float = 0.0) -> PaceKept:
    """What is said of a voice of 100 ms and 5 seconds of sound a second; `holds`: the listener's time."""
    voice = Voice(())
    paced = PacedTts(voice, RATE, "magpie", 100, 0.2)
    for voice.at in texts:
        async with closing(paced.speak("hello", "anybody")) as sound:
            async for _ in sound:
                await anyio.sleep(holds)
    return paced.kept()


async def test_a_voice_that_keeps_to_it() -> None:
    told = await kept((0.1, 0.2, 0.3), (0.12, 0.22, 0.32), (0.14, 0.24, 0.34))
    assert (told.model, told.unit, told.stated_first_ms) == ("magpie", "seconds of sound", 100)
    assert (told.stated, told.kept, told.kept_first_ms, told.behind_ms, told.faster) == (5, 5, 120, 40, 0)


@pytest.mark.parametrize("hasty", [(0.09, 0.2), (0.1, 0.19), (0.1, 0.2, 0.29)])
async def test_one_chunk_before_its_time_is_counted(hasty: Sequence[float]) -> None:
    assert (await kept((0.1, 0.2), hasty, (0.1, 0.2))).faster == 1


async def test_a_listener_that_is_full_says_nothing_of_the_voice() -> None:
    told = await kept((0.1, 0.2, 0.3), holds=0.5)
    assert told.kept is None and told.kept_first_ms is not None and told.faster == 0


async def test_a_voice_that_was_not_asked_has_kept_nothing() -> None:
    told = await kept()
    assert (told.kept, told.kept_first_ms, told.behind_ms, told.faster) == (None, None, None, 0)
