"""SOUND -> a WAV file of the whole show in real time: silence where she is silent.

The file is sparse between replies and its header is rewritten as it grows, so what a killed show leaves
behind can be played. A full disk ends the recording, never the show.
"""

import logging
import struct
from collections.abc import Callable
from contextlib import suppress
from io import BufferedRandom
from pathlib import Path
from typing import Self

import anyio

from glue.errors import ConfigError
from glue.ports import Pcm

log = logging.getLogger(__name__)

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")  # RIFF/WAVE, PCM: 44 bytes
BYTES = 2  # a sample, s16le, mono
MOST = (1 << 32) - 1 - HEADER.size  # bytes of sound that a WAV header can count: a day at 24 kHz
JOIN = 0.002  # seconds; blocks that meet this closely are joined without a seam


def header(rate: int, data: int) -> bytes:
    """The canonical 44-byte header of a mono 16-bit file with `data` bytes of samples."""
    riff = (b"RIFF", HEADER.size - 8 + data, b"WAVE")
    fmt = (b"fmt ", 16, 1, 1, rate, rate * BYTES, BYTES, 8 * BYTES)
    return HEADER.pack(*riff, *fmt, b"data", data)


class WavFile:
    """An Output. A write goes to the page cache and returns at once; nothing is held in memory."""

    def __init__(self, run_dir: Path, rate: int, file: str = "audio.wav", save_every: float = 0.1) -> None:
        """`save_every`: seconds of sound between two updates of the header."""
        self._path = run_dir / file
        self._rate = rate
        self._every = max(1, round(save_every * rate))
        self._file: BufferedRandom | None = None
        self._start = 0.0  # show clock of sample 0
        self._written = 0  # samples, silence included
        self._saved = 0

    async def __aenter__(self) -> Self:
        """Create the file; sample 0 is now. Raises ConfigError."""
        try:
            self._file = self._path.open("w+b")
            self._file.write(header(self._rate, 0))
            self._file.flush()
        except OSError as error:
            raise ConfigError(
                f"speaker.wav.file: {self._path} cannot be written: {error.strerror}"
            ) from error
        self._start = anyio.current_time()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Fill up with silence to this moment, so that the file is as long as the show."""
        self._written = max(self._written, self._sample(anyio.current_time()))
        self._safely(self._save)
        if self._file is not None:
            self._file.close()
            self._file = None

    def play(self, pcm: Pcm, at: float) -> None:
        """The Output port: the block's place in the file is its time."""
        self._safely(lambda: self._put(pcm, self._sample(at)))

    def flush(self, at: float) -> None:
        """The Output port: what is not audible at `at` was never said."""
        self._safely(lambda: self._cut(self._sample(at)))

    def latency(self) -> float:
        """A file is heard at once."""
        return 0.0

    def _sample(self, at: float) -> int:
        return max(0, round((at - self._start) * self._rate))

    def _put(self, pcm: Pcm, first: int) -> None:
        if first < self._written + JOIN * self._rate:
            first = self._written
        if self._file is None or (first + pcm.size) * BYTES > MOST:
            return
        self._file.seek(HEADER.size + first * BYTES)
        self._file.write(pcm.astype("<i2").tobytes())
        self._written = first + pcm.size
        if self._written - self._saved >= self._every:
            self._save()

    def _cut(self, first: int) -> None:
        if self._file is not None and first < self._written:
            self._written = first
            self._save()

    def _save(self) -> None:
        """Samples first, then the header that counts them: a kill in between loses a moment, not the file."""
        if self._file is None:
            return
        self._file.truncate(HEADER.size + self._written * BYTES)
        self._file.seek(0)
        self._file.write(header(self._rate, min(MOST, self._written * BYTES)))
        self._file.flush()
        self._saved = self._written

    def _safely(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            log.error("the recording ends here: %s cannot be written: %s", self._path, error.strerror)
            if self._file is not None:
                with suppress(OSError):  # closing tries to write what is left
                    self._file.close()
            self._file = None
