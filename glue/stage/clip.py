"""A sound's WAV file as the mixer has it: one channel, 16 bit, at the show's rate."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from glue.errors import Refused
from glue.ports import Pcm

PART = "sounds"
LONGEST = 30.0  # seconds
LARGEST = 64 * 1024 * 1024  # bytes: half a minute in the finest form
RATES = (4_000, 384_000)
CURE = "cure: ffmpeg -i FILE -t 30 -c:a pcm_s16le NEW.wav"


def seconds(path: Path) -> float:
    """How long it lasts, by its first bytes. Raises Refused with the cure for what cannot be played."""
    with _opened(path) as file:
        rate, frames, has = file.getframerate(), file.getnframes(), path.stat().st_size
        frames = min(frames, has // (file.getsampwidth() * file.getnchannels()))  # its first bytes may lie
    if not RATES[0] <= rate <= RATES[1]:
        raise Refused(PART, f"{path.name} has {rate} samples a second; {CURE}")
    if not frames:
        raise Refused(PART, f"{path.name} is empty; {CURE}")
    if frames > LONGEST * rate:
        raise Refused(
            PART, f"{path.name} lasts {frames / rate:.0f} s, and {LONGEST:.0f} s is the most; {CURE}"
        )
    return frames / rate


def samples(path: Path, rate: int, gain: float) -> Pcm:
    """All of it at `rate` Hz, `gain` times as loud. Takes a moment: in a thread. Raises Refused."""
    seconds(path)
    with _opened(path) as file:
        width, channels, has = file.getsampwidth(), file.getnchannels(), file.getframerate()
        raw = file.readframes(file.getnframes())
    frame = width * channels
    mono = _floats(raw[: len(raw) // frame * frame], width).reshape(-1, channels).mean(axis=1)
    if has != rate:
        mono = soxr.resample(mono, has, rate)
    loud: Pcm = np.clip(mono * gain * 32768, -32768, 32767).astype(np.int16)
    return loud


def _opened(path: Path) -> wave.Wave_read:
    try:
        if not path.is_file():  # a pipe of that name would wait for ever
            raise Refused(PART, f"{path.name} is no file; {CURE}")
        if path.stat().st_size > LARGEST:
            raise Refused(PART, f"{path.name} has more than {LARGEST >> 20} MB; {CURE}")
        return wave.open(str(path), "rb")
    except OSError as error:
        raise Refused(PART, f"{path.name}: {error.strerror}; cure: see that the show may read it") from error
    except (wave.Error, EOFError) as error:
        why = str(error) or "it ends too early"
        raise Refused(PART, f"{path.name} is no WAV file of whole numbers: {why}; {CURE}") from error


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
