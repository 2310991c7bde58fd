"""Can one understand her? Whisper listens to what our speech server says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pytest
import riva.client

from tests.wires import speech_server

LINES = (
    "Hey chat, welcome back to the stream.",
    "I think you are all just jealous of my hair.",
    "No, I will not open the door, there is a monster behind it!",
    "Twenty points for that joke, and minus ten because it was about me.",
)
LISTENS_AT = 16000  # Hz


def listener() -> Any:
    """Whisper, as a library."""
    from faster_whisper import WhisperModel

    folder = speech_server.need("whisper-tiny.en", "model.bin").parent
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


@pytest.fixture(scope="module")
def whisper() -> Any:
    return listener()


@pytest.fixture(scope="module")
def joe(piper: int) -> Iterator[Any]:
    auth = riva.client.Auth(uri=f"127.0.0.1:{piper}")
    yield riva.client.SpeechSynthesisService(auth)
    auth.channel.close()


def words(text: str) -> list[str]:
    numbers = {"20": "twenty", "10": "ten"}
    return [numbers.get(word, word) for word in re.findall(r"[a-z0-9]+", text.lower())]


def understood(whisper: Any, tts: Any, voice: str) -> float:
    """The share of the words that were heard as they were meant."""
    heard: list[str] = []
    meant = [word for line in LINES for word in words(line)]
    for line in LINES:
        chunks = [
            np.frombuffer(answer.audio, "<i2")
            for answer in tts.synthesize_online(line, voice, sample_rate_hz=LISTENS_AT)
        ]
        segments, _ = whisper.transcribe(np.concatenate(chunks).astype(np.float32) / 32768, beam_size=1)
        heard += words(" ".join(segment.text for segment in segments))
    blocks = SequenceMatcher(None, meant, heard, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(meant)


@pytest.mark.parametrize("style", ["natural", "bright", "dark"])
def test_piper_is_understood(whisper: Any, joe: Any, style: str) -> None:
    assert understood(whisper, joe, f"Piper.joe.{style}") >= 0.85
