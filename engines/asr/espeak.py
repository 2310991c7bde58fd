"""espeak-ng's own voice, for the ears' test set: formants and rules, unlike any voice of ours.

The library and its data come with the `kokoro` extra (espeakng_loader). It keeps one global state: one caller
at a time.
"""

from __future__ import annotations

import ctypes

import espeakng_loader
import numpy as np
import soxr
from numpy.typing import NDArray

from engines.asr.detector import RATE

SYNCHRONOUS, UTF8 = 2, 1  # espeak_AUDIO_OUTPUT, espeakCHARS_UTF8
Take = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """Speaks with what espeak-ng calls a voice ("en-us+f3"). Raises OSError where it cannot be loaded."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
        if self._rate <= 0:
            raise OSError("espeak-ng: it does not find its data")
        self._pieces: list[NDArray[np.int16]] = []
        self._take = Take(self._taken)  # held: the library calls it later
        self._library.espeak_SetSynthCallback(self._take)

    def say(self, voice: str, text: str) -> NDArray[np.int16]:
        """The samples, at the ears' rate. Raises OSError for a voice that it does not have."""
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise OSError(f"espeak-ng: no voice '{voice}'")
        self._pieces.clear()
        said = text.encode()
        self._library.espeak_Synth(said, ctypes.c_size_t(len(said) + 1), 0, 0, 0, UTF8, None, None)
        self._library.espeak_Synchronize()
        whole = np.concatenate([*self._pieces, np.empty(0, np.int16)])
        return np.asarray(soxr.resample(whole, self._rate, RATE), np.int16)

    def _taken(self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: int | None) -> int:
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0
