"""Two models, one sentence: what was heard of a reply that a small model began and a slow one ended."""

from __future__ import annotations

import wave
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import free_port
from tests.shows.live import PORTS, Live, launched
from tests.wires.test_riva_heard import LISTENS_AT, whisper, words

__all__ = ["whisper"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
LINES = ("mika: tell me about the moon", "tom: what do you like to eat?", "nina: spark, how was your day?")
LOUD = 500  # of 32768


def recording(path: Path) -> NDArray[np.float32]:
    """The show's sound at the rate that Whisper listens at."""
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        times = np.arange(0, pcm.size, file.getframerate() / LISTENS_AT)
    sound: NDArray[np.float32] = np.interp(times, np.arange(pcm.size), pcm).astype(np.float32)
    return sound


def replies(live: Live) -> list[tuple[float, float, str, str]]:
    """When each was heard, from and to (show clock), what was heard of it and how it began."""
    begun = {e["turn"]: e["at"] for e in live.events("StageReached") if e["stage"] == "audible"}
    opened = {e["turn"]: e["text"] for e in live.events("ReplyOpened")}
    ended = [e for e in live.events("TurnEnded") if e["turn"] in begun]
    return [(begun[e["turn"]], e["at"], e["heard"], opened.get(e["turn"], "")) for e in ended]


@pytest.mark.alone
def test_a_reply_of_two_models_is_heard_as_one_sentence(tmp_path: Path, whisper: Any) -> None:
    ports = {key: free_port() for key in (*PORTS, "pace.engine.port")}
    overrides = ("stack=paced", "pace=llama31-70b-eagle3", "llm.opener=always", "speaker=[wav]")
    with launched(tmp_path, *overrides, "director.lonely=1000", ports=ports) as live:
        live.until(live.url, within=120)
        for line in LINES:
            answered = len(live.fates()) + 1
            live.type(line)
            live.until(lambda: len(live.fates()) == answered, within=60)  # noqa: B023 - asked at once
        told = replies(live)
    sound = recording(live.run_dir / "audio.wav")
    first = int(np.flatnonzero(np.abs(sound) > LOUD)[0]) / LISTENS_AT
    assert len(told) == len(LINES) and all(opening for *_, opening in told)
    right, count = 0, 0
    for begin, end, said, opening in told:
        assert " ".join(said.split()).startswith(opening.split()[0])
        start, stop = (int((at - told[0][0] + first) * LISTENS_AT) for at in (begin - 0.1, end + 0.1))
        segments, _ = whisper.transcribe(sound[max(0, start) : stop] / 32768, beam_size=1)
        heard, meant = words(" ".join(segment.text for segment in segments)), words(said)
        blocks = SequenceMatcher(None, meant, heard, autojunk=False).get_matching_blocks()
        right, count = right + sum(block.size for block in blocks), count + max(len(meant), len(heard))
        print(f"{opening!r} | said {said!r} | heard {' '.join(heard)!r}")  # noqa: T201 - to look at
    assert right / count >= 0.7
