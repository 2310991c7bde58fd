"""WORLD -> EVENTS: a WAV file, played into her ears in real time: for rehearsals and tests."""

from __future__ import annotations

import wave
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
import numpy as np
from pydantic import TypeAdapter, ValidationError

from glue.closing import closing
from glue.errors import ConfigError
from glue.events import Event
from glue.measured_events import ScriptSpoken
from glue.ports import Asr, Pcm
from glue.senses.clean import name as clean_name
from glue.senses.hearing import QUIET, RATE, hear

CHUNK = RATE // 50  # samples: 20 ms
AFTER = 2.0  # seconds of silence behind the file, so that its last words are final


@dataclass(frozen=True, slots=True)
class Said:
    """What a voice says in the file, and when: seconds of it. See glue.measured_events.ScriptSpoken."""

    kind: str
    text: str
    began: float
    part: float
    ended: float


SCRIPT = TypeAdapter(list[Said])


class WavEars:
    """A Sense. 16 kHz, 16 bit, one channel: `ffmpeg -i FILE -ar 16000 -ac 1 -sample_fmt s16 OUT.wav`.

    FILE.said.json, where there is one, is its script: the report judges what was heard by that."""

    def __init__(self, asr: Asr, file: str, name: str = "mic", loop: bool = False) -> None:
        """`name`: who speaks; `loop`: again and again."""
        self._asr, self._file, self._author, self._loop = asr, Path(file), clean_name(name), loop
        self._pcm: Pcm = np.empty(0, np.int16)
        self._script: list[Said] = []
        self._due: deque[Said] = deque()  # what has not been said yet
        self._begun = 0.0

    @staticmethod
    def precheck(file: str) -> None:
        """Before an engine is loaded for it. Raises ConfigError for a file that cannot be heard."""
        _sound(Path(file))

    async def __aenter__(self) -> Self:
        """Read the file. Raises ConfigError."""
        self._pcm = _sound(self._file)
        self._script = _script(self._file.with_suffix(".said.json"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    async def events(self) -> AsyncGenerator[Event, None]:
        """The Sense port."""
        async with closing(hear(self._asr, self._sound, self._author, "wav")) as heard:
            async for event in heard:
                for said in self._spoken(event.at):
                    yield said
                yield event
        for said in self._spoken(anyio.current_time()):
            yield said

    def _spoken(self, now: float) -> Iterator[ScriptSpoken]:
        while self._due and self._begun + self._due[0].ended <= now:
            said, begun = self._due.popleft(), self._begun
            yield ScriptSpoken(
                begun + said.ended, said.kind, said.text, begun + said.began, begun + said.part
            )

    def _begin(self) -> None:
        self._begun, self._due = anyio.current_time(), deque(self._script)

    async def _sound(self) -> AsyncGenerator[Pcm, None]:
        silence = np.tile(QUIET, round(AFTER * RATE / len(QUIET)))
        whole = np.concatenate([self._pcm, silence])
        self._begin()
        at = 0
        while at < len(whole) or self._loop:
            if at >= len(whole):
                self._begin()
                at = 0
            await anyio.sleep_until(self._begun + (at + CHUNK) / RATE)
            yield whole[at : at + CHUNK]
            at += CHUNK


def _sound(path: Path) -> Pcm:
    """Raises ConfigError."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            if form != (RATE, 1, 2):
                raise ConfigError(f"ears.wav.file: {path} must be 16 kHz, mono, 16 bit, not {form}")
            return np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (OSError, EOFError, wave.Error) as error:
        raise ConfigError(f"ears.wav.file: {path} cannot be read: {error}") from error


def _script(path: Path) -> list[Said]:
    """What is said in a file; nothing where nobody wrote it down. Raises ConfigError."""
    try:
        return SCRIPT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValidationError) as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"ears.wav.file: {path} is no script of what is said: {why}") from error
