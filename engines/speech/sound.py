"""What a voice gives: blocks of samples with the timings that belong to them, and the way to stop it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engines.speech.text import Word

Samples = NDArray[np.float32]  # mono, in [-1, 1]
SILENCE = "_"  # the phoneme token of a word break or a pause


@dataclass(frozen=True, slots=True)
class Phone:
    """A phoneme (IPA, its stress mark in front), a punctuation mark or SILENCE, and its length in seconds."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Said:
    """A word of the text and when it sounds, in seconds from the start of its inference."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Block:
    """Samples at `rate` per second. An inference's timings come with its first block; `last` ends it."""

    samples: Samples
    rate: float
    last: bool
    phones: tuple[Phone, ...] = ()
    words: tuple[Said, ...] = ()


class Stop:
    """One call's off switch: every inference that is given `options` ends when pulled, also later ones."""

    def __init__(self) -> None:
        self.options = ort.RunOptions()

    def pull(self) -> None:
        """Make the inference in work raise onnxruntime's Fail, from any thread, within a few milliseconds."""
        self.options.terminate = True


class Voice(Protocol):
    """A model that speaks, under one or several names."""

    @property
    def name(self) -> str:
        """The model and speaker: "Piper.joe"."""
        ...

    @property
    def styles(self) -> Sequence[str]:
        """The default first; a full name is "Piper.joe.natural"."""
        ...

    @property
    def language(self) -> str:
        """As Riva writes it: "en-US"."""
        ...

    @property
    def rate(self) -> int:
        """What 0 means when a client asks for a rate, Hz."""
        ...

    def speak(self, words: Sequence[Word], style: str, times: bool, stop: Stop) -> Iterator[Block]:
        """Speak one piece of text (one inference). Blocking: run each step in a thread. May yield nothing."""
        ...
