"""Where a piece's sound begins and ends: silence cut off in front and behind, without a click."""

from collections.abc import Sequence

import numpy as np

from engines.speech.sound import Samples
from engines.speech.timing import Span, sounds

AUDIBLE = 0.004  # -48 dBFS
BEFORE_ONSET = 0.010  # seconds kept in front of the first sound, so that no consonant is clipped
FADE = 0.005  # seconds


def begin(samples: Samples, rate: float) -> tuple[int, int]:
    """The sample to begin with, and the first audible one."""
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    onset = int(loud[0]) if loud.size else 0
    return max(0, onset - int(BEFORE_ONSET * rate)), onset


def end(spans: Sequence[Span], most_silence: float) -> int:
    """The sample to end with: at most so many of silence after the last span that sounds."""
    at, sound = 0.0, 0.0
    for symbol, length in spans:
        at += length
        sound = at if sounds(symbol) else sound
    return int(min(at, sound + most_silence))


def risen(samples: Samples, length: int) -> Samples:
    """The same, coming up from nothing over its first `length` samples."""
    length = min(len(samples), length)
    shaped = samples.copy()
    shaped[:length] *= np.linspace(0.0, 1.0, length, dtype=np.float32)
    return shaped


def faded(samples: Samples, rate: float) -> Samples:
    """The same, its last milliseconds going down to nothing."""
    length = min(len(samples), int(FADE * rate))
    shaped = samples.copy()
    shaped[len(shaped) - length :] *= np.linspace(1.0, 0.0, length, dtype=np.float32)
    return shaped
