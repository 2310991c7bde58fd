"""What the tests of the ears say to them, how they ask, and whether what they heard is what was said."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import riva.client
from numpy.typing import NDArray

LINE = "The train to the mountains leaves at seven, so bring your coat and a sandwich."
SECOND = "Do you like thunderstorms?"
OPEN = "Well, I think"
STOP = "Wait, stop. I have another question."
# Told into her own ears. The recogniser makes "Justice just angry checkers" of it where it is faint.
TALE = (
    "Well, my favourite snack is popcorn. Chess is just angry chequers with horses, I stand by that. "
    "Somebody stole my pickaxe in the cave, and I blame the skeleton."
)
RATE = 16000
CHUNK = RATE // 10


def quiet(seconds: float) -> NDArray[np.int16]:
    noise = np.random.default_rng(5).normal(0, 8, round(seconds * RATE))
    return noise.astype("<i2")


def config(**more: Any) -> riva.client.RecognitionConfig:
    known = {"encoding": riva.client.AudioEncoding.LINEAR_PCM, "sample_rate_hertz": RATE}
    return riva.client.RecognitionConfig(
        **(known | {"language_code": "en-US", "enable_automatic_punctuation": True} | more)
    )


def streamed(asr: Any, sound: NDArray[np.int16], **more: Any) -> list[Any]:
    """The results of sound that is sent as fast as it is taken."""
    asked = riva.client.StreamingRecognitionConfig(config=config(**more), interim_results=True)
    chunks = [sound[i : i + CHUNK].tobytes() for i in range(0, len(sound), CHUNK)]
    return [r for answer in asr.streaming_response_generator(chunks, asked) for r in answer.results]


ALIKE = 0.7
"""Of the words, in order: CPUs round differently, and "your coat and a" is "your code in the" on some."""


def likeness(heard: str, meant: str) -> float:
    a, b = (re.findall(r"[a-z']+", text.lower().replace("7", "seven")) for text in (heard, meant))
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def synthesised(port: int, text: str) -> NDArray[np.int16]:
    """A text as the voice at a port says it."""
    auth = riva.client.Auth(uri=f"127.0.0.1:{port}")
    said = riva.client.SpeechSynthesisService(auth).synthesize(text, sample_rate_hz=RATE).audio
    auth.channel.close()
    return np.frombuffer(said, "<i2")
