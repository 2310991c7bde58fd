"""What was said aloud, in the report: how soon it was understood, and how soon she fell silent for it."""

from __future__ import annotations

import json
import wave
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path

import anyio
import numpy as np
import pytest
import trio.testing

from engines.asr.conversation import Line, interruptions, talk, whole
from engines.asr.detector import RATE
from glue.closing import closing
from glue.errors import ConfigError
from glue.events import (
    ChatLine,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    SpeechHeard,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.journal import Journal
from glue.measured_events import ScriptSpoken
from glue.overheard import SECOND, real
from glue.ports import Pcm, Words
from glue.report.numbers import report
from glue.report.page import page
from glue.report.read import fold
from glue.report.table import summary
from glue.report.write import write
from glue.senses.ears_wav import Said, WavEars
from glue.spread import spread

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def heard(number: int, at: float, spoken: float | None, fate: Fate = Fate.ANSWERED) -> list[Event]:
    line = ChatLine(f"voice-wav-{number}", "mic", "some words", Source.VOICE)
    return [LineArrived(at, line, spoken), LineClosed(at + 0.1, line.id, fate)]


def test_hesitant_speech_is_told_apart_from_fluent() -> None:
    found = report(
        fold(
            [
                ScriptSpoken(12.0, "fluent", "hello there", 10.0, 12.0),
                *heard(1, 12.45, 12.02),
                ScriptSpoken(34.0, "hesitant", "well, I think so", 30.0, 31.0),
                *heard(2, 34.9, 34.1),
                ScriptSpoken(54.0, "hesitant", "could you maybe tell me", 50.0, 51.0),
                *heard(3, 51.5, 51.1, Fate.CONTINUED),
                *heard(4, 54.4, 54.0),
                ScriptSpoken(74.0, "hesitant", "my favourite is that", 70.0, 71.0),
                *heard(5, 71.5, 71.1),  # and nothing of the rest
                ScriptSpoken(94.0, "hesitant", "nobody heard this", 90.0, 91.0),
            ]
        )
    )
    assert found.final_fluent_ms == spread([0.45], 1000)
    assert found.final_hesitant_ms == spread([0.9, 0.4], 1000)
    assert found.final_ms.n == 5
    assert found.said_aloud["fluent"] == {"said": 1, "heard": 1, "split": 0, "joined": 0}
    assert found.said_aloud["hesitant"] == {"said": 4, "heard": 2, "split": 1, "joined": 1}
    assert "4; 2 heard to the end, 1 of them in several lines, 1 of these answered as a whole" in summary(
        found
    )


def talked_into(ending: Ending = Ending.CUT) -> list[Event]:
    """A reply that is heard from 20.0 on, and somebody who talks into it from 22.0 on."""
    line, who = ChatLine("l1", "mic", "tell me a story", Source.VOICE), "main"
    return [
        LineArrived(19.0, line, 18.5),
        TurnStarted(19.0, who, "t1", line, False),
        StageReached(19.0, who, "t1", Stage.RECEIVED),
        StageReached(19.0, who, "t1", Stage.CHOSEN),
        StageReached(20.0, who, "t1", Stage.AUDIBLE),
        SpeechHeard(22.4, "mic", "Oh, wait"),  # a murmur, and one word
        SpeechHeard(22.9, "mic", "Oh, wait, stop"),
        TurnEnded(23.1, who, "t1", ending, "Once upon a time", "Once upon"),
        ScriptSpoken(24.0, "interrupts", "Oh wait, stop. What about dogs?", 22.0, 22.7),
    ]


def recorded(folder: Path, *stretches: tuple[int, float]) -> None:
    """A recording: (loudness, seconds) one after another."""
    pcm = np.concatenate([np.full(round(24 * seconds * 1000), level, "<i2") for level, seconds in stretches])
    with wave.open(str(folder / "audio.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(24_000)
        out.writeframes(pcm.tobytes())


def written(folder: Path, events: Sequence[Event]) -> None:
    with Journal(folder / "journal.jsonl", {"machine": {}}) as journal:
        for event in events:
            journal.show(event)


def test_silence_is_counted_in_the_recording(tmp_path: Path) -> None:
    """She began 5 s into it and was loud for 3.05 s: to 23.05 on the show's clock."""
    written(tmp_path, talked_into())
    recorded(tmp_path, (200, 5.0), (5000, 1.0), (0, 0.2), (2000, 1.85), (100, 9.0))
    found = write(tmp_path)
    assert found.barge_in_ms.n == found.barge_in_word_ms.n == 1
    assert found.barge_in_ms.p50 == pytest.approx(150, abs=1)
    assert found.barge_in_word_ms.p50 == pytest.approx(350, abs=1)
    assert found.said_aloud["interrupts"]["said"] == 1
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "talked into" in text and "said aloud, interrupts" in text


def test_what_did_not_stop_her_is_no_interruption(tmp_path: Path) -> None:
    for number, events in enumerate((talked_into(Ending.FINISHED), talked_into()[:6] + talked_into()[7:])):
        folder = tmp_path / str(number)
        folder.mkdir()
        written(folder, events)
        recorded(folder, (200, 5.0), (5000, 3.05))
        assert write(folder).barge_in_ms.n == 0


def test_a_show_without_a_recording_or_a_script_has_no_such_figures(tmp_path: Path) -> None:
    written(tmp_path, talked_into())
    assert write(tmp_path).barge_in_ms.n == 0
    (tmp_path / "audio.wav").write_bytes(b"RIFF")
    assert write(tmp_path).barge_in_ms.n == 0
    bare = fold(talked_into()[:-1])
    assert report(bare).said_aloud == {} and "talked into" not in page(bare, report(bare))


def test_the_script_says_where_in_the_sound_everything_is() -> None:
    lines = [Line("fluent", ("a",), 0.0, 1.0), Line("hesitant", ("b", "c"), 0.5, 2.0)]
    parts = [[np.ones(RATE, np.float32)], [np.ones(RATE // 2, np.float32)] * 2]
    sound, script = whole(zip(lines, parts, strict=True))
    spoken = np.flatnonzero(np.abs(sound) > 0.5) / RATE
    assert [(said.kind, said.text) for said in script] == [("fluent", "a"), ("hesitant", "b c")]
    assert (script[0].began, script[0].part, script[0].ended) == (2.0, 3.0, 3.0)
    assert script[1].part == pytest.approx(script[1].began + 0.5)
    assert script[1].ended == pytest.approx(spoken[-1], abs=0.001)
    assert len(sound) / RATE == pytest.approx(script[1].ended + 0.5 + 2.0, abs=0.001)


def test_every_interruption_begins_with_two_words_that_stop_her() -> None:
    lines = list(interruptions(12, 9.0))
    assert [line.kind for line in lines] == ["fluent", "interrupts"] * 12
    assert all(len(real(line.parts[0])) == SECOND for line in lines if line.kind == "interrupts")
    assert {line.kind for line in talk(14.0)} == {"fluent", "hesitant"}


class Listener:
    """Ears that hear a word when the sound is over."""

    async def listen(self, sound: AsyncIterator[Pcm]) -> AsyncIterator[Words]:
        async with closing(sound) as pieces:
            async for _ in pieces:
                pass
        yield Words("hello", True)


def ears(path: Path, script: str) -> WavEars:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"\0\0" * 4 * RATE)
    path.with_suffix(".said.json").write_text(script, encoding="utf-8")
    return WavEars(Listener(), str(path))


async def test_what_a_file_says_is_told_on_the_shows_clock(tmp_path: Path) -> None:
    said = [Said("fluent", "a", 0.5, 1.0, 1.0), Said("hesitant", "b c", 2.0, 2.5, 3.5)]
    begun = anyio.current_time()
    async with ears(tmp_path / "a.wav", json.dumps([asdict(each) for each in said])) as sense:
        events = [event async for event in sense.events()]
    told = [event for event in events if isinstance(event, ScriptSpoken)]
    assert [(e.kind, e.text) for e in told] == [("fluent", "a"), ("hesitant", "b c")]
    assert [e.at - begun for e in told] == pytest.approx([1.0, 3.5])
    assert told[1].began - begun == pytest.approx(2.0) and told[1].part - begun == pytest.approx(2.5)
    assert isinstance(events[-1], LineArrived)


@pytest.mark.parametrize("script", ["", "{}", '[{"kind": "fluent"}]', "[1]"])
async def test_a_script_that_is_none_is_one_clear_line(tmp_path: Path, script: str) -> None:
    with pytest.raises(ConfigError, match=r"ears\.wav\.file: .*\.said\.json") as caught:
        await ears(tmp_path / "a.wav", script).__aenter__()
    assert "\n" not in str(caught.value)
