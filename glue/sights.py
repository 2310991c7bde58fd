"""What her eyes say: two of the events, in a file of their own."""

from __future__ import annotations

from dataclasses import dataclass


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


def described(seen: Seen) -> str:
    """A sight in one line: what it is, what is in it, what is written there."""
    written = " / ".join(seen.texts)
    return "; ".join(filter(None, [seen.caption, ", ".join(seen.things), written]))
