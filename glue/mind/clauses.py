"""Cuts her text, as it streams in, into clauses that can be spoken one by one; ends a reply that runs on.

The first clause is short, since it decides when she is heard; later ones are as long as a breath, since a
voice sounds better on whole sentences. Whatever pieces the text comes in, the clauses are the same.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from glue.closing import closing
from glue.mind.persona import Length
from glue.mind.speakable import Cleaner

ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st vs etc no vol fig e.g i.e a.m p.m u.s u.k approx".split()
)
JOINTS = frozenset(
    "and but or so because that which who when while if then than with without for to from in on at "
    "about like as until before after though although since where".split()
)
HANGING = frozenset("a an the my your his her its our their this of to".split())  # and no clause ends here
HANGS = 2  # words more than that may be, to one that may end it
SHOUT = "!?\u3002\uff01\uff1f"  # nothing that follows changes these; three are full-width marks of CJK text
SENTENCE = "." + SHOUT
PAUSE = ",;\u3001\uff0c\uff1b\u2014"
MARKS = SHOUT + PAUSE + ' "'
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SAYS = re.compile(r"\w")
LINK = re.compile(r"(?:https?://|www\.)\S*$", re.IGNORECASE)
SITE = re.compile(r"(?:https?://(?:www\.)?|(?=www\.))([^\s/?#]+)\S*?(?=[.,;!?]*(?:\s|$))", re.IGNORECASE)
SMILEY = re.compile(r"(?<!\S)(?:[:;]['-]?[()DPpOo3/|]*|=[()DP])(?!\S)")
LEFT_OVER = re.compile(r"^(?:[.,;:!?\-\u2014) ]|\"(?= ))+")  # of the clause before
NUMBER = re.compile(r"(?:^|\s)[^\sa-zA-Z]*\d$")  # its comma may stand between thousands
UNSPACED = 60  # characters without a space, after which a cut is made anywhere
COMMA = 6  # words of a clause after which a comma ends it; the first one ends at any: "Mika, ..."
LEAST = 2  # words before a full stop: less is joined with what follows
GROWS = 2  # words of a clause for each that was said before it: a voice takes three times as long as a model


async def cut(pieces: AsyncIterator[str], length: Length, name: str) -> AsyncIterator[str]:
    """Clauses of the text in `pieces`. Stops reading when the reply is long enough."""
    splitter = Splitter(length, name)
    async with closing(pieces) as text:
        async for piece in text:
            for clause in splitter.feed(piece):
                yield clause
            if splitter.done:
                return
    for clause in splitter.end():
        yield clause


class Splitter:
    """The same, by hand: feed() and end() return the clauses that are whole."""

    def __init__(self, length: Length, name: str) -> None:
        self.done = False
        self._length = length
        self._tag = re.compile(rf"^\W*(?:{re.escape(name)}|assistant)\s*:\s*", re.IGNORECASE)
        # "Goodbye, Spark!": a small model calls chat by her own name
        self._own = re.compile(rf",\s*{re.escape(name)}(?=[.!?]*$)", re.IGNORECASE)
        self._last = ""
        self._cleaner = Cleaner()
        self._text = ""
        self._clauses = self._words = self._sentences = 0

    def feed(self, piece: str) -> list[str]:
        """Take more of the text."""
        found: list[str] = []
        for char in piece:
            for clean in self._cleaner.feed(char):
                if not self.done:
                    self._take(clean, found)
        return found

    def end(self) -> list[str]:
        """The text is over."""
        found: list[str] = []
        for clean in self._cleaner.end():
            self._take(clean, found)
        if not self.done:
            self._emit(len(self._text), found)
        return found

    def _take(self, char: str, found: list[str]) -> None:
        line_ends, char = char == "\n", " " if char == "\n" else char
        if char == " " and self._text[-1:] in ("", " ") and not line_ends:
            return
        at = len(self._text) if line_ends else self._boundary(char)
        self._text += char
        if at is not None:
            self._emit(at, found)
        elif char == " " or CJK.match(char) or len(self._text) - self._text.rfind(" ") > UNSPACED:
            self._too_long(found)

    def _boundary(self, char: str) -> int | None:
        """Where a clause ends now that `char` follows (or is) its mark; None where none does."""
        text = self._text
        if char not in MARKS or (LINK.search(text) and char not in ' "'):
            return None
        words = _count(text)
        if char in SHOUT:
            return len(text) + 1 if words >= 1 else None
        if char in PAUSE and words >= self._enough() and not NUMBER.search(text):
            return len(text) + 1
        if char in ' "' and text[-1:] == "." and words >= LEAST and not _abbreviated(text):
            return len(text)
        return None

    def _enough(self) -> int:
        """Words after which a comma ends the clause."""
        if not self._clauses:
            return 1
        return LEAST if self._words <= LEAST else COMMA

    def _most(self) -> int:
        """Words after which a clause ends wherever it can: it is made while those before it are heard."""
        if not self._clauses:
            return self._length.first
        unspaced = CJK.search(self._text) and " " not in self._text  # a cut falls into a word
        return self._length.clause if unspaced else min(self._length.clause, GROWS * (self._words + 1))

    def _too_long(self, found: list[str]) -> None:
        if _count(self._text) < self._most() and len(self._text) - self._text.rfind(" ", 0, -1) <= UNSPACED:
            return
        words = self._text.split(" ")
        joints = [i for i in range(3, len(words) - 1) if words[i].lower().strip(",;") in JOINTS]
        hangs = not joints and not words[-1] and words[-2].lower() in HANGING
        if hangs and len(words) <= self._most() + HANGS:
            return
        where = len(" ".join(words[: joints[-1]])) if joints else len(self._text)
        self._emit(where, found)

    def _emit(self, where: int, found: list[str]) -> None:
        raw, self._text = self._text[:where], self._text[where:].lstrip(" ")
        clause = " ".join(SMILEY.sub("", SITE.sub(r"\1", raw)).split())
        if not self._clauses:
            clause = self._tag.sub("", clause)
        comma = "," if self._last.endswith(",") else ""  # after which a clause may have ended
        clause = LEFT_OVER.sub("", self._own.sub("", comma + clause))
        if not SAYS.search(clause):
            return
        self._last = clause
        self._clauses += 1
        self._words += max(_count(clause), len(clause) // 12)  # a word without an end is not one word
        self._sentences += clause.rstrip("\"')")[-1] in SENTENCE
        found.append(clause)
        full = self._sentences >= self._length.sentences or self._words >= self._length.reply
        self.done = full


def _count(text: str) -> int:
    """Words; where a script has no spaces, two characters are about one."""
    dense = len(CJK.findall(text))
    return (dense + 1) // 2 + sum(1 for word in CJK.sub(" ", text).split() if SAYS.search(word))


def _abbreviated(text: str) -> bool:
    """Whether the full stop at the end belongs to its word: "Mr.", "e.g.", an initial."""
    word = text.rsplit(" ", 1)[-1].lstrip("(\"'")
    if word.endswith("...") or LINK.search(text):
        return False
    stem = word.rstrip(".").lower()
    return stem in ABBREVIATIONS or (len(stem) == 1 and stem.isalpha() and stem != "i")
