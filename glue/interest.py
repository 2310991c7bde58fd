"""How much a line deserves an answer: the director's taste, as one pure function of plain features."""

import re
from collections.abc import Sequence

from glue.events import ChatLine, Source

NAMES = {"spark"}  # she is called this whatever the persona's file is named
ASKING = re.compile(
    "[?\uff1f]"  # the second is the full-width mark of CJK text
    "|^(?:who|what|why|when|where|how|which|can|could|do|does|did|is|are|will|would|should)\\b",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+")
ELONGATED = re.compile(r"(.)\1{2,}")


def plain(text: str) -> str:
    """Words only, lower case, "heeeeey" as "heey": what two lines are compared by."""
    return ELONGATED.sub(r"\1\1", " ".join(WORD.findall(text.lower())))


def score(line: ChatLine, cast: Sequence[str], age: float, since_answer: float | None) -> float:
    """Points for `line`; DirectorSettings.bar of them are worth an answer in a lively chat.

    A mention counts 3, a question 2, a supporter 6, a voice in the room 5, a deed that cost something 20,
    another 3; a sentence of words counts 1, a lone shout less; a viewer who was never answered is favoured a
    little, one who just was waits (the deduction fades over a minute); age adds a tenth of a point a second,
    so that nobody starves.
    """
    if line.source is Source.GAME:  # people go first; what happens in a game fills the pauses
        return 0.7 + 0.1 * age
    words = plain(line.text).split()
    names = NAMES.union(cast)
    points = 0.1 * age
    points += 3.0 if names.intersection(words) else 0.0
    points += 2.0 if ASKING.search(line.text) else 0.0
    points += 6.0 if line.supporter else 0.0
    points += 5.0 if line.source is Source.VOICE else 0.0
    if line.deed:
        points += 20.0 if line.deed.paid else 3.0
    points += _substance(line.text, words)
    return points + (0.3 if since_answer is None else -1.5 * max(0.0, 1.0 - since_answer / 60.0))


def _substance(text: str, words: Sequence[str]) -> float:
    """0 to 1: a few different words of letters are worth more than "lol", "aaaa" or a wall of text."""
    if not words:
        return 0.0
    letters = sum(c.isalpha() or c.isspace() for c in text) / len(text)
    variety = len(set(words)) / len(words)
    length = min(len(words), 3) / 3 if text.isascii() else 1.0  # scripts without spaces are one "word"
    wall = 0.5 if len(text) > 300 else 1.0
    return letters * variety * length * wall
