"""Word lists of any length: looking a clause up costs its words, not the list's entries.

An entry is a word or a phrase, on word borders ("class" does not hold "ass"); `stem*` stands for every word
that begins so. Entries are kept folded in sets, so 100,000 of them cost start-up 0.3 s and a clause nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from glue.safety.fold import covers, drawn_out, fold, read, squeezed, words

MOST = 8  # words of an entry
SHORTEST_STEM = 3


class Phrases:
    """Entries of one kind. Empty entries, and those of more than eight words, are left out."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._whole: set[str] = set()
        self._stems: set[str] = set()
        self._squeezed: dict[str, list[str]] = {}
        self._lengths: set[int] = set()
        for entry in entries:
            self.add(entry)

    def add(self, entry: str) -> None:
        """One more."""
        folded = words(fold(entry))
        if not 0 < len(folded) <= MOST:
            return
        if entry.rstrip().endswith("*") and len(folded) == 1 and len(folded[0]) >= SHORTEST_STEM:
            self._stems.add(folded[0])
            return
        self._whole.add(" ".join(folded))
        self._lengths.add(len(folded))
        if len(folded) == 1:
            self._squeezed.setdefault(squeezed(folded[0]), []).append(folded[0])

    def __len__(self) -> int:
        return len(self._whole) + len(self._stems)

    def find(self, text: str) -> str:
        """The first entry that `text` holds, however it is spelt; "" for none."""
        if not self:
            return ""
        reading = read(text)
        found = self._among(reading.plain)
        if not found and reading.leeted != reading.plain:
            found = self._among(reading.leeted)
        return found or next((w for w in reading.hidden if self._word(w)), "")

    def _among(self, found: Sequence[str]) -> str:
        for start, word in enumerate(found):
            if entry := self._word(word):
                return entry
            for length in self._lengths:
                if length > 1 and " ".join(found[start : start + length]) in self._whole:
                    return " ".join(found[start : start + length])
        return ""

    def _word(self, word: str) -> str:
        """The entry that a single word is, in one or many, drawn out or not."""
        for form in (word, word[:-1] if len(word) > 3 and word[-1] in "sz" else ""):
            if form in self._whole:
                return form
        if self._stems:
            for end in range(SHORTEST_STEM, len(word) + 1):
                if word[:end] in self._stems:
                    return word[:end]
        if drawn_out(word):
            for entry in self._squeezed.get(squeezed(word), ()):
                if covers(word, entry):
                    return entry
        return ""
