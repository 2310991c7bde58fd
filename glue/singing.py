"""A reply that is a song: words that open it, then the song's captions as its clauses, its sound as theirs.

So skip, dump, mute, delay, panic and the fate of the line are those of any reply. What she is prompted with
and what she remembers has no lyrics in it: there stands that she sang.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import anyio
import numpy as np

from glue.closing import closing
from glue.ports import Pcm, Speech
from glue.song_events import SongEnded, SongStarted
from glue.song_ports import Song, Songs, Sound

NOTE = "\u266a"  # what stands for words that are not to be shown
LEFT = 10.0  # seconds before its end, when the next reply is prepared: earlier it is not the next one yet


@dataclass(slots=True)
class Singing:
    """`opening`: what she says first, "" for nothing. The sound is open while the reply is in work."""

    songs: Songs
    song: Song
    opening: str
    end: Callable[[], None] = lambda: None  # what silences it at once; the reply knows
    first: int = 1  # the index of the clause that it begins with
    sung: float = 0.0  # seconds of it that were heard, when it is over
    faded: bool = False  # it came to an end before its last line
    nearly: anyio.Event = field(default_factory=anyio.Event)  # only LEFT is still to be handed to the stand
    _silent: set[int] = field(default_factory=set)  # clauses whose words are not sung
    _before: int = 0  # samples of sound ahead of it
    _given: int = 0  # and of its own, that the stand has
    _sound: Sound | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Open the sound. Raises Refused."""
        self._sound = await self._stack.enter_async_context(self.songs.sound(self.song))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def started(self, now: float, who: str, turn: str) -> SongStarted:
        """Of `who`'s reply `turn`."""
        return SongStarted(now, who, turn, self.song.name, self.song.seconds)

    def ended(self, now: float, who: str, turn: str) -> SongEnded:
        """The same, when heard() was asked."""
        return SongEnded(now, who, turn, self.song.name, self.sung, self.song.seconds)

    def clauses(self, refuses: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        """What its clauses say, and why the filters will not have the words ("" where they will): such a line
        is not sung, and what accompanies her goes on. What they refuse does not open it."""
        self.first = int(bool(self.opening) and not refuses(self.opening))
        if self.first:
            yield self.opening, ""
        for number, words in enumerate(self.song.lines):
            why = refuses(words) if number in self.song.sung else ""
            self._silent |= {self.first + number} if why else set()
            yield words, why

    async def voice(
        self, index: int, text: str, spoken: Callable[[], AsyncIterator[Speech]], ends: Callable[[], bool]
    ) -> AsyncIterator[Speech]:
        """The sound of clause `index`: as it is `spoken`, or sung where it is the song's; "" for `text`: its
        words were left out. Fades where it `ends()` in the middle."""
        if index < self.first:
            async with closing(spoken()) as opening:
                async for speech in opening:
                    self._before += speech.pcm.size
                    yield speech
            return
        assert self._sound is not None, "not open"
        voiced = bool(text) and index not in self._silent
        async with closing(self._sound.line(index - self.first, voiced)) as line:
            async for speech in line:
                self.faded = ends()
                self._given += speech.pcm.size
                if self.faded or self._given >= (self.song.seconds - LEFT) * self.song.rate:
                    self.nearly.set()
                yield _fading(speech) if self.faded else speech
                if self.faded:
                    return

    def words(self, said: Sequence[str]) -> str:
        """The reply as history has it: of all that is `said`, what opens it, and that she sang."""
        return " ".join([*filter(None, said[: self.first]), f"(sang {self.song.name})"])

    def heard(self, words: str, said: Sequence[str], played: float) -> str:
        """What was heard of it, as words() tells it: `words` of it, and `played` seconds of its sound."""
        samples = round(played * self.song.rate) - self._before
        self.sung = min(max(0, samples), self._given) / self.song.rate
        if not self.sung:
            return words
        if self.sung >= self.song.seconds - 0.5:  # a hair may be missing at a cut
            return self.words(said)
        return " ".join([*filter(None, said[: self.first]), f"(sang the beginning of {self.song.name})"])


def _fading(speech: Speech) -> Speech:
    """The same, to silence."""

    def down(pcm: Pcm) -> Pcm:
        faded: Pcm = (pcm * np.linspace(1.0, 0.0, pcm.size)).astype(np.int16)
        return faded

    return replace(
        speech, pcm=down(speech.pcm), beside=None if speech.beside is None else down(speech.beside)
    )
