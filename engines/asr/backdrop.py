"""What is heard behind a voice in the ears' test set: noise, and music. The same samples every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engines.asr.detector import RATE

Sound = NDArray[np.float32]
BEAT = 0.55  # seconds: 109 a minute
CHORDS = ((57, 60, 64), (53, 57, 60), (48, 55, 64), (55, 59, 62))  # A minor, F, C, G, as MIDI notes
PARTIALS = (1.0, 0.5, 0.33, 0.2, 0.12)  # of a note, the loudness of each
KICK, HAT = 55.0, 0.35  # Hz; loudness against the kick


def noise(samples: int) -> Sound:
    """A room with a fan in it: pink, more or less."""
    white = np.random.default_rng(7).normal(0, 1, samples)
    return np.asarray(np.convolve(white, np.ones(8) / 8, "same"), np.float32)


def music(samples: int) -> Sound:
    """A chord in two beats, a bass drum on each of them and a hi-hat between."""
    time = np.arange(samples) / RATE
    chord = (time / (2 * BEAT)).astype(int) % len(CHORDS)
    sound = np.zeros(samples)
    for number, notes in enumerate(CHORDS):
        plays = chord == number
        for note in (*notes, notes[0] - 12):
            hertz = 440 * 2 ** ((note - 69) / 12)
            for partial, loud in enumerate(PARTIALS, 1):
                sound[plays] += loud * np.sin(2 * np.pi * hertz * partial * time[plays])
    since = time % BEAT
    kick = 6 * np.exp(-since * 14) * np.sin(2 * np.pi * KICK * since)
    hiss = np.random.default_rng(8).normal(0, 1, samples)
    hat = 6 * HAT * np.exp(-((since + BEAT / 2) % BEAT) * 60) * hiss
    return np.asarray(sound * (0.6 + 0.4 * np.exp(-since * 3)) + kick + hat, np.float32)


def mixed(sound: Sound, behind: Callable[[int], Sound], louder: float, after: float) -> bytes:
    """A voice with silence around it, `after` seconds at its end, and what is behind it `louder` dB below it;
    s16le."""
    around = np.zeros(RATE // 3, np.float32), np.zeros(round(after * RATE), np.float32)
    whole = np.concatenate([around[0], sound, around[1]])
    other = behind(len(whole))
    power = np.sqrt(np.mean(sound**2)) / 10 ** (louder / 20)
    out = np.clip(whole + other / np.sqrt(np.mean(other**2)) * power, -1, 1)
    return bytes((out * 32767).astype("<i2").tobytes())
