"""When somebody speaks, pauses and has finished: from voice probabilities; pure, without a clock.

An utterance begins with a few voiced windows and ends with silence. How much silence is the caller's to say
each time: little where the words sound complete, more where they do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engines.asr.detector import RATE, WINDOW

STEP = WINDOW / RATE  # seconds


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of the probability of a voice; `start_s` of voice in the last `WITHIN` seconds begin an utterance."""

    start: float = 0.55
    stop: float = 0.35
    start_s: float = 0.09


WITHIN = 0.25  # seconds
NOISE_S = 0.20  # of voice in all: an utterance with less is a click, a cough or a breath


class Mark(Enum):
    """What a window changed."""

    BEGAN = "began"
    PAUSED = "paused"  # voice, and now none: perhaps the end
    RESUMED = "resumed"


class Endpoint:
    """One stream's state. Feed it every window; `reset()` when the utterance is closed."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._limits = thresholds or Thresholds()
        self.reset()

    def reset(self) -> None:
        """Wait for the next utterance."""
        self.speaking = False
        self.silence = 0.0  # seconds since the last voice
        self.voiced = 0.0  # seconds of voice in this utterance
        self.pauses = 0  # how often it paused
        self._recent: list[bool] = []

    @property
    def paused(self) -> bool:
        """Whether there is an utterance, and silence now."""
        return self.speaking and self.silence > 0

    @property
    def worth_hearing(self) -> bool:
        """Whether there was more than a click."""
        return self.voiced >= NOISE_S

    def feed(self, probability: float) -> Mark | None:
        """The next window's probability of a voice."""
        if not self.speaking:
            return self._wait(probability)
        if probability >= self._limits.stop:
            paused, self.silence = self.silence > 0, 0.0
            self.voiced += STEP
            return Mark.RESUMED if paused else None
        self.silence += STEP
        if self.silence > STEP:
            return None
        self.pauses += 1
        return Mark.PAUSED

    def _wait(self, probability: float) -> Mark | None:
        self._recent = [*self._recent, probability >= self._limits.start][-round(WITHIN / STEP) :]
        self.voiced = sum(self._recent) * STEP
        if self.voiced < self._limits.start_s:
            return None
        self.speaking = True
        return Mark.BEGAN
