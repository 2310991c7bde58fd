"""What a voice beside hers means: an interruption, a murmur, or her own words out of a loudspeaker. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import Enum

from glue.desk_events import ClauseChanged, ClauseVoiced
from glue.events import ClauseCleared, Event, Fate, TurnEnded
from glue.interest import plain

# Said while one listens; nobody means to take the floor with them.
MURMURS = frozenset(
    {"mhm", "mm", "mmm", "hm", "hmm", "uh", "um", "uhm", "er", "ah", "aah", "oh", "ooh", "huh", "wow"}
    | {"ha", "haha", "hahaha", "heh", "hehe", "okay", "ok", "yeah", "yes", "no", "right"}
)
SECOND = 2  # real words that take the floor
MANY = 5  # words: of so many, a recogniser may have misheard some
ECHO = 0.8  # of them, in order, were hers
PACE = 0.45  # seconds a word, rather more than she takes
AHEAD = 1.0  # seconds of sound that wait when a clause is voiced
LAG = 2.0  # seconds from a word to the words that hold it
ROOM = 0.5  # the same, where it is known when they were said: through a page, a loudspeaker and the air


class Meaning(Enum):
    """Of words that are heard while she may be speaking."""

    NOTHING = "nothing"  # a murmur, or herself
    DOUBT = "doubt"  # a first real word: she lowers her voice
    FLOOR = "floor"  # somebody talks: she stops


@dataclass(slots=True)
class Said:
    """Words of hers, and when they can be heard."""

    begin: float
    end: float
    words: list[str]


@dataclass(slots=True)
class Overheard:
    """Knows what she said lately."""

    _said: deque[Said] = field(default_factory=lambda: deque(maxlen=64))
    _cleared: dict[tuple[str, int], str] = field(default_factory=dict)  # clauses that the voice has not yet

    def note(self, event: Event, late: float) -> None:
        """An event of the show; `late`: seconds that all sound is held back. What the operator holds back
        she has not said."""
        match event:
            case ClauseCleared() | ClauseChanged():
                self._cleared[event.turn, event.index] = event.text
            case ClauseVoiced(at, _, turn, index):
                self.says(self._cleared.pop((turn, index), ""), at + late)
            case TurnEnded(at):
                self._cleared.clear()
                for said in self._said:
                    said.end = min(said.end, at)
            case _:
                pass

    def says(self, text: str, now: float) -> None:
        """She begins to say this, or will when what waits has been heard."""
        words = plain(text).split()
        self._said.append(Said(now, now + AHEAD + PACE * len(words), words))

    def meaning(self, text: str, now: float) -> Meaning:
        """Of words heard so far."""
        words = real(text)
        if not words or self.echo(text, now):
            return Meaning.NOTHING
        return Meaning.FLOOR if len(words) >= SECOND else Meaning.DOUBT

    def unmeant(self, text: str, now: float, spoken: float | None, speaking: bool) -> Fate | None:
        """The fate of an utterance that was not said to her, who is `speaking` or not; None if it was.
        `spoken`: when it ended, if that is known."""
        if self.echo(text, now, spoken):
            return Fate.ECHO
        return Fate.IGNORED if speaking and not real(text) else None

    def echo(self, text: str, now: float, spoken: float | None = None) -> bool:
        """Whether these are her own words, as a microphone hears them: what could be heard while they were
        said, without a gap, or nearly all of many. In an answer to her, some of her words come again."""
        heard = plain(text).split()
        until, slack = (now, LAG) if spoken is None else (spoken, ROOM)
        began = until - PACE * len(heard) - slack
        audible = [said for said in self._said if said.begin <= until and said.end >= began]
        hers = [word for said in audible for word in said.words]
        return bool(heard) and (_runs(heard, hers) or _shared(heard, hers) >= ECHO)


def real(text: str) -> list[str]:
    """The words that are more than a murmur."""
    return [word for word in plain(text).split() if word not in MURMURS]


def _runs(heard: Sequence[str], hers: Sequence[str]) -> bool:
    """Whether `heard` stands in `hers` without a gap, however a recogniser parts it into words; the last
    word may be cut off."""
    if len(heard) == 1:
        return heard[0] in hers
    return any("".join(hers[at:]).startswith("".join(heard)) for at in range(len(hers)))


def _shared(heard: Sequence[str], hers: Sequence[str]) -> float:
    """The share of `heard`, if it is many words, that stands in the same order in `hers`."""
    if len(heard) < MANY:
        return 0.0
    matcher = SequenceMatcher(None, heard, hers, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(heard)
