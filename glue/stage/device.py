"""SOUND -> the machine's sound device, through PortAudio (the `sound` extra)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import anyio
import anyio.to_thread
import numpy as np

from glue.errors import ConfigError, Unreachable
from glue.ports import Pcm
from glue.stage.feed import Feed

PART = "speaker"
GONE = 2.0  # seconds without a question for samples: a device asks for them while nothing is said, too
LIBRARY = "PortAudio is missing: apt install libportaudio2 (macOS: brew install portaudio)"
PACKAGE = "the sound extra is missing: uv sync --all-extras --inexact"
OTHERS = "or choose another speaker: speaker=[page] or speaker=[wav]"


class SoundDevice:
    """An Output. PortAudio's thread takes what it needs; a device that vanishes is told of, and opened again
    when it is back. (What PortAudio knows of devices is not read anew: that would close the microphone.)"""

    def __init__(self, rate: int, device: str = "", cushion: float = 0.04) -> None:
        """`device`: a name or a part of it, "" for the system's own; `cushion`: seconds in hand."""
        self._rate = rate
        self._device = device or None
        self._cushion = cushion
        self._feed = Feed(rate, cushion)
        self._stream: Any = None  # sounddevice ships without types
        self._asked = 0  # times that it wanted samples

    async def __aenter__(self) -> Self:
        """Open the device. Raises ConfigError with the cure."""
        try:
            self._open(_library())
        except Unreachable as error:
            raise ConfigError(f"speaker.device: {error.why}; {OTHERS}") from error
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._close(_library())

    def runs(self) -> dict[str, Callable[[Callable[[], None]], Any]]:
        """What has to run beside the show."""
        return {PART: self.watch_over}

    async def watch_over(self, works: Callable[[], None]) -> None:
        """Look after the device for ever; one that was lost is opened first. Raises Unreachable."""
        if self._stream is None:
            await anyio.to_thread.run_sync(self._open, _library())  # it may take long
        while True:
            before = self._asked
            await anyio.sleep(GONE)
            if self._asked == before:
                await anyio.to_thread.run_sync(self._close, _library())
                raise Unreachable(PART, "it takes no sound any more; is it plugged in?")
            works()

    def _open(self, sounddevice: Any) -> None:
        """Raises Unreachable."""
        self._feed.clear()
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=self._rate,
                device=self._device,
                channels=1,
                dtype="int16",
                latency="low",
                callback=self._fill,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:  # ValueError: no device of that name
            self._close(sounddevice)
            raise Unreachable(PART, " ".join(str(error).split()) or type(error).__name__) from error

    def _close(self, sounddevice: Any) -> None:
        """Of a device that has vanished PortAudio may say so."""
        stream, self._stream = self._stream, None
        for end in (stream.abort, stream.close) if stream is not None else ():
            with suppress(sounddevice.PortAudioError):
                end()

    def play(self, pcm: Pcm, at: float) -> None:
        """The Output port; the device's own clock decides when exactly."""
        self._feed.put(pcm)

    def flush(self, at: float) -> None:
        """The Output port. What the card has taken already (its latency) cannot be called back."""
        self._feed.clear()

    def latency(self) -> float:
        """The Output port: the cushion and what the card says of itself."""
        stream = self._stream  # it may be gone at any moment
        return self._cushion + float(stream.latency) if stream is not None else 0.0

    def _fill(self, out: np.ndarray[Any, Any], frames: int, when: object, status: object) -> None:
        self._asked += 1
        self._feed.fill(out[:, 0])


def _library() -> Any:
    try:
        import sounddevice  # here: most machines that run a show have no use for it
    except ModuleNotFoundError as error:
        raise ConfigError(f"speaker.device: {PACKAGE}; {OTHERS}") from error
    except OSError as error:
        raise ConfigError(f"speaker.device: {LIBRARY}; {OTHERS}") from error
    return sounddevice
