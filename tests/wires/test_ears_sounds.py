"""Coughs, laughter, humming and her own voice as sound: real ears make of it what they do, and she goes on.

The sound is recognised window by window, and what was made of it comes to a show in virtual time: a machine
that is slow at both hears the same.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import anyio
import numpy as np
import pytest
import trio.testing
from numpy.typing import NDArray

from engines.asr.detector import WINDOW, Detector, Samples
from engines.asr.hearing import Hearing, Result, Settings
from engines.asr.whisper import Heard, Whisper
from glue.director import Director
from glue.events import (
    ChatLine,
    Ending,
    Event,
    LineArrived,
    Source,
    SpeechHeard,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.overheard import SECOND, real
from glue.senses.spoken import Spoken
from glue.show import Show
from tests.core import NoMemory, Scene, SlowLlm
from tests.need import need_package
from tests.wires.listening import ALIKE, RATE, STOP, TALE, likeness, quiet
from tests.wires.sounds import AH, EE, coughs, laughter, mhm
from tests.wires.speech_server import need

LONG = "The old train went over the hills. It was a very quiet night there. Nobody had ever been so far. "
APART = 1.2  # seconds between two sounds
LATE = 0.3  # seconds from a sound to what is understood of it


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(need("whisper-tiny.en", "model.bin").parent, 2)


def espeak(text: str) -> NDArray[np.int16]:
    """By rules, which know no laughter. In a process of its own: the library may take down its caller."""
    need_package("espeakng_loader", "uv sync --all-extras --inexact")
    told = "import sys; from engines.asr.espeak import Espeak; "
    told += f"sys.stdout.buffer.write(Espeak().say('en-us', {text!r}).tobytes())"
    return np.frombuffer(
        subprocess.run([sys.executable, "-c", told], capture_output=True, check=True).stdout, "<i2"
    )


def after(seconds: float, *sounds: NDArray[np.int16]) -> NDArray[np.int16]:
    """One after the other, in a quiet room."""
    return np.concatenate([quiet(seconds), *(part for sound in sounds for part in (sound, quiet(APART)))])


def understood(whisper: Whisper, sound: NDArray[np.int16]) -> list[Result]:
    """What the ears make of it."""
    results = list[Result]()

    async def hear(samples: Samples) -> Heard:
        return whisper.hear(samples, "en")

    async def tell(result: Result) -> None:
        results.append(result)

    async def listen() -> None:
        hearing, samples = Hearing(Detector(), hear, tell, Settings()), (sound / 32768).astype(np.float32)
        for at in range(0, len(samples), WINDOW):
            await hearing.feed(samples[at : at + WINDOW])
            await asyncio.sleep(0)  # a recognition takes no time of the stream
        await hearing.end()

    asyncio.run(listen())
    return results


@dataclass
class Asked:
    """Somebody wants to hear something long, in chat."""

    async def events(self) -> AsyncIterator[Event]:
        yield LineArrived(anyio.current_time(), ChatLine("c1", "mika", "tell me a story", Source.CONSOLE))


@dataclass
class Ears:
    """They hear all that once she speaks."""

    results: Sequence[Result]
    speaks: anyio.Event

    async def events(self) -> AsyncIterator[Event]:
        await self.speaks.wait()
        began, spoken, before = anyio.current_time(), Spoken(), 0.0
        for number, result in enumerate(self.results):
            spoken.sent(result.at - before, began + result.at)
            spoken.answered(result.at, result.probabilities)
            before = result.at
            await anyio.sleep_until(began + result.at + LATE)
            now = anyio.current_time()
            if result.final and result.text:
                said = ChatLine(f"v{number}", "mic", result.text, Source.VOICE)
                yield LineArrived(now, said, spoken.until())
            elif result.text:
                yield SpeechHeard(now, "mic", result.text)


async def _beside_her(results: Sequence[Result], tale: Sequence[str]) -> list[Event]:
    scene, speaks = Scene(llm := SlowLlm(words=tale), memory=NoMemory()), anyio.Event()

    class Notes:
        def show(self, event: Event) -> None:
            scene.events.append(event)
            if isinstance(event, StageReached) and event.stage is Stage.AUDIBLE:
                speaks.set()
            if isinstance(event, TurnEnded):
                llm.words = ["Sure."]

    show = Show(
        {"main": scene.member()},
        Director(["main"]),
        [Notes()],
        scene.settings,
        mute=lambda muted: None,
        duck=scene.mixer.duck,
        ends_with_chat=True,
    )
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([Asked(), Ears(results, speaks)])
        tg.cancel_scope.cancel()
    return scene.events


def beside_her(results: Sequence[Result], seconds: float, tale: str = LONG * 20) -> list[Event]:
    """What happens while she tells something of so many seconds, and answers briefly what stops her."""
    words = [f"{word} " for word in tale.split()][: round(seconds / 0.3)]
    clock = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return anyio.run(_beside_her, results, words, backend="trio", backend_options=clock)


def overheard(events: list[Event]) -> Iterator[str]:
    """What the ears made of it."""
    return (event.text for event in events if isinstance(event, SpeechHeard))


def test_a_cough_a_hum_and_laughter_do_not_stop_her(whisper: Whisper) -> None:
    sounds = [
        coughs(0, 2, 120.0),
        mhm(0, 120.0),
        laughter(0, 5, 240.0, AH),
        espeak("Heh heh heh."),
        coughs(1, 3, 210.0),
        mhm(1, 210.0),
        laughter(0, 8, 140.0, EE),
        laughter(2, 5, 300.0, EE),
        espeak("Ha ha ha ha!"),
    ]
    sound = after(0.5, *sounds)
    events = beside_her(understood(whisper, sound), len(sound) / RATE + 3.0)
    first = next(e for e in events if isinstance(e, TurnEnded))
    assert first.ending is Ending.FINISHED and first.heard == first.said, list(overheard(events))


def test_words_behind_a_cough_stop_her_and_are_answered(
    whisper: Whisper, said: dict[str, NDArray[np.int16]]
) -> None:
    events = beside_her(understood(whisper, after(0.5, coughs(0, 2, 120.0), said[STOP])), 15.0)
    first = next(e for e in events if isinstance(e, TurnEnded))
    assert first.ending is Ending.CUT and first.heard
    held = next(e for e in events if isinstance(e, SpeechHeard) and len(real(e.text)) >= SECOND)
    assert 0 <= first.at - held.at < 0.2, "these did, and not the cough"
    asked = [e.line.text for e in events if isinstance(e, TurnStarted)]
    assert likeness(" ".join(asked[1:]), STOP) > ALIKE, asked


def test_her_own_voice_out_of_a_loudspeaker_does_not_stop_her(
    whisper: Whisper, said: dict[str, NDArray[np.int16]]
) -> None:
    """80 ms late, 15 dB down, 20 dB over noise: what an echo canceller may leave. (In more noise it is chance
    whether a few words are misheard so far that nothing knows them for hers.)"""
    late, level = round(0.08 * RATE), 10 ** (-15 / 20)
    leak = np.concatenate([np.zeros(late), level * said[TALE], np.zeros(2 * RATE)])
    loud = level * np.sqrt(np.mean(said[TALE].astype(float) ** 2)) * 10 ** (-20 / 20)
    leak += np.random.default_rng(3).normal(0, loud, len(leak))
    events = beside_her(understood(whisper, leak.astype("<i2")), 60.0, TALE)
    made = list(overheard(events))
    assert made, "the ears heard something"
    first = next(e for e in events if isinstance(e, TurnEnded))
    assert first.ending is Ending.FINISHED and first.heard == TALE, made
    assert not [e.line.text for e in events if isinstance(e, TurnStarted)][1:], made
