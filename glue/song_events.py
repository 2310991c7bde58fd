"""What happened with her songs. Part of the union of glue/events.py; times as there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SongStarted:
    """Reply `turn` is a song: words that open it, and then `seconds` of `song`."""

    at: float
    who: str
    turn: str
    song: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SongEnded:
    """The audience heard `sung` of the `seconds` of `song`."""

    at: float
    who: str
    turn: str
    song: str
    sung: float
    seconds: float


SongEvent = SongStarted | SongEnded
