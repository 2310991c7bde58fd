"""How much a line deserves an answer: the director's taste, as one pure function of plain features."""

import re
from collections.abc import Iterable, Sequence

from glue.events import ChatLine, Source

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


def calls(text: str, name: str) -> bool:
    """Whether somebody is called by `name` in plain() `text`."""
    return f" {plain(name)} " in f" {text} "


def score(
    line: ChatLine, names: Iterable[str], age: float, since_answer: float | None, favour: float = 1.0
) -> float:
    """Points for `line`; DirectorSettings.bar of them are worth an answer in a lively chat.

    A mention counts 3, a question 2, a voice in the room 5, a deed that cost something 26, another 3, what
    she has to tell by herself 6; a sentence of words counts 1, a lone shout less; a supporter's line counts
    `favour` more (they were thanked for what they gave). A viewer who was never answered is favoured a
    little, one who just was waits (the deduction fades over a minute); age adds a tenth of a point a second.
    That nobody starves all the same is up to glue/shares.py.
    """
    if line.source is Source.GAME:  # people go first; what happens in a game fills the pauses
        return 0.7 + 0.1 * age
    text = plain(line.text)
    points = 0.1 * age
    points += 3.0 if any(calls(text, name) for name in names) else 0.0
    points += 2.0 if ASKING.search(line.text) else 0.0
    points += 5.0 if line.source is Source.VOICE else 0.0
    if line.deed:
        points += 26.0 if line.deed.paid else 3.0
    elif line.source is Source.HERSELF:
        points += 6.0
    elif line.supporter:
        points += favour
    points += _substance(line.text, text.split())
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
