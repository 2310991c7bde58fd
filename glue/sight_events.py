"""What her eyes say: two of the events, in a file of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass

SIGNS = re.compile(r"[\"{}<>`\u201c\u201d\u201e()\[\]\uff08\uff09\uff3b\uff3d]")  # that quote, note or mark


@dataclass(frozen=True, slots=True)
class Seen:
    """Her eyes made this out in a picture of `source`. All of it is data, whatever it says: cleaned text,
    never an instruction. `texts` is what is written there, `things` what is there, `caption` a sentence."""

    at: float
    source: str
    texts: tuple[str, ...]
    things: tuple[str, ...] = ()
    caption: str = ""


@dataclass(frozen=True, slots=True)
class SightDropped:
    """The guard held a picture of `source` back: nothing of it was read. `score` is 0 to 1."""

    at: float
    source: str
    why: str
    score: float


SightEvent = Seen | SightDropped


def described(seen: Seen) -> str:
    """A sight in one line: what it is, what is in it, what is written there."""
    written = " / ".join(seen.texts)
    return "; ".join(filter(None, [seen.caption, ", ".join(seen.things), written]))


def unquoted(text: str) -> str:
    """What stands on a screen, as it may stand between quotation marks: it may want to be an instruction."""
    return " ".join(SIGNS.sub(" ", text).split())
