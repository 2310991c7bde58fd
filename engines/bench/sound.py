"""A message as a microphone gives it: from a WAV, or spoken by a server; its end is its last loud sample."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from engines.bench.errors import BenchFailed

RATE = 16_000  # Hz
LOUD = 330  # a sample beyond this is speech (full scale is 32767)
SHORTEST, LONGEST = 0.2, 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Message:
    """`pcm` is int16 [samples] at RATE; `end` the second at which the last word is over; `words` if known."""

    pcm: NDArray[np.int16]
    end: float
    words: str = ""


def message(pcm: NDArray[np.int16], rate: int, words: str = "") -> Message:
    """Brought to RATE, cut after its end. Raises BenchFailed for silence and for no message's length."""
    resampled = soxr.resample(pcm.astype(np.float32), rate, RATE) if rate != RATE else pcm
    sound = np.clip(resampled, -32768, 32767).astype(np.int16)
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > LOUD)
    end = (int(loud[-1]) + 1) / RATE if loud.size else 0.0
    if not SHORTEST <= end <= LONGEST:
        raise BenchFailed(f"the sound has {end:.1f} s of speech; cure: a message of 1 to 30 s")
    return Message(sound[: int(end * RATE)], end, words)


def from_wav(path: Path) -> Message:
    """A WAV of 16-bit PCM, any rate; several channels are mixed. Raises BenchFailed."""
    try:
        with wave.open(str(path.expanduser())) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            raw = file.readframes(int(LONGEST * 2 * rate))
    except (OSError, EOFError, wave.Error) as error:
        raise BenchFailed(f"sound={path}: {error or 'it is cut short'}; cure: a WAV of 16-bit PCM") from error
    if width != 2 or not 4000 <= rate <= 192_000:
        raise BenchFailed(f"sound={path}: {8 * width} bits at {rate} Hz; cure: a WAV of 16-bit PCM")
    samples = np.frombuffer(raw[: len(raw) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
    return message(samples.mean(axis=1).astype(np.int16), rate)


def wrong(said: str, heard: str) -> float:
    """Words that were heard wrong, in percent of those that were said (edit distance; may pass 100)."""
    one, other = _words(said), _words(heard)
    if not one:
        return 0.0
    before = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        row = [number]
        for place, heard_word in enumerate(other, 1):
            swapped = before[place - 1] + (word != heard_word)
            row.append(min(before[place] + 1, row[-1] + 1, swapped))
        before = row
    return 100 * before[-1] / len(one)


def _words(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c.isspace()).split()
