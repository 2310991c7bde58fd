"""What she adds when something has happened in a game: a line of the persona's, by how it went. Pure.

A small model that is told what happened goes on with what did not. These lines tell nothing, so none of them
is ever false; a model that is trusted says its own instead (`turn.goes_on`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random

from glue.mind.bag import Bag


class Feeling(StrEnum):
    """How something went for her."""

    HURT = "hurt"  # she was hit, scared or killed
    BADLY = "badly"  # it did not work, or she is behind
    WELL = "well"
    PLAIN = "plain"  # an ordinary thing was done


RULES: tuple[tuple[Feeling, re.Pattern[str]], ...] = tuple(
    (feeling, re.compile(pattern, re.IGNORECASE))
    for feeling, pattern in (
        (Feeling.HURT, r"\bI (?:died|ran away|got out of|was (?:killed|slain|hit|shot|blown))\b|\bhit me\b"),
        (Feeling.WELL, r"^I (?:took|castled|[^.]*\b(?:check|checkmate|now a)\b)"),
        (
            Feeling.BADLY,
            r"\bI (?:could not|couldn't|did not|didn't|failed|lost|stopped fighting|(?:found|see|have) no)\b"
            r"|\bfailed\b|\bbehind\b|\bit did not work\b|(?<!\bI )\bwon\b",
        ),
        (
            Feeling.WELL,
            r"\bI (?:got|built|made|crafted|smelted|slept|won|found|beat)\b|\bit is dead\b|\bahead\b",
        ),
    )
)
OFTEN: Mapping[Feeling, float] = {  # the share of what happens that she says something to
    Feeling.HURT: 0.9,
    Feeling.BADLY: 0.7,
    Feeling.WELL: 0.7,
    Feeling.PLAIN: 0.3,
}


def feeling_of(happened: str) -> Feeling:
    """How what she tells of went for her, by its words; the first rule that matches."""
    return next((feeling for feeling, pattern in RULES if pattern.search(happened)), Feeling.PLAIN)


class Asides:
    """A persona's lines, each one said before any is said again."""

    def __init__(self, lines: Mapping[Feeling, Sequence[str]], seed: int = 0) -> None:
        """`seed` 0: by chance."""
        self._random = Random(seed or None)
        self._lines = {feeling: Bag(some, self._random) for feeling, some in lines.items() if some}

    def after(self, happened: str) -> str:
        """What she adds to `happened`; "" where she leaves it at that."""
        feeling = feeling_of(happened)
        if feeling not in self._lines or self._random.random() >= OFTEN[feeling]:
            return ""
        return self._lines[feeling].draw()
