"""SOUND -> words: which clause is heard at a moment of the track, and which of its words have been. Pure.

Where the voice gives word times they are used; between them, and where there are none, time is shared out by
the letters. A clause's length is guessed until its sound is complete.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from glue.ports import Timed
from glue.romanised import romanised

# A run of letters between spaces; scripts without spaces count by the character.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff][^\w\s]*|[^\s\u3040-\u30ff\u3400-\u9fff]+")
PACE = 0.062  # seconds a letter, until the sound says how long it really is
REACH = 6  # words that a voice may say differently ("21", "&") before the two texts are lost to each other
READS = "en"  # a voice may have been given other scripts so, and times what it was given
NEARLY = 0.02  # seconds; a word whose end is this close has been heard


@dataclass(slots=True)
class Clause:
    """A clause on the track; times in seconds of the track. `end` is how far its sound has come."""

    index: int
    text: str
    start: float
    end: float
    complete: bool = False
    words: list[Timed] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)  # characters of each word of `text`
    starts: list[float] = field(default_factory=list)  # when each of them begins and ends
    ends: list[float] = field(default_factory=list)

    def lay(self) -> None:
        """Give every word of the text its time."""
        letters = [b - a + 1 for a, b in self.spans]
        end = self.end if self.complete else max(self.end, self.start + PACE * sum(letters))
        found = match([self.text[a:b] for a, b in self.spans], self.words)
        self.starts, self.ends, at, i = [], [], self.start, 0
        while i < len(letters):
            if i in found:
                begin, stop = self.start + found[i].start, self.start + found[i].end
                self.starts.append(max(at, begin))
                self.ends.append(max(at, stop))
                at, i = self.ends[-1], i + 1
                continue
            until = next((j for j in range(i, len(letters)) if j in found), len(letters))
            stop = max(at, self.start + found[until].start if until in found else end)
            share = (stop - at) / sum(letters[i:until])
            for count in letters[i:until]:
                self.starts.append(at)
                at += share * count
                self.ends.append(at)
            i = until


def match(own: Sequence[str], timed: Sequence[Timed]) -> dict[int, Timed]:
    """Which of our words each timed word is, by its place in `own`; what is not found is left out."""
    plain = [{letters(word), letters(romanised(word, READS))} for word in own]
    found: dict[int, Timed] = {}
    at = 0
    for word in timed:
        wanted = letters(word.text)
        here = next(
            (i for i in range(at, min(at + REACH, len(plain))) if wanted and wanted in plain[i]), None
        )
        if here is not None:
            found[here] = word
            at = here + 1
    return found


def letters(word: str) -> str:
    """A word without case and marks, to compare by."""
    return "".join(c for c in word.casefold() if c.isalnum())


class CaptionTrack:
    """The clauses of one reply, in order."""

    def __init__(self) -> None:
        self._clauses: list[Clause] = []
        self._finished = False

    def clear(self) -> None:
        """A new reply."""
        self._clauses = []
        self._finished = False

    def begin(self, index: int, text: str, start: float) -> None:
        """Clause `index` begins at `start`; the one before it is complete."""
        if self._clauses:
            self._complete(self._clauses[-1])
        clause = Clause(index, text, start, start, spans=[m.span() for m in WORD.finditer(text)])
        clause.lay()
        self._clauses.append(clause)

    def extend(self, index: int, end: float, words: Sequence[Timed] = ()) -> None:
        """The clause's sound reaches to `end` now; `words` (from the clause's start) came with it."""
        clause = self._clauses[-1] if self._clauses else None
        if clause is not None and clause.index == index:
            clause.end = max(clause.end, end)
            clause.words.extend(words)
            clause.lay()

    def finish(self) -> None:
        """All of it has been heard."""
        if self._clauses:
            self._complete(self._clauses[-1])
        self._finished = True

    @staticmethod
    def _complete(clause: Clause) -> None:
        clause.complete = True
        clause.lay()

    def at(self, t: float) -> tuple[int, str, int] | None:
        """The clause that is heard at `t`: index, text, and its characters up to the word being heard."""
        for clause in reversed(self._clauses):
            if clause.start <= t:
                begun = len(clause.spans) if self._finished else bisect_right(clause.starts, t)
                return clause.index, clause.text, clause.spans[begun - 1][1] if begun else 0
        return None

    def heard(self, t: float) -> str:
        """The words of the reply that have been heard whole."""
        parts = []
        for clause in self._clauses:
            over = self._finished or (clause.complete and clause.end <= t)
            whole = len(clause.spans) if over else bisect_right(clause.ends, t + NEARLY)
            if whole and (over or clause.start <= t):
                parts.append(clause.text[: clause.spans[whole - 1][1]])
        return " ".join(parts)
