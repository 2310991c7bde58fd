"""How long a voice takes for a text: whether a clause has all its sound, and which of its words it lacks."""

from __future__ import annotations

import statistics
from collections import deque

from glue.errors import ConfigError

KEPT = 31  # clauses of a voice that its pace is the median of: an odd one now and then moves it little
GIVEN = 3  # of them are the config's at first
TELLING = 10  # letters; what is shorter is mostly the silence around it


class Tempo:
    """Every voice's own pace; each begins with `pace` letters a second. Less than the share `whole` of the
    sound that its pace lets expect, or less than `shortest_s`, is a text cut short."""

    def __init__(self, pace: float, whole: float, shortest_s: float) -> None:
        if pace <= 0 or not 0 <= whole <= 1:
            raise ConfigError("speech.adapter: pace is above 0 (letters a second), whole a share from 0 to 1")
        self._given, self._whole, self._shortest = 1 / pace, whole, shortest_s
        self._heard: dict[str, deque[float]] = {}  # seconds a letter, by voice

    def enough(self, text: str, voice: str) -> float:
        """Seconds of sound from which on `text` is taken for whole."""
        return max(self._shortest, self._whole * letters(text) * self._a_letter(voice))

    def heard(self, text: str, voice: str, seconds: float, again: bool = False) -> None:
        """So long was its sound. One that seems short says nothing, for it may be cut short; where it was
        asked for `again`, it counts as well: a voice may be quicker than given."""
        whole = again or seconds >= self.enough(text, voice)
        if whole and (count := letters(text)) >= TELLING:
            known = self._heard.setdefault(voice, deque([self._given] * GIVEN, KEPT))
            known.append(seconds / count)

    def behind(self, text: str, voice: str, seconds: float) -> str:
        """What is left of `text` where its sound broke off after so long, from the beginning of that word."""
        said, words = seconds / self._a_letter(voice), text.split()
        while words and (said := said - letters(words[0])) >= 0:
            del words[0]
        return " ".join(words) if letters("".join(words)) else ""

    def _a_letter(self, voice: str) -> float:
        return statistics.median(self._heard.get(voice, [self._given]))


def letters(text: str) -> int:
    """How many of its characters are spoken."""
    return sum(map(str.isalnum, text))
