"""What a voice beside hers means: an interruption, a murmur, or her own words out of a loudspeaker. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import Enum

import numpy as np

from glue.desk_events import ClauseChanged, ClauseVoiced
from glue.events import ClauseCleared, Event, Fate, TurnEnded
from glue.interest import plain
from glue.song_events import SongStarted
from glue.unsaid import Unsaid

# Said while one listens; nobody means to take the floor with them.
MURMURS = frozenset(
    {"mhm", "mm", "mmm", "hm", "hmm", "uh", "um", "uhm", "er", "ah", "aah", "oh", "ooh", "huh", "wow"}
    | {"ha", "haha", "hahaha", "heh", "hehe", "okay", "ok", "yeah", "yes", "no", "right"}
)
# However long: "hahahaha", "heh", "mhm", "uh-huh", "aww".
SOUND = re.compile(
    r"[hmn]+|(?:h+[aeou]+){2,}h*|h+[aeou]+h+|h+(?:aa|ee|oo)|[aeou]+h+(?:h*[aeou]+h*)*|aw+|ew|ahem|achoo|ugh"
)
APOSTROPHE = re.compile("['\u2019]")
SECOND = 2  # real words that take the floor
DOUBT_S = 1.2  # that she is quieter after a first word; if nothing follows she goes on as she was
MANY = 5  # words: of so many, a recogniser may have misheard some
ECHO = 0.8  # of them, in order, were hers
# Of the letters, in order, of few words and of many: of 65 leaks of ten sentences (15 dB down, 5 to 20 dB
# over noise) three had fewer; of 400 answers, some in her words, none in few words had more than 0.86, in
# many 0.63 ("what do you mean" has 0.77 of "what do you think"; "my favourite" is heard as "my favorite").
# That was counted before the rules below, for which there are other answers: "I like the rain" had 0.92.
LETTERS = (0.9, 0.75)
SPELT = 10  # letters, of fewer nothing is known: "no" stands in "know", "stop" in "just open"
# Who answers says these of their own; a recogniser seldom makes them of anything else.
THEIRS = frozenset("i me my mine no nope not never yes yeah yep".split())
TELLING = 4  # letters of a word whose place tells something
HEARD, HERS = 80, 400  # letters that are compared, the newest: it takes a millisecond
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
    """Knows what she said lately, and what she did not come to say."""

    unsaid: Unsaid = field(default_factory=Unsaid)
    _said: deque[Said] = field(default_factory=lambda: deque(maxlen=64))
    _cleared: dict[tuple[str, int], str] = field(default_factory=dict)  # clauses that the voice has not yet
    _sings: bool = False  # a word of a song lasts as long as it likes

    def note(self, event: Event, late: float) -> None:
        """An event of the show; `late`: seconds that all sound is held back. What the operator holds back
        she has not said."""
        self.unsaid.note(event)
        match event:
            case ClauseCleared() | ClauseChanged():
                self._cleared[event.turn, event.index] = event.text
            case SongStarted():
                self._sings = True
            case ClauseVoiced(at, _, turn, index):
                self.says(self._cleared.pop((turn, index), ""), at + late)
            case TurnEnded(at):
                self._cleared.clear()
                self._sings = False
                for said in self._said:
                    said.end = min(said.end, at)
            case _:
                pass

    def says(self, text: str, now: float) -> None:
        """She begins to say this, or will when what waits has been heard. A line of a song lasts until the
        next one is there, or it is over."""
        words = plain(text).split()
        if self._sings and self._said:
            self._said[-1].end = min(self._said[-1].end, now + AHEAD)
        end = float("inf") if self._sings else now + AHEAD + PACE * len(words)
        self._said.append(Said(now, end, words))

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
        if speaking and not real(text):
            return Fate.IGNORED
        self.unsaid.drop()
        return None

    def echo(self, text: str, now: float, spoken: float | None = None) -> bool:
        """Whether these are her own words, as a microphone hears them: what could be heard while they were
        said, without a gap, or nearly all of many, or nearly their letters. In an answer to her, some of her
        words come again, with others that are not hers, or in another order."""
        heard = plain(text).split()
        hers = self._audible(heard, now, LAG) if spoken is None else self._audible(heard, spoken, ROOM)
        if not heard or _runs(heard, hers):
            return bool(heard)
        if _answers(heard, hers):
            return False
        many = len(heard) >= MANY
        return (many and _shared(heard, hers) >= ECHO) or _letters(heard, hers) >= LETTERS[many]

    def _audible(self, heard: Sequence[str], until: float, slack: float) -> list[str]:
        """Her words that could be heard while these were."""
        began = until - PACE * len(heard) - slack
        audible = [said for said in self._said if said.begin <= until and said.end >= began]
        return [word for said in audible for word in said.words]


def real(text: str) -> list[str]:
    """The words that are more than a murmur. "That's" is one; a letter is none, however often: a recogniser
    writes laughter as "H-h-h-h" or "CCC, CCC" and a hum as "M.H.M."."""
    words = plain(APOSTROPHE.sub("", text)).split()
    return [word for word in words if word not in MURMURS and not SOUND.fullmatch(word) and not _letter(word)]


def _letter(word: str) -> bool:
    return len(set(word)) == 1 and word.isascii() and word.isalpha() and word != "i"


def _runs(heard: Sequence[str], hers: Sequence[str]) -> bool:
    """Whether `heard` stands in `hers` without a gap, however a recogniser parts it into words; the last
    word may be cut off."""
    if len(heard) == 1:
        return heard[0] in hers
    return any("".join(hers[at:]).startswith("".join(heard)) for at in range(len(hers)))


def _shared(heard: Sequence[str], hers: Sequence[str]) -> float:
    """The share of `heard` that stands in the same order in `hers`."""
    matcher = SequenceMatcher(None, heard, hers, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(heard)


def _answers(heard: Sequence[str], hers: Sequence[str]) -> bool:
    """Whether somebody else must have said it: "I like the rain" to "do you like the rain?", "dogs are better
    than cats" to "cats are better than dogs"."""
    own = {*hers, "not"} if "t" in hers else {*hers}  # "don't" may be heard as "do not"
    if not own.issuperset(THEIRS.intersection(heard)):
        return True
    once = [word for word in heard if len(word) >= TELLING and heard.count(word) == hers.count(word) == 1]
    return once != sorted(once, key=hers.index)


def _letters(heard: Sequence[str], hers: Sequence[str]) -> float:
    """The share of the letters of `heard` that need not be changed, added or left out to make some words of
    `hers` of it: a recogniser takes "chess is" for "justice", though the speaker is the same."""
    whole, text = "".join(heard), "".join(hers)
    if len(whole) < SPELT:
        return 0.0
    said, row = whole[-HEARD:], np.array(list(text[-HERS:]))
    places = np.arange(len(row) + 1)
    ends = np.cumsum([0, *map(len, hers)]) - (len(text) - len(row))
    between = np.isin(places, ends)  # her words, or where what is compared begins
    between[0] = True
    anywhere = len(whole) > HEARD  # the words before it are not compared
    least = np.where(between | anywhere, 0.0, len(said))  # edits of what was heard so far, by where it ends
    for letter in said:
        changed = np.minimum(least[1:] + 1, least[:-1] + (row != letter))
        best = np.concatenate([[least[0] + 1], changed])
        least = np.minimum.accumulate(best - places) + places  # or some of hers were left out
    return 1 - float(least[between].min()) / len(said)
