"""WORLD -> EVENTS: a microphone of this machine, through PortAudio (the `sound` extra)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.from_thread
import anyio.lowlevel
import numpy as np

from glue.errors import ConfigError
from glue.events import Event
from glue.ports import Asr, Pcm
from glue.senses.clean import name as clean_name
from glue.senses.hearing import RATE, hear, steady

log = logging.getLogger(__name__)
BLOCK = RATE // 50  # samples: 20 ms
WAITING = 250  # blocks that may wait for a slow server: 5 s; then new ones are lost
CURE = "uv sync --extra sound, and Debian's libportaudio2; or ears=[page], or ears=[]"


class DeviceEars:
    """A Sense. PortAudio's thread hands over what it hears; a device that vanishes leaves her deaf to it."""

    def __init__(self, asr: Asr, device: str = "", name: str = "mic") -> None:
        """`device`: a name or a part of it, "" for the system's own; `name`: who speaks."""
        self._asr, self._device, self._author = asr, device or None, clean_name(name)
        self._blocks: deque[Pcm] = deque()
        self._wake = anyio.Event()
        self._stream: Any = None  # sounddevice ships without types
        self._lost = 0

    async def __aenter__(self) -> Self:
        """Open the device. Raises ConfigError with the cure."""
        try:
            import sounddevice  # here: most machines that run a show have no use for it
        except (ModuleNotFoundError, OSError) as error:
            raise ConfigError(f"ears.device: sound devices cannot be used ({error}); {CURE}") from error
        token = anyio.lowlevel.current_token()
        try:
            self._stream = sounddevice.InputStream(
                samplerate=RATE,
                device=self._device,
                channels=1,
                dtype="int16",
                blocksize=BLOCK,
                callback=partial(self._hand_over, token),
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:  # ValueError: no device of that name
            why = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError(f"ears.device: {why}; {CURE}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.abort()
            self._stream.close()
            self._stream = None

    def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        return hear(self._asr, lambda: steady(self._heard), self._author, "device")

    def _hand_over(self, token: Any, heard: Any, frames: int, when: object, status: object) -> None:
        """Called by PortAudio's thread."""
        pcm = np.array(heard[:, 0], np.int16)
        anyio.from_thread.run_sync(self._put, pcm, token=token)

    def _put(self, pcm: Pcm) -> None:
        if len(self._blocks) < WAITING:
            self._blocks.append(pcm)
            self._wake.set()
            return
        self._lost += 1
        if self._lost == 1:
            log.warning("the ears are too slow: sound of the microphone is lost")

    async def _heard(self) -> Pcm:
        while not self._blocks:
            self._wake = anyio.Event()
            await self._wake.wait()
        return self._blocks.popleft()
