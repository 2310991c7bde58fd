"""A song's sound: vocals and accompaniment, read side by side, half a second at a time, in a thread.

A second of the song waits before the mixer, so that a file may be slow for as long; what is kept is what was
read last, however long the song is.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import anyio
import anyio.to_thread
import numpy as np
import soxr
from numpy.typing import NDArray

from glue.errors import Refused, TooSlow
from glue.ports import Pcm, Speech, Timed
from glue.stage import clip
from glue.stage.captions import WORD, letters
from glue.stage.clip import Limits

T = TypeVar("T")
SONG = Limits("songs", 600.0, 1 << 30)  # ten minutes in the finest form
READ = 0.5  # seconds that a thread reads at a time
CHUNK = 0.1  # seconds that the mouth is given at a time
WITHIN = 10.0  # seconds that a disk may take for what is read at a time
LETTER = 0.2  # seconds that one is sung at most: an instrumental passage may follow the words


class Reader:
    """One file at `rate` Hz, from its beginning; behind its end it is silent. Blocks, but for close()."""

    def __init__(self, path: Path, rate: int, gain: float) -> None:
        """Raises Refused."""
        self._path = path
        self._file = clip.opened(path, SONG)
        self._width, self._channels = self._file.getsampwidth(), self._file.getnchannels()
        self._has, self._gain = self._file.getframerate(), gain
        self._resampled = soxr.ResampleStream(self._has, rate, 1, dtype="float32")
        self._same = self._has == rate
        self._left: NDArray[np.float32] = np.zeros(0, np.float32)
        self._ended = self._gone = False
        self._lock = threading.Lock()

    def take(self, count: int) -> Pcm:
        """The next `count` samples. Raises Refused where the file breaks."""
        try:
            with self._lock:
                while self._left.size < count and not self._ended:
                    self._left = np.concatenate([self._left, self._more()])
                part, self._left = self._left[:count], self._left[count:]
        finally:
            if self._gone:
                self.close()
        return clip.loud(np.pad(part, (0, count - part.size)), self._gain)

    def _more(self) -> NDArray[np.float32]:
        try:
            raw = self._file.readframes(round(READ * self._has))
        except (OSError, EOFError) as error:
            raise Refused(SONG.part, f"{self._path.name} breaks off; {SONG.cure}") from error
        one = clip.mono(raw, self._width, self._channels)
        self._ended = not one.size
        if self._same:
            return one
        found: NDArray[np.float32] = self._resampled.resample_chunk(one, last=self._ended)
        return found

    def close(self) -> None:
        """Read no more; where a thread is at it, that closes the file when it is through."""
        self._gone = True
        if self._lock.acquire(blocking=False):
            try:
                self._file.close()
            finally:
                self._lock.release()


@dataclass(frozen=True, slots=True)
class Line:
    """A caption of the song from sample `first` to `last`."""

    text: str
    first: int
    last: int


class SongSound:
    """The `Sound` port: `lines` cover the song from end to end; an accompaniment is optional."""

    def __init__(
        self, vocals: Path, backing: Path | None, rate: int, gain: float, lines: Sequence[Line]
    ) -> None:
        self._paths = [vocals, *([backing] if backing else [])]
        self._rate, self._gain, self._lines = rate, gain, lines
        self._readers: list[Reader] = []

    async def __aenter__(self) -> Self:
        """Open the files. Raises Refused, TooSlow."""
        with ExitStack() as opened:
            opened.callback(self._close)
            for path in self._paths:
                self._readers.append(await _threaded(partial(Reader, path, self._rate, self._gain)))
            opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        for reader in self._readers:
            reader.close()

    async def line(self, number: int, voiced: bool) -> AsyncIterator[Speech]:
        """See song_ports.Sound."""
        line = self._lines[number]
        words = timed(line.text, (line.last - line.first) / self._rate) if voiced else ()
        left = line.last - line.first
        while left > 0:
            count = min(left, round(READ * self._rate))
            left -= count
            read = await _threaded(partial(self._read, count))
            vocals = read[0] if voiced else np.zeros(count, np.int16)
            beside = read[1] if len(read) > 1 else None
            step = round(CHUNK * self._rate)
            for at in range(0, count, step):
                part = None if beside is None else beside[at : at + step]
                yield Speech(vocals[at : at + step], words=words, beside=part)
                words = ()

    def _read(self, count: int) -> list[Pcm]:
        return [reader.take(count) for reader in self._readers]


def timed(text: str, seconds: float) -> tuple[Timed, ...]:
    """When each word of a caption is sung, by its letters, for nobody has told: evenly over the `seconds`
    until the next one, or, before an instrumental passage, over what it takes at most."""
    found = [word for word in WORD.findall(text) if letters(word)]
    total = sum(map(len, found))
    pace = min(LETTER, seconds / total) if total else 0.0
    at, words = 0.0, []
    for word in found:
        words.append(Timed(word, at, at + pace * len(word)))
        at += pace * len(word)
    return tuple(words)


async def _threaded(work: Callable[[], T]) -> T:
    """Do it in a thread, which is left alone where the reply is cut, or the disk hangs. Raises TooSlow."""
    with anyio.move_on_after(WITHIN):
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    raise TooSlow(SONG.part, f"a song's file was not read within {WITHIN:.0f} s")
