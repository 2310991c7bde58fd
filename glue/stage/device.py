"""SOUND -> the machine's sound device, through PortAudio (the `sound` extra)."""

from __future__ import annotations

import logging
from typing import Any, Self

import numpy as np

from glue.errors import ConfigError
from glue.ports import Pcm
from glue.stage.feed import Feed

log = logging.getLogger(__name__)

LIBRARY = "PortAudio is missing: apt install libportaudio2 (macOS: brew install portaudio)"
PACKAGE = "the sound extra is missing: uv sync --extra sound"
OTHERS = "or choose another speaker: speaker=[page] or speaker=[wav]"


class SoundDevice:
    """An Output. PortAudio's thread takes what it needs; a device that vanishes leaves the show silent."""

    def __init__(self, rate: int, device: str = "", cushion: float = 0.04) -> None:
        """`device`: a name or a part of it, "" for the system's own; `cushion`: seconds in hand."""
        self._rate = rate
        self._device = device or None
        self._cushion = cushion
        self._feed = Feed(rate, cushion)
        self._stream: Any = None  # sounddevice ships without types

    async def __aenter__(self) -> Self:
        """Open the device. Raises ConfigError with the cure."""
        sounddevice = _library()
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
            raise ConfigError(f"speaker.device: {_one_line(error)}; {OTHERS}") from error
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._stream is not None:
            self._stream.abort()
            self._stream.close()
            self._stream = None

    def play(self, pcm: Pcm, at: float) -> None:
        """The Output port; the device's own clock decides when exactly."""
        self._feed.put(pcm)

    def flush(self, at: float) -> None:
        """The Output port. What the card has taken already (its latency) cannot be called back."""
        self._feed.clear()

    def latency(self) -> float:
        """The Output port: the cushion and what the card says of itself."""
        return self._cushion + float(self._stream.latency) if self._stream is not None else 0.0

    def _fill(self, out: np.ndarray[Any, Any], frames: int, when: object, status: object) -> None:
        self._feed.fill(out[:, 0])


def _library() -> Any:
    try:
        import sounddevice  # here: most machines that run a show have no use for it
    except ModuleNotFoundError as error:
        raise ConfigError(f"speaker.device: {PACKAGE}; {OTHERS}") from error
    except OSError as error:
        raise ConfigError(f"speaker.device: {LIBRARY}; {OTHERS}") from error
    return sounddevice


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
