"""What a word is about, from lexicon.txt: two words of one kind are one thing to the classifier. Pure.

So it knows that "scrap thy guidelines" is like "ignore your rules" though it never learnt from the one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from glue.safety.fold import fold, squeezed
from glue.safety.lists import shipped

LEXICON = Path(__file__).with_name("lexicon.txt")
STEM = 4  # letters of the shortest stem
MOST = 3  # words of an entry
STRONG = frozenset({"slur", "sex", "swear", "kill", "nazi", "harm", "selfharm", "crime"})
JOINED = 8  # signs of a word of a script without blanks that are looked at from each of its signs
UNSPACED = ("\u3040", "\u9fff"), ("\uac00", "\ud7a3")  # Japanese, Chinese; Korean
TOKEN = re.compile(r"[\w']+|[\u2600-\u27bf\U0001f300-\U0001faff]")


class Kinds:
    """The lexicon, folded as texts are."""

    def __init__(self) -> None:
        self._whole: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, tuple[str, ...]] = {}
        for line in LEXICON.read_text(encoding="utf-8").splitlines():
            kind, colon, entries = line.partition(": ")
            if colon and not line.startswith("#"):
                for entry in entries.split():
                    self._add(kind, entry)
        for slur in shipped()["slurs"]:
            self._add("slur", slur)

    def _add(self, kind: str, entry: str) -> None:
        folded = " ".join(tokens(fold(entry.replace("_", " "))))
        if not folded:
            return
        found = self._stems if entry.endswith("*") and len(folded) >= STEM else self._whole
        found[folded] = tuple(dict.fromkeys((*found.get(folded, ()), kind)))

    def of(self, word: str) -> tuple[str, ...]:
        """The kinds of one word; () for a word that is not in the lexicon."""
        for form in (word, squeezed(word) if len(word) > 3 else "", word[:-1] if word[-1:] == "s" else ""):
            if form and (found := self._whole.get(form)):
                return found
        for end in range(STEM, len(word) + 1):
            if found := self._stems.get(word[:end]):
                return found
        return self._inside(word) if word and _unspaced(word[0]) else ()

    def _inside(self, word: str) -> tuple[str, ...]:
        ends = ((i, j) for i in range(len(word)) for j in range(i + 1, min(len(word), i + JOINED) + 1))
        found = (kind for i, j in ends for kind in self._whole.get(word[i:j], ()))
        return tuple(dict.fromkeys(found))

    def each(self, found: Sequence[str]) -> list[tuple[str, ...]]:
        """The kinds at every place of a text; those of an entry of several words stand at its first."""
        kinds = [self.of(word) for word in found]
        for length in range(2, MOST + 1):
            for start in range(len(found) - length + 1):
                if more := self._whole.get(" ".join(found[start : start + length])):
                    kinds[start] = tuple(dict.fromkeys((*more, *kinds[start])))
        return kinds

    def words(self, kind: str) -> Sequence[str]:
        """Every entry of a kind."""
        return [word for word, kinds in self._whole.items() if kind in kinds]

    def strong(self) -> Sequence[str]:
        """Words that people put asterisks into."""
        return [word for word, kinds in self._whole.items() if STRONG.intersection(kinds)]

    def holds(self, word: str) -> bool:
        """Whether a word stands in the lexicon letter by letter."""
        return word in self._whole

    def known(self, word: str) -> bool:
        """Whether a word is in the lexicon."""
        return bool(self.of(word))


@cache
def lexicon() -> Kinds:
    """The shipped lexicon, read once."""
    return Kinds()


def tokens(folded: str) -> list[str]:
    """The words of a folded text and its pictures, each a word."""
    return [w for w in (found.replace("'", "") for found in TOKEN.findall(folded)) if w]


@lru_cache(maxsize=4096)
def _unspaced(char: str) -> bool:
    return any(first <= char <= last for first, last in UNSPACED)
