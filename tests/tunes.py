"""Songs for tests: scripted ones in virtual time, and WAV files of known samples."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np

from glue.errors import PortError, Refused
from glue.ports import Speech
from glue.song_ports import Song, Sound
from tests.core import RATE

VOCALS, BACKING = 4000, 1000  # samples of a scripted song
CHUNK = 0.1  # seconds


@dataclass
class Tunes:
    """The `Songs` port: of each name a song whose captions last `each` seconds."""

    called: Sequence[str] = ("Daisy Bell",)
    lines: tuple[str, ...] = (
        "\u266a Daisy Bell \u266a",
        "\u266a Daisy, Daisy",
        "\u266a give me your answer do",
    )
    each: float = 10.0
    breaks_at: int = -1  # the caption at which the file breaks
    fails: PortError = field(default_factory=lambda: Refused("songs", "the disk is gone"))
    opened: int = 0
    closed: int = 0
    sung: list[tuple[int, bool]] = field(default_factory=list)

    async def keep(self) -> None:
        await anyio.sleep_forever()

    def names(self) -> Sequence[str]:
        return self.called

    def wrong(self) -> Sequence[str]:
        return ()

    def song(self, name: str) -> Song:
        if name not in self.called:
            raise Refused("songs", f"no song is called '{name}'")
        lyrics = frozenset(range(1, len(self.lines)))
        return Song(name, self.each * len(self.lines), RATE, self.lines, lyrics)

    @asynccontextmanager
    async def sound(self, song: Song) -> AsyncIterator[Sound]:
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    async def line(self, number: int, voiced: bool) -> AsyncIterator[Speech]:
        self.sung.append((number, voiced))
        if number == self.breaks_at:
            raise self.fails
        for _ in range(round(self.each / CHUNK)):
            size = round(CHUNK * RATE)
            vocals = np.full(size, VOCALS if voiced else 0, np.int16)
            yield Speech(vocals, beside=np.full(size, BACKING, np.int16))


def write(path: Path, samples: np.ndarray, rate: int = RATE, channels: int = 1) -> Path:
    """A 16-bit WAV of `samples`, shape [n] or [n, channels]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def tone(seconds: float, level: int, rate: int = RATE, hertz: float = 220.0) -> np.ndarray:
    """A steady sound, int16 [samples]."""
    times = np.arange(round(seconds * rate)) / rate
    return np.asarray(level * np.sin(2 * np.pi * hertz * times), np.int16)
