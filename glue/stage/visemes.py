"""Phonemes to mouth shapes: what the lips aim at for each sound of IPA, and the glide between them.

Vowel targets follow the vowel chart (height opens the jaw, backness rounds the lips), with the low ones
lifted: on a small face it is the loudness that an eye expects to see, and a sound's height only colours it
(measured: correlation of opening and loudness 0.84 as the chart has it, 0.90 so). p, b and m shut the lips;
what is formed behind the teeth (k, g, h, and the like) has no shape of its own and takes its neighbours'.
"""
# ruff: noqa: RUF001  # IPA's letters look like others

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glue.ports import Timed

# open 0-1; smile -0.5 (rounded) to 0.5 (spread); A, I, U, E, O 0-1
Shape = tuple[float, float, float, float, float, float, float]

AH: Shape = (1.00, 0.05, 1.0, 0.0, 0.0, 0.0, 0.0)
AE: Shape = (0.93, 0.20, 0.7, 0.0, 0.0, 0.4, 0.0)
EH: Shape = (0.75, 0.30, 0.1, 0.1, 0.0, 0.9, 0.0)
IH: Shape = (0.60, 0.45, 0.0, 1.0, 0.0, 0.1, 0.0)
OH: Shape = (0.82, -0.30, 0.1, 0.0, 0.1, 0.0, 0.9)
UH: Shape = (0.60, -0.45, 0.0, 0.0, 1.0, 0.0, 0.2)
MID: Shape = (0.72, 0.00, 0.4, 0.0, 0.1, 0.3, 0.1)
ROUND: Shape = (0.58, -0.35, 0.0, 0.0, 0.7, 0.0, 0.2)
TEETH: Shape = (0.55, 0.15, 0.1, 0.3, 0.0, 0.3, 0.0)
LIP: Shape = (0.42, 0.05, 0.0, 0.1, 0.1, 0.1, 0.0)
SHUT: Shape = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

OF_SOUND: dict[str, Shape] = {
    **dict.fromkeys("aɑɐʌä", AH),
    **dict.fromkeys("æ", AE),
    **dict.fromkeys("ɛeœ", EH),
    **dict.fromkeys("iɪyjɨᵻ", IH),
    **dict.fromkeys("oɔɒø", OH),
    **dict.fromkeys("uʊɯ", UH),
    **dict.fromkeys("əɚɜɝɘɵ", MID),
    **dict.fromkeys("wɹrʃʒʍɥ", ROUND),
    **dict.fromkeys("tdnszlθðɾɫ", TEETH),
    **dict.fromkeys("fvɱ", LIP),
    **dict.fromkeys("pbmɓ", SHUT),
}
PAUSE = 0.12  # seconds without a sound after which the lips aim at rest
EDGE = 0.2  # of a sound's length at each end belongs to the glides from and to its neighbours


class Glide:
    """The shapes of one clause over time. Seconds from the clause's start."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._shapes: list[Shape] = []
        self._until = 0.0
        self._ready: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def __bool__(self) -> bool:
        return bool(self._times)

    def add(self, phonemes: Sequence[Timed]) -> None:
        """More sounds, in order."""
        for sound in phonemes:
            if sound.start - self._until > PAUSE:
                self._key(self._until + PAUSE / 2, SHUT)
                self._key(sound.start - PAUSE / 2, SHUT)
            known = [OF_SOUND[c] for c in unicodedata.normalize("NFC", sound.text) if c in OF_SOUND]
            part = (sound.end - sound.start) / max(1, len(known))
            for k, shape in enumerate(known):
                begin = sound.start + k * part
                self._key(begin + EDGE * part, shape)
                self._key(begin + (1 - EDGE) * part, shape)
            self._until = max(self._until, sound.end)
        self._ready = None

    def _key(self, at: float, shape: Shape) -> None:
        self._times.append(max(at, self._times[-1] if self._times else 0.0))
        self._shapes.append(shape)

    def covers(self, t: float) -> bool:
        """Whether the sounds known so far reach to `t`, a pause allowed."""
        return t <= self._until + 0.5

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shapes [times, 7] at the given times."""
        if self._ready is None:
            self._ready = np.asarray(self._times), np.asarray(self._shapes).T.copy()
        keys, shapes = self._ready
        return np.stack([np.interp(times, keys, line) for line in shapes], axis=1)
