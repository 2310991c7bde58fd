"""Coughs, laughter and humming as sound, into real ears in real time, while she speaks: she goes on."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

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
from glue.senses.ears_wav import WavEars
from glue.senses.riva_asr import RivaAsr
from glue.show import Show
from tests.core import NoMemory, Scene, SlowLlm
from tests.need import need_package
from tests.wires.listening import RATE, TALE, quiet, synthesised
from tests.wires.sounds import AH, EE, coughs, laughter, mhm

pytestmark = pytest.mark.anyio
STOP = "Wait, stop. I have another question."
LONG = "The old train went over the hills. It was a very quiet night there. Nobody had ever been so far. "
APART = 1.2  # seconds between two sounds


@pytest.fixture(scope="module")
def stop(piper: int) -> NDArray[np.int16]:
    """Words that stop her."""
    return synthesised(piper, STOP)


def espeak(text: str) -> NDArray[np.int16]:
    """By rules, which know no laughter. In a process of its own: the library may take down its caller."""
    need_package("espeakng_loader", "uv sync --all-extras --inexact")
    told = "import sys; from engines.asr.espeak import Espeak; "
    told += f"sys.stdout.buffer.write(Espeak().say('en-us', {text!r}).tobytes())"
    return np.frombuffer(
        subprocess.run([sys.executable, "-c", told], capture_output=True, check=True).stdout, "<i2"
    )


def written(path: Path, *sounds: NDArray[np.int16], begins: float = 0.5) -> Path:
    """One after the other, in a quiet room, once she has begun to speak."""
    parts = [part for sound in sounds for part in (sound, quiet(APART))]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.concatenate([quiet(begins), *parts]).tobytes())
    return path


@dataclass
class Asked:
    """Somebody wants to hear something long, in chat."""

    async def events(self) -> AsyncIterator[Event]:
        yield LineArrived(anyio.current_time(), ChatLine("c1", "mika", "tell me a story", Source.CONSOLE))


@dataclass
class Behind:
    """Ears that somebody is heard by once she speaks."""

    ears: WavEars
    speaks: anyio.Event

    async def events(self) -> AsyncIterator[Event]:
        await self.speaks.wait()
        async for event in self.ears.events():
            yield event


async def heard_beside_her(port: int, file: Path, seconds: float, tale: str = LONG * 20) -> list[Event]:
    """What happens while she tells something of so many seconds, and answers briefly what stops her."""
    words = [f"{word} " for word in tale.split()][: round(seconds / 0.3)]
    scene, speaks = Scene(llm := SlowLlm(words=words), memory=NoMemory()), anyio.Event()

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
    async with RivaAsr(f"127.0.0.1:{port}") as asr, WavEars(asr, str(file)) as ears:
        async with anyio.create_task_group() as tg:
            tg.start_soon(scene.mixer.run)
            with anyio.fail_after(90):
                await show.run([Asked(), Behind(ears, speaks)])
            tg.cancel_scope.cancel()
    return scene.events


def overheard(events: list[Event]) -> Iterator[str]:
    """What the ears made of it."""
    return (event.text for event in events if isinstance(event, SpeechHeard))


async def test_a_cough_a_hum_and_laughter_do_not_stop_her(ears: int, tmp_path: Path) -> None:
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
    file = written(tmp_path / "sounds.wav", *sounds)
    seconds = sum(len(sound) / RATE + APART for sound in sounds) + 3.0
    events = await heard_beside_her(ears, file, seconds)
    first = next(e for e in events if isinstance(e, TurnEnded))
    assert first.ending is Ending.FINISHED and first.heard == first.said, list(overheard(events))


async def test_words_behind_a_cough_stop_her_and_are_answered(
    ears: int, stop: NDArray[np.int16], tmp_path: Path
) -> None:
    file = written(tmp_path / "stop.wav", coughs(0, 2, 120.0), stop)
    events = await heard_beside_her(ears, file, 15.0)
    first = next(e for e in events if isinstance(e, TurnEnded))
    assert first.ending is Ending.CUT and first.heard
    held = next(e for e in events if isinstance(e, SpeechHeard) and len(real(e.text)) >= SECOND)
    assert first.at >= held.at, "the cough did not"
    asked = [e.line.text for e in events if isinstance(e, TurnStarted)]
    assert len(asked) == 2 and "question" in asked[1]


@pytest.mark.parametrize("over_noise", [20, 10, 5])  # dB
async def test_her_own_voice_out_of_a_loudspeaker_does_not_stop_her(
    ears: int, said: dict[str, NDArray[np.int16]], over_noise: int, tmp_path: Path
) -> None:
    """80 ms late, 15 dB down: what an echo canceller may leave."""
    late, level = round(0.08 * RATE), 10 ** (-15 / 20)
    leak = np.concatenate([np.zeros(late), level * said[TALE], np.zeros(2 * RATE)])
    loud = level * np.sqrt(np.mean(said[TALE].astype(float) ** 2)) * 10 ** (-over_noise / 20)
    leak += np.random.default_rng(3).normal(0, loud, len(leak))
    file = written(tmp_path / "leak.wav", leak.astype("<i2"), begins=0.0)
    events = await heard_beside_her(ears, file, 60.0, TALE)
    made = list(overheard(events))
    assert made, "the ears heard something"
    first = next(e for e in events if isinstance(e, TurnEnded))
    assert first.ending is Ending.FINISHED and first.heard == TALE, made
    assert not [e.line.text for e in events if isinstance(e, TurnStarted)][1:], made
