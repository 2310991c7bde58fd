"""What a reply needs of a song, and the show of those that there are; see ports.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from glue.ports import Speech

NONE = "there are no songs; cure: stage.songs=FOLDER, with NAME.wav in it"


class Sound(Protocol):
    """A song's sound, opened."""

    def line(self, number: int, voiced: bool) -> AsyncIterator[Speech]:
        """Yield the sound from caption `number` to the next one, accompaniment beside the vocals; each once,
        in order. Not `voiced`: the vocals are silence. Raises Refused, TooSlow."""


@dataclass(frozen=True, slots=True)
class Song:
    """A song that can be sung. `lines`: its captions in order, which cover it from end to end; those of
    `sung` are lyrics, the others stand where nobody sings."""

    name: str
    seconds: float
    rate: int
    lines: tuple[str, ...]
    sung: frozenset[int] = field(default_factory=frozenset)


class Songs(Protocol):
    """The songs that there are."""

    async def keep(self) -> None:
        """Look for new ones, for ever."""

    def names(self) -> Sequence[str]:
        """What they are called, in order."""

    def song(self, name: str) -> Song:
        """The one of this name, upper case or not. Raises Refused with the cure."""

    def wrong(self) -> Sequence[str]:
        """What cannot be sung, or not all of it: a line each, with the cure."""

    def sound(self, song: Song) -> AbstractAsyncContextManager[Sound]:
        """Open it. Reads from a thread; closed, nothing is read any more. Raises Refused."""
