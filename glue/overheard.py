"""What a voice beside hers means: an interruption, a murmur, or her own words out of a loudspeaker. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import Enum

from glue.events import Fate
from glue.interest import plain

# Said while one listens; nobody means to take the floor with them.
MURMURS = frozenset(
    {"mhm", "mm", "mmm", "hm", "hmm", "uh", "um", "uhm", "er", "ah", "aah", "oh", "ooh", "huh", "wow"}
    | {"ha", "haha", "hahaha", "heh", "hehe", "okay", "ok", "yeah", "yes", "no", "right"}
)
SECOND = 2  # real words that take the floor
ECHO = 0.6  # of the words, in order, were hers
RECENT = 15.0  # seconds that her words are remembered, from when they were written


class Meaning(Enum):
    """Of words that are heard while she may be speaking."""

    NOTHING = "nothing"  # a murmur, or herself
    DOUBT = "doubt"  # a first real word: she lowers her voice
    FLOOR = "floor"  # somebody talks: she stops


@dataclass(slots=True)
class Overheard:
    """Knows what she said lately."""

    _said: deque[tuple[float, str]] = field(default_factory=deque)

    def says(self, text: str, now: float) -> None:
        """She is about to say this."""
        self._said.append((now, plain(text)))

    def meaning(self, text: str, now: float) -> Meaning:
        """Of words heard so far."""
        words = real(text)
        if not words or self.echo(text, now):
            return Meaning.NOTHING
        return Meaning.FLOOR if len(words) >= SECOND else Meaning.DOUBT

    def unmeant(self, text: str, now: float, speaking: bool) -> Fate | None:
        """The fate of an utterance that was not said to her, who is `speaking` or not; None if it was."""
        if self.echo(text, now):
            return Fate.ECHO
        return Fate.IGNORED if speaking and not real(text) else None

    def echo(self, text: str, now: float) -> bool:
        """Whether these are her own words, as a microphone hears them."""
        while self._said and self._said[0][0] < now - RECENT and len(self._said) > 1:
            self._said.popleft()
        heard = plain(text).split()
        hers = " ".join(said for _, said in self._said).split()
        return bool(heard) and _shared(heard, hers) / len(heard) >= ECHO


def real(text: str) -> list[str]:
    """The words that are more than a murmur."""
    return [word for word in plain(text).split() if word not in MURMURS]


def _shared(heard: Sequence[str], hers: Sequence[str]) -> int:
    """How many of `heard` stand in the same order in `hers`."""
    matcher = SequenceMatcher(None, heard, hers, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())
