"""WORLD -> EVENTS: a microphone of this machine, through PortAudio (the `sound` extra)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.to_thread
import numpy as np

from glue.closing import closing
from glue.errors import ConfigError, Unreachable
from glue.events import Event, PartDegraded, PartRecovered
from glue.ports import Asr, Pcm
from glue.senses.clean import name as clean_name
from glue.senses.hearing import FIRST, MOST, RATE, hear

log = logging.getLogger(__name__)
PART = "microphone"
BLOCK = RATE // 50  # samples: 20 ms
WAITING = 250  # blocks that may wait for a slow server: 5 s; then the oldest are lost
GONE = 2.0  # seconds without a block: a microphone that hears nothing gives blocks of silence
CURE = "uv sync --all-extras --inexact, and Debian's libportaudio2; or ears=[page], or ears=[]"


class DeviceEars:
    """A Sense. PortAudio hands over what it hears; a device that vanishes is told of, and opened again
    when it is back. (What PortAudio knows of devices is not read anew: that would close the speaker.)"""

    def __init__(self, asr: Asr, device: str = "", name: str = "mic") -> None:
        """`device`: a name or a part of it, "" for the system's own; `name`: who speaks."""
        self._asr, self._device, self._author = asr, device or None, clean_name(name)
        self._blocks: deque[Pcm] = deque(maxlen=WAITING)
        self._wake = anyio.Event()
        self._stream: Any = None  # sounddevice ships without types
        self._lost = 0

    async def __aenter__(self) -> Self:
        """Open the device. Raises ConfigError with the cure."""
        try:
            self._open(asyncio.get_running_loop())
        except (ModuleNotFoundError, OSError) as error:
            raise ConfigError(f"ears.device: sound devices cannot be used ({error}); {CURE}") from error
        except Unreachable as error:
            raise ConfigError(f"ears.device: {error.why}; {CURE}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    async def events(self) -> AsyncGenerator[Event, None]:
        """The Sense port."""
        told = (self._asr, self._sound, self._author, "device", count(1))
        while True:
            async with closing(hear(*told)) as heard:
                async for event in heard:
                    yield event
            why = "it gives no sound any more; is it plugged in?"
            yield PartDegraded(anyio.current_time(), PART, why)
            await self._find()
            yield PartRecovered(anyio.current_time(), PART)

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Raises Unreachable, and what the import raises where there is no PortAudio."""
        import sounddevice  # here: most machines that run a show have no use for it

        def hand_over(heard: Any, frames: int, when: object, status: object) -> None:
            """Called by PortAudio's thread, which must not wait for the show."""
            pcm = np.array(heard[:, 0], np.int16)
            with suppress(RuntimeError):  # the show is over
                loop.call_soon_threadsafe(self._put, pcm)

        try:
            self._stream = sounddevice.InputStream(
                samplerate=RATE,
                device=self._device,
                channels=1,
                dtype="int16",
                blocksize=BLOCK,
                callback=hand_over,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:  # ValueError: no device of that name
            raise Unreachable(PART, " ".join(str(error).split()) or type(error).__name__) from error

    def _close(self) -> None:
        """Of a device that has vanished PortAudio may say so."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        import sounddevice

        for end in (stream.abort, stream.close):
            with suppress(sounddevice.PortAudioError):
                end()

    async def _find(self) -> None:
        """Open it again, as soon as it is there."""
        wait, loop = FIRST, asyncio.get_running_loop()
        while True:
            await anyio.to_thread.run_sync(self._close)  # both may take long, and nobody else should wait
            with suppress(Unreachable):
                await anyio.to_thread.run_sync(self._open, loop)
                return
            await anyio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(2 * wait, MOST)

    def _put(self, pcm: Pcm) -> None:
        if len(self._blocks) == WAITING:
            self._lost += 1
            if self._lost == 1:
                log.warning("the ears are too slow: sound of the microphone is lost")
        self._blocks.append(pcm)
        self._wake.set()

    async def _sound(self) -> AsyncGenerator[Pcm, None]:
        """What it hears, until it is gone."""
        while (pcm := await self._heard()) is not None:
            yield pcm

    async def _heard(self) -> Pcm | None:
        with anyio.move_on_after(GONE):
            while not self._blocks:
                self._wake = anyio.Event()
                await self._wake.wait()
        return self._blocks.popleft() if self._blocks else None
