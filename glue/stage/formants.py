"""Sound to mouth shapes, for voices that give no phonemes: where the vowel's two first formants lie.

F1 (200-1000 Hz) rises with the jaw, F2 (800-3000 Hz) with the spread of the lips; each is taken as the centre
of its band's energy, and the shape is a blend of the vowels whose usual centres are near.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glue.stage.visemes import AH, EH, IH, OH, SHUT, UH

WINDOW = 0.040  # seconds
# Measured so on the default voice's vowels, moved a little towards a woman's.
VOWELS = np.asarray([AH, IH, UH, EH, OH])
CENTRES = np.asarray([[700.0, 1120.0], [290.0, 2350.0], [310.0, 1150.0], [490.0, 1850.0], [550.0, 1000.0]])
WIDTHS = np.asarray([90.0, 350.0])  # Hz: how far a vowel's formants wander
HISS = np.asarray([0.3, 0.1, 0.0, 0.2, 0.0, 0.2, 0.0])  # s, f, sh: the mouth is nearly shut


class Formants:
    """Made for one sample rate."""

    def __init__(self, rate: int) -> None:
        self.size = round(WINDOW * rate)
        self._hann = np.hanning(self.size).astype(np.float32)
        hz = np.fft.rfftfreq(self.size, 1 / rate)
        self._low, self._high = (hz >= 200) & (hz < 1000), (hz >= 800) & (hz < 3000)
        self._voice, self._hiss = hz < 3500, hz >= 3500
        self._hz = hz

    def shapes(self, frames: NDArray[np.float32]) -> NDArray[np.float64]:
        """Frames [n, size] of samples to shapes [n, 7] (glue/stage/visemes.py)."""
        power = np.abs(np.fft.rfft(frames * self._hann, axis=1)) ** 2 + 1e-12
        f1, f2 = self._centre(power, self._low), self._centre(power, self._high)
        away = (np.stack([f1, f2], axis=1)[:, None, :] - CENTRES) / WIDTHS
        near = np.exp(-0.5 * (away**2).sum(axis=2)) + 1e-6
        vowel = (near / near.sum(axis=1, keepdims=True)) @ VOWELS
        voice = power[:, self._voice].sum(axis=1)
        hiss = (voice < power[:, self._hiss].sum(axis=1))[:, None]
        return np.where(hiss, HISS, vowel) if len(power) else np.empty((0, len(SHUT)))

    def _centre(self, power: NDArray[np.float64], band: NDArray[np.bool_]) -> NDArray[np.float64]:
        inside = power[:, band]
        return np.asarray((inside * self._hz[band]).sum(axis=1) / inside.sum(axis=1))
