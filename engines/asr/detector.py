"""SOUND -> is it a voice? Silero's voice detector, one window after another, with its memory."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # mono, 16 kHz, in [-1, 1]
RATE = 16_000
WINDOW = 512  # samples: 32 ms, what the model was trained on
CONTEXT = 64  # samples of the window before
QUIET = 0.003  # of full scale, root mean square: a room without a voice (-50 dB)
FORGET = 16  # windows of that, half a second, after which what was before is forgotten


class Detector:
    """The model, shared by all streams; loads in 30 ms. Each stream has a `Watch` of its own."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        path = files("faster_whisper").joinpath("assets/silero_vad_v6.onnx")
        self._session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])

    def run(self, sound: Samples, h: Samples, c: Samples) -> tuple[Samples, Samples, Samples]:
        """`sound` [n, 576], windows in a row: each one's probability of a voice [n], and the memory after the
        last ([1, 1, 128] each)."""
        probabilities, h, c = self._session.run(None, {"input": sound, "h": h, "c": c})
        return probabilities.reshape(-1), h, c


class Watch:
    """The detector over one stream.

    The model grows dull: after two minutes of silence it notices a voice 160 ms late, after a minute of music
    450 ms late, a word or two. So its memory is cleared whenever the room has been quiet for a while.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._before = np.zeros((1, CONTEXT), np.float32)
        self._forget()

    def _forget(self) -> None:
        self._h = self._c = np.zeros((1, 1, 128), np.float32)
        self._quiet = 0

    def probabilities(self, windows: Samples) -> list[float]:
        """Of a voice in each of the next windows, [n, `WINDOW`]; 0.1 ms, and half of that if many."""
        contexts = np.concatenate([self._before, windows[:-1, -CONTEXT:]])
        sound, self._before = np.concatenate([contexts, windows], axis=1), windows[-1:, -CONTEXT:].copy()
        found, begun = list[float](), 0
        for at, loud in enumerate(np.sqrt(np.mean(windows**2, axis=1))):
            self._quiet = self._quiet + 1 if loud < QUIET else 0
            if self._quiet == FORGET:
                found += self._run(sound[begun:at])
                self._forget()
                begun = at
        return [*found, *self._run(sound[begun:])]

    def _run(self, sound: Samples) -> list[float]:
        if not len(sound):
            return []
        found, self._h, self._c = self._detector.run(sound, self._h, self._c)
        return [float(probability) for probability in found]
