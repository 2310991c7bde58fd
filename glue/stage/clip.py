"""A WAV file of the operator's as the mixer has it: one channel, 16 bit, at the show's rate."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from glue.errors import Refused
from glue.ports import Pcm


@dataclass(frozen=True, slots=True)
class Limits:
    """What `part` of the show can play: so many `longest` seconds, so many `largest` bytes."""

    part: str
    longest: float
    largest: int

    @property
    def cure(self) -> str:
        """How a file becomes one of these."""
        return f"cure: ffmpeg -i FILE -t {self.longest:.0f} -c:a pcm_s16le NEW.wav"


PART = "sounds"
LARGEST = 64 * 1024 * 1024  # bytes: half a minute in the finest form
SOUND = Limits(PART, 30.0, LARGEST)
RATES = (4_000, 384_000)


def seconds(path: Path, limits: Limits = SOUND) -> float:
    """How long it lasts, by its first bytes. Raises Refused with the cure for what cannot be played."""
    part, cure = limits.part, limits.cure
    with opened(path, limits) as file:
        rate, frames, has = file.getframerate(), file.getnframes(), path.stat().st_size
        frames = min(frames, has // (file.getsampwidth() * file.getnchannels()))  # its first bytes may lie
    if not RATES[0] <= rate <= RATES[1]:
        raise Refused(part, f"{path.name} has {rate} samples a second; {cure}")
    if not frames:
        raise Refused(part, f"{path.name} is empty; {cure}")
    if frames > limits.longest * rate:
        raise Refused(
            part, f"{path.name} lasts {frames / rate:.0f} s, and {limits.longest:.0f} s is the most; {cure}"
        )
    return frames / rate


def samples(path: Path, rate: int, gain: float) -> Pcm:
    """All of a sound at `rate` Hz, `gain` times as loud. Takes a moment: in a thread. Raises Refused."""
    seconds(path)
    with opened(path) as file:
        width, channels, has = file.getsampwidth(), file.getnchannels(), file.getframerate()
        raw = file.readframes(file.getnframes())
    one = mono(raw, width, channels)
    if has != rate:
        one = soxr.resample(one, has, rate)
    return loud(one, gain)


def opened(path: Path, limits: Limits = SOUND) -> wave.Wave_read:
    """The file, to be read. Raises Refused with the cure."""
    part, cure = limits.part, limits.cure
    try:
        if not path.is_file():  # a pipe of that name would wait for ever
            raise Refused(part, f"{path.name} is no file; {cure}")
        if path.stat().st_size > limits.largest:
            raise Refused(part, f"{path.name} has more than {limits.largest >> 20} MB; {cure}")
        return wave.open(str(path), "rb")
    except OSError as error:
        raise Refused(part, f"{path.name}: {error.strerror}; cure: see that the show may read it") from error
    except (wave.Error, EOFError) as error:
        why = str(error) or "it ends too early"
        raise Refused(part, f"{path.name} is no WAV file of whole numbers: {why}; {cure}") from error


def mono(raw: bytes, width: int, channels: int) -> NDArray[np.float32]:
    """Frames of `channels` samples of `width` bytes as one channel, -1 to 1; half a frame at the end goes."""
    frame = width * channels
    floats = _floats(raw[: len(raw) // frame * frame], width)
    one: NDArray[np.float32] = floats.reshape(-1, channels).mean(axis=1)
    return one


def loud(one: NDArray[np.float32], gain: float) -> Pcm:
    """A channel as 16 bit, `gain` times as loud, clipped."""
    pcm: Pcm = np.clip(one * np.float32(gain * 32768), -32768, 32767).astype(np.int16)
    return pcm


def _floats(raw: bytes, width: int) -> NDArray[np.float32]:
    """Samples of `width` bytes as -1 to 1. WAV's single bytes have no sign."""
    if width == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)
    if width == 3:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        raw, width = wide.tobytes(), 4
    whole: NDArray[np.float32] = np.frombuffer(raw, f"<i{width}").astype(np.float32)
    return whole / np.float32(1 << (8 * width - 1))
