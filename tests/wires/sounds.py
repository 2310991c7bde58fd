"""What people do beside speaking, made from noise and pulses: coughs, laughter, humming."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.wires.listening import RATE

Sound = NDArray[np.float64]
Vowel = tuple[tuple[float, float, float], ...]  # of each formant: Hz, its width, its loudness
UH: Vowel = ((650, 90, 1), (1150, 110, 0.6), (2500, 180, 0.25), (3500, 300, 0.1))
AH: Vowel = ((800, 100, 1), (1250, 120, 0.6), (2700, 180, 0.25), (3600, 300, 0.1))
EE: Vowel = ((320, 60, 1), (2300, 120, 0.5), (3000, 180, 0.4))
MM: Vowel = ((280, 60, 1), (1000, 200, 0.05), (2200, 300, 0.03))
LOUD = 0.45


def coughs(seed: int, times: int, pitch: float) -> NDArray[np.int16]:
    """Each: the burst with which the throat opens, breath, and a voiced end; softer every time."""
    rng = np.random.default_rng(seed)
    gap = np.zeros(round(0.2 * RATE))
    each = [np.concatenate([*_cough(rng, pitch * (1 - 0.05 * n)), gap]) * 0.75**n for n in range(times)]
    return _samples(np.concatenate(each))


def laughter(seed: int, times: int, pitch: float, vowel: Vowel) -> NDArray[np.int16]:
    """Breath and a short vowel in turn, five a second, falling."""
    rng, size = np.random.default_rng(seed), round(0.1 * RATE)
    parts: list[Sound] = []
    for n in range(times):
        breath = _through(rng.normal(0, 1, size), vowel, wide=3) * np.hanning(size)
        hz = np.linspace(pitch * 1.1, pitch * 0.9, size) * (1 - 0.04 * n)
        voice = _through(_pulses(hz), vowel) * np.hanning(size)
        parts += [0.25 * _full(breath), (1 - 0.08 * n) * _full(voice)]
    return _samples(np.concatenate(parts))


def mhm(seed: int, pitch: float) -> NDArray[np.int16]:
    """Through the nose, falling, and up again behind a breath."""
    rng, parts = np.random.default_rng(seed), list[Sound]()
    for begins, ends, seconds in ((1.1, 0.95, 0.2), (1.0, 1.25, 0.25)):
        size = round(seconds * RATE)
        voice = _through(_pulses(np.linspace(begins, ends, size) * pitch), MM) * np.hanning(size)
        breath = _through(rng.normal(0, 1, size // 4), MM, wide=3) * np.hanning(size // 4)
        parts += [_full(voice), 0.1 * _full(breath)]
    return _samples(np.concatenate(parts))


def _cough(rng: np.random.Generator, pitch: float) -> Iterator[Sound]:
    size = round(0.09 * RATE)
    yield _full(_through(rng.normal(0, 1, size), UH, wide=5) * _struck(size, 0.004, 0.03))
    long = round(0.18 * RATE)
    breath = _full(_through(rng.normal(0, 1, long), UH, wide=3) * _struck(long, 0.01, 0.09))
    voice = _full(_through(_pulses(np.linspace(1.4 * pitch, pitch, long)), UH) * _struck(long, 0.01, 0.06))
    yield 0.4 * breath + 0.5 * voice
    end = _through(_pulses(np.linspace(1.2 * pitch, 0.8 * pitch, size)), UH) * np.hanning(size)
    yield 0.5 * _full(end)


def _pulses(hz: Sound) -> Sound:
    """A larynx: a pulse a period."""
    beats = np.diff(np.floor(np.cumsum(hz / RATE)), prepend=0.0)
    return np.convolve(beats, np.exp(-np.arange(60) / 12))[: len(hz)]


def _through(sound: Sound, vowel: Vowel, wide: float = 1) -> Sound:
    """As a mouth that forms this vowel lets it out."""
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = sum(loud / (1 + ((hz - at) / (wide * width)) ** 2) for at, width, loud in vowel)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * gain * (hz > 120), len(sound)))


def _struck(size: int, rises: float, falls: float) -> Sound:
    time = np.arange(size) / RATE
    return np.minimum(1, time / rises) * np.exp(-np.maximum(0, time - rises) / falls)


def _full(sound: Sound) -> Sound:
    return np.asarray(sound / (np.abs(sound).max() + 1e-9))


def _samples(sound: Sound) -> NDArray[np.int16]:
    return (32767 * LOUD * sound).astype(np.int16)
