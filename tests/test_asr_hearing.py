"""When the ears recognise what there is, and when they take it for said: by the stream's own clock, with a
detector for which whatever is loud is a voice, and words that are given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from engines.asr.detector import RATE, WINDOW, Detector, Samples
from engines.asr.hearing import Hearing, Result, Settings
from engines.asr.whisper import Heard

STEP = WINDOW / RATE  # seconds
WHOLE, OPEN = "I like trains.", "I like trains and."


class Loud:
    """A detector."""

    def run(self, sound: Samples, h: Samples, c: Samples) -> tuple[Samples, Samples, Samples]:
        loud = np.abs(sound).mean(axis=1) > 0.1
        return np.where(loud, 0.9, 0.05).astype(np.float32), h, c


@dataclass
class Stream:
    """One stream; `asked`: when each recognition began, seconds of the stream."""

    says: str = WHOLE
    settings: Settings = field(default_factory=Settings)
    results: list[Result] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    at: float = 0.0

    async def hear(self, sound: Samples) -> Heard:
        self.asked.append(self.at)
        return Heard(self.says.format(n=len(self.asked)), -0.2, 0.01)

    async def tell(self, result: Result) -> None:
        self.results.append(result)

    async def play(self, *stretches: tuple[float, float]) -> Stream:
        """(loudness, seconds) one after another, as fast as it is taken."""
        hearing = Hearing(cast(Detector, Loud()), self.hear, self.tell, self.settings)
        for loud, seconds in stretches:
            for _ in range(round(seconds / STEP)):
                self.at += STEP
                await hearing.feed(np.full(WINDOW, loud, np.float32))
                await asyncio.sleep(0)  # a recognition takes no time of the stream
        await hearing.stop()
        return self

    @property
    def finals(self) -> list[Result]:
        return [result for result in self.results if result.final]


def played(*stretches: tuple[float, float], says: str = WHOLE, **settings: float) -> Stream:
    return asyncio.run(Stream(says, Settings(**settings)).play(*stretches))  # type: ignore[arg-type]  # numbers


@pytest.mark.parametrize(
    ("says", "settings", "silence"),
    [
        (WHOLE, {}, 0.38),
        (OPEN, {}, 0.9),
        (WHOLE, {"stop": 0.6}, 0.6),
        (OPEN, {"stop_open": 1.4}, 1.4),
        ("Do you like trains?", {"stop": 0.2}, 0.2),
    ],
)
def test_how_much_silence_ends_an_utterance_depends_on_its_words(
    says: str, settings: dict[str, float], silence: float
) -> None:
    (final,) = played((0.0, 0.5), (0.5, 1.5), (0.0, 2.5), says=says, **settings).finals
    assert final.text == says and final.at - 2.0 == pytest.approx(silence, abs=2 * STEP)


@pytest.mark.parametrize("guess", [0.1, 0.3])
def test_it_is_recognised_when_the_pause_begins_and_not_again_when_it_is_the_end(guess: float) -> None:
    stream = played((0.0, 0.5), (0.5, 1.5), (0.0, 2.5), guess=guess, interim=9.0)
    assert stream.asked == [pytest.approx(2.0 + guess, abs=2 * STEP)], "so that the words are there by then"
    assert stream.finals[0].at > stream.asked[0] + 0.05


def test_who_goes_on_behind_a_pause_is_recognised_again_as_a_whole() -> None:
    pause = ((0.5, 1.0), (0.0, 0.25))
    stream = played((0.0, 0.5), *pause, *pause, (0.0, 1.5), says="Guess number {n}.", interim=9.0)
    assert len(stream.asked) == 2, "once a pause"
    assert [(r.text, r.final) for r in stream.results] == [
        ("Guess number 1.", False),
        ("Guess number 2.", False),
        ("Guess number 2.", True),
    ]


@pytest.mark.parametrize(("interim", "times"), [(0.5, 6), (1.0, 3)])
def test_while_somebody_speaks_the_words_so_far_are_told_now_and_then(interim: float, times: int) -> None:
    stream = played((0.0, 0.5), (0.5, 2.9), says="Guess number {n}.", interim=interim)
    assert len(stream.results) == times and not stream.finals
    apart = np.diff([result.at for result in stream.results])
    assert apart == pytest.approx(interim, abs=2 * STEP)


def test_who_does_not_pause_is_told_in_parts() -> None:
    first, second = played((0.0, 0.5), (0.5, 4.6), longest=2.0).finals
    assert second.at - first.at == pytest.approx(2.0, abs=0.4)
