"""SOUND -> mouth: from a clause's chunks to VTube Studio's mouth inputs over the track's time. Pure numpy.

The shape comes from the phonemes where the voice gives them, otherwise from the sound; how far it opens
always follows the loudness, so that it is never open on silence.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from glue.ports import Pcm, Speech
from glue.stage.formants import Formants
from glue.stage.visemes import Glide

KEYS = ("MouthOpen", "MouthSmile", "VoiceA", "VoiceI", "VoiceU", "VoiceE", "VoiceO", "VoiceVolume")
CLOSED = dict.fromkeys(KEYS, 0.0)  # MouthSmile is what a sound adds to her resting smile

STEP = 0.010  # seconds a frame
KEPT = 12_000  # frames: the two minutes that are kept around the playhead
LOUDNESS_WINDOW = 0.020  # seconds, centred
SILENCE = 0.004  # of full scale, RMS (-48 dB): below it the mouth is shut
USUAL = 0.08  # RMS of a voice's loud vowels, until it has shown its own
FORGETS = 0.9995  # a frame: how a loud moment fades from what counts as loud (half in 14 s)
ATTACK = 1 - math.exp(-STEP / 0.013)  # 90 % in 30 ms
RELEASE = 1 - math.exp(-STEP / 0.035)  # 90 % in 80 ms
SMOOTH = 1 - math.exp(-STEP / 0.020)  # of shapes that are guessed from the sound


class MouthTrack:
    """Frames of 10 ms on the track's time, in a ring: memory does not grow."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._formants = Formants(rate)
        self._frames = np.zeros((KEPT, len(KEYS)), np.float32)
        self._number = np.full(KEPT, -1, np.int64)  # which frame each row holds
        self._clause, self._glide = -1.0, Glide()
        self._loudest = USUAL
        self._restart(0.0)

    def _restart(self, at: float) -> None:
        self._end = at  # seconds
        self._tail = np.zeros(self._formants.size, np.float32)  # the last sound before `_end`
        self._level = 0.0
        self._shape = np.zeros(7)

    def add(self, start: float, clause_start: float, speech: Speech) -> None:
        """A chunk that begins at `start` of the track, of the clause that began at `clause_start`."""
        if clause_start != self._clause:
            self._clause, self._glide = clause_start, Glide()
        self._glide.add(speech.phonemes)
        if abs(start - self._end) > STEP:
            self._restart(start)
        if not speech.pcm.size:
            return
        end = start + speech.pcm.size / self.rate
        numbers = np.arange(math.ceil(start / STEP - 1e-6), math.ceil(end / STEP - 1e-6))
        if numbers.size:
            self._write(numbers[-KEPT:], start, speech.pcm)
        tail = np.concatenate([self._tail, speech.pcm[-self._tail.size :] / np.float32(32768)])
        self._tail, self._end = tail[-self._tail.size :].astype(np.float32), end

    def _write(self, numbers: NDArray[np.int64], start: float, pcm: Pcm) -> None:
        sound = np.concatenate([self._tail, pcm.astype(np.float32) / np.float32(32768)])
        times = numbers.astype(np.float64) * STEP
        centres = np.rint((times - start) * self.rate).astype(np.int64) + self._tail.size
        loudness = self._loudness(sound, centres)
        level = self._levels(loudness)[:, None]
        if self._glide and self._glide.covers(float(times[-1]) - self._clause):
            shapes = self._glide.at(times - self._clause)
        else:
            shapes = self._guess(sound, centres)
        rows = numbers % KEPT
        self._frames[rows, :-1] = shapes * level
        self._frames[rows, -1] = level[:, 0]
        self._number[rows] = numbers

    def _loudness(self, sound: NDArray[np.float32], centres: NDArray[np.int64]) -> NDArray[np.float64]:
        """RMS around each centre; at the chunk's end of what there is, or it would dip every 100 ms."""
        half = round(LOUDNESS_WINDOW * self.rate / 2)
        total = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
        low, high = np.maximum(centres - half, 0), np.minimum(centres + half, sound.size)
        return np.asarray(np.sqrt(np.maximum(total[high] - total[low], 0.0) / (high - low)))

    def _levels(self, loudness: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far open, 0-1, with attack and release."""
        found = []
        for rms in loudness.tolist():
            self._loudest = max(self._loudest * FORGETS, rms, USUAL / 4)
            target = min(1.0, rms / self._loudest) ** 0.6 if rms > SILENCE else 0.0
            self._level += (target - self._level) * (ATTACK if target > self._level else RELEASE)
            found.append(self._level if self._level > 0.01 else 0.0)
        return np.asarray(found)

    def _guess(self, sound: NDArray[np.float32], centres: NDArray[np.int64]) -> NDArray[np.float64]:
        size = self._formants.size
        firsts = np.clip(centres - size // 2, 0, sound.size - size)
        shapes = self._formants.shapes(np.lib.stride_tricks.sliding_window_view(sound, size)[firsts])
        for i, shape in enumerate(shapes):
            self._shape = self._shape + (shape - self._shape) * SMOOTH
            shapes[i] = self._shape
        return shapes

    def at(self, t: float) -> dict[str, float]:
        """The mouth at `t` seconds of the track; shut where there is no sound."""
        place = t / STEP
        number = math.floor(place)
        before, after = self._row(number), self._row(number + 1)
        part = place - number
        values = [a + (b - a) * part for a, b in zip(before, after, strict=True)]
        return dict(zip(KEYS, values, strict=True))

    def _row(self, number: int) -> list[float]:
        row = number % KEPT
        if number < 0 or self._number[row] != number:
            return [0.0] * len(KEYS)
        return [float(value) for value in self._frames[row]]

    def clear(self, after: float) -> None:
        """Barge-in: there is no sound beyond `after`."""
        self._number[self._number * STEP >= after] = -1
        self._restart(after)
        self._clause = -1.0
