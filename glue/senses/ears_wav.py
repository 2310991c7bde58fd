"""WORLD -> EVENTS: a WAV file, played into her ears in real time: for rehearsals and tests."""

from __future__ import annotations

import logging
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
import numpy as np

from glue.errors import ConfigError
from glue.events import Event
from glue.ports import Asr, Pcm
from glue.senses.clean import name as clean_name
from glue.senses.hearing import QUIET, RATE, hear

log = logging.getLogger(__name__)
CHUNK = RATE // 50  # samples: 20 ms
AFTER = 2.0  # seconds of silence behind the file, so that its last words are final


class WavEars:
    """A Sense. 16 kHz, 16 bit, one channel: `ffmpeg -i FILE -ar 16000 -ac 1 -sample_fmt s16 OUT.wav`."""

    def __init__(self, asr: Asr, file: str, name: str = "mic", loop: bool = False) -> None:
        """`name`: who speaks; `loop`: again and again."""
        self._asr, self._file, self._author, self._loop = asr, Path(file), clean_name(name), loop
        self._pcm: Pcm = np.empty(0, np.int16)

    async def __aenter__(self) -> Self:
        """Read the file. Raises ConfigError."""
        try:
            with wave.open(str(self._file), "rb") as file:
                form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
                if form != (RATE, 1, 2):
                    raise ConfigError(f"ears.wav.file: {self._file} must be 16 kHz, mono, 16 bit, not {form}")
                self._pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        except (OSError, EOFError, wave.Error) as error:
            raise ConfigError(f"ears.wav.file: {self._file} cannot be read: {error}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        return hear(self._asr, self._sound, self._author, "wav")

    async def _sound(self) -> AsyncGenerator[Pcm, None]:
        silence = np.tile(QUIET, round(AFTER * RATE / len(QUIET)))
        whole = np.concatenate([self._pcm, silence])
        begun, at = anyio.current_time(), 0
        while at < len(whole) or self._loop:
            if at >= len(whole):
                begun, at = anyio.current_time(), 0
            await anyio.sleep_until(begun + (at + CHUNK) / RATE)
            yield whole[at : at + CHUNK]
            at += CHUNK
