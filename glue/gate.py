"""Between a clause and the voice: pass it, change it, hold it back or put another in its place.

Everything that leaves goes through. What leaks her prompt, repeats her or is assistant talk is held; what
glue/safety finds is replaced by a line of the persona's, and the rest of the reply is dropped. No I/O.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glue.events import ChatLine
from glue.romanised import romanised
from glue.safety.private import redact
from glue.safety.screen import Judged, Screen
from glue.safety_events import Screened
from glue.template_marks import unmarked

LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
WORD = re.compile(r"\w+")
CODE = re.compile(r"[A-Za-z0-9+/=_-]{32,}")  # base64 of something: nobody can hear what it says
VARIED = 12  # different letters that such code has, and "aaaaaah" has not
HERSELF = {
    "i": "you",
    "im": "youre",
    "my": "your",
    "me": "you",
    "am": "are",
    "myself": "yourself",
    "her": "your",
    "she": "you",
}
GRAM = 4  # words: so many in a row, again and again, are the prompt with a word changed here and there
GRAMS = 6
TAIL = 60  # characters of what she just said that a clause may complete
LATELY = 24  # clauses that she must not say again
SHORT = 5  # words: shorter ones ("Nice hat, Mika!") may come again
READS = "en"  # letters that every voice reads somehow: what is judged as it sounds
NOTHING = Judged(Screened.PASSED, "")


@dataclass(frozen=True, slots=True)
class Passed:
    """The clause may be spoken as it is, or with `changed` words."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The clause must not be spoken; `why` is for the journal. The reply goes on."""

    why: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The clause must not be spoken, nor what follows it; `text` is said instead ("": nothing is)."""

    text: str
    why: str


Verdict = Passed | Held | Replaced


class Gate:
    """Judges the clauses of one character. `secret` is text that must not be read out, such as the prompt."""

    def __init__(
        self,
        secret: str = "",
        blocked: Iterable[str] = (),
        run: int = 9,
        screen: Screen | None = None,
        instead: Sequence[str] = (),
    ) -> None:
        """`blocked`: words or phrases; `run`: so many words in a row from `secret` are a leak; `screen`:
        the filters, none for a closed room; `instead`: what she says in place of what is refused."""
        plain, signs = _sorted(blocked)
        self._blocked, self._signs = plain, signs
        self._lengths = {len(words) for words in self._blocked}
        self._run = run
        self._leaks = set(_in_a_row(_plain(secret), run))
        self._grams = set(_in_a_row(_plain(secret), GRAM))
        self._screen = screen
        self._instead = deque(instead)
        self._lately: deque[tuple[str, ...]] = deque(maxlen=LATELY)
        self._line: tuple[str, Judged] = ("", NOTHING)

    def check(self, text: str, line: ChatLine | None = None, said: Sequence[str] = ()) -> Verdict:
        """Judge one clause of an answer to `line`, after the clauses that were `said` already."""
        both = _sounds(text, " ".join(said)[-TAIL:])
        if any(self._holds_blocked(words) for words, _ in both):
            return Held("a blocked word")
        if self._leaky(text):
            return self._replaced("leak: the prompt, word for word")
        for words, before in both:
            if why := self._refused(words, line, before):
                return self._replaced(why)
        mended = unmarked(text)
        mended = LINK.sub("a link", mended) if self._screen is None else redact(mended)[0]
        mended = " ".join(mended.split())
        if not WORD.search(romanised(mended, READS)):
            return Held("nothing left to say")
        happened = line is not None and line.certain and text == line.text  # things happen again
        if self._screen is not None and not happened and self._again(mended, said):
            return Held("she said that a moment ago")
        return Passed(mended, changed=mended != text)

    def refuses(self, text: str) -> str:
        """Why a person's words for her, or hers for a game, must not leave; "" where they may: those
        may repeat her."""
        both = _sounds(text, "")
        if any(self._holds_blocked(words) for words, _ in both):
            return "a blocked word"
        if self._leaky(text):
            return "leak: the prompt, word for word"
        return next(filter(None, (self._refused(words, None, before) for words, before in both)), "")

    def _holds_blocked(self, text: str) -> bool:
        """Looked up by words, so that a long list costs a clause nothing."""
        if self._signs is not None and self._signs.search(text):
            return True
        words = _words(text) if self._blocked else ()
        return any(run in self._blocked for length in self._lengths for run in _in_a_row(words, length))

    def _leaky(self, text: str) -> bool:
        words = _plain(text)
        both = (words, words[::-1])
        grams = [gram in self._grams for gram in _in_a_row(words, GRAM)]
        if sum(grams) >= max(GRAMS, len(grams) / 2):
            return True
        if any(len(set(found)) >= VARIED for found in CODE.findall(text)):
            return True
        return any(not self._leaks.isdisjoint(_in_a_row(w, self._run)) for w in both)

    def _refused(self, text: str, line: ChatLine | None, before: str) -> str:
        """Why the filters will not have it; "" where they will."""
        if self._screen is None:
            return ""
        found = self._screen.clause(text, before)
        if found is None and line is not None and line.text:
            if self._line[0] != line.text:  # once a reply
                self._line = (line.text, self._screen.line(line.text))
            found = self._screen.answer(text, self._line[1], line.text)
        return f"{found.family}: {found.why}" if found else ""

    def _replaced(self, why: str) -> Replaced:
        if not self._instead:
            return Replaced("", why)
        self._instead.rotate(-1)
        return Replaced(self._instead[-1], why)

    def heard(self, clauses: Iterable[str]) -> None:
        """These were spoken: not to be said again. What was cut before, nobody knows: it may come yet."""
        self._lately += _long(clauses)

    def _again(self, text: str, said: Sequence[str]) -> bool:
        return any(words in self._lately or words in _long(said) for words in _long([text]))


def _sounds(text: str, before: str) -> Iterable[tuple[str, str]]:
    """A clause and what was said before it: as they are written, and as a voice says them."""
    return dict.fromkeys(((text, before), (romanised(text, READS), romanised(before, READS))))


def _sorted(blocked: Iterable[str]) -> tuple[set[tuple[str, ...]], re.Pattern[str] | None]:
    """Entries by their words, and a pattern of those at whose ends stand signs, as in "c++" and "<3"."""
    entries = [entry.strip() for entry in blocked if entry.strip()]
    signs = [entry for entry in entries if not (_word(entry[0]) and _word(entry[-1]))]
    plain = {_words(entry) for entry in entries if _word(entry[0]) and _word(entry[-1])}
    found = "|".join(map(re.escape, signs))
    return plain, re.compile(rf"(?<!\w)(?:{found})(?!\w)", re.IGNORECASE) if signs else None


def _word(sign: str) -> bool:
    return WORD.fullmatch(sign) is not None


def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(text.casefold()))


def _plain(text: str) -> list[str]:
    words = (w.replace("'", "") for w in re.findall(r"[\w']+", text.lower()))
    return [HERSELF.get(w, w) for w in words]


def _long(clauses: Iterable[str]) -> list[tuple[str, ...]]:
    return [words for clause in clauses if len(words := tuple(_plain(clause))) >= SHORT]


def _in_a_row(words: Sequence[str], length: int) -> Iterable[tuple[str, ...]]:
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))
