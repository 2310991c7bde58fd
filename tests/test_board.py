"""The operator's sounds: what can be played, by which name, and that it obeys all that she obeys."""

from __future__ import annotations

import json
import os
import struct
import threading
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import numpy as np
import pytest

from glue.desk_events import ClauseVoiced, OperatorAsked, OperatorServed, Wish
from glue.errors import Refused
from glue.events import Button, ButtonPressed, TurnEnded
from glue.ports import Pcm
from glue.senses.terminal import TerminalSense
from glue.stage import clip
from tests.core import RATE, Scene, SlowLlm, SlowTts
from tests.desk_show import Air, on_air
from tests.test_controls import asks, until

LEVEL = 8000  # of 32768; half of it, by the desk's gain in these tests, is heard


def write(path: Path, seconds: float = 0.5, rate: int = RATE, width: int = 2, channels: int = 1) -> Path:
    """A sound that stays at LEVEL."""
    path.parent.mkdir(exist_ok=True)
    each = bytes([128 + LEVEL // 256]) if width == 1 else (LEVEL << 8 * (width - 2)).to_bytes(width, "little")
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(each * (round(seconds * rate) * channels))
    return path


@pytest.mark.parametrize(
    "form",
    [(RATE, 2, 1), (RATE, 1, 1), (RATE, 3, 2), (RATE, 4, 1), (48_000, 2, 2), (44_100, 3, 1), (8_000, 1, 2)],
)
def test_a_sound_of_any_form_comes_as_the_mixer_has_it(tmp_path: Path, form: tuple[int, int, int]) -> None:
    path = write(tmp_path / "a.wav", 0.5, *form)
    assert clip.seconds(path) == 0.5
    pcm = clip.samples(path, RATE, 0.5)
    assert pcm.dtype == np.int16 and abs(pcm.size - RATE / 2) <= 2
    middle = pcm[RATE // 8 : RATE // 4]
    assert np.all(np.abs(middle - LEVEL / 2) < 140)  # a byte's step, and the resampler's ripple


def test_too_loud_is_clipped_and_never_wraps_round(tmp_path: Path) -> None:
    pcm = clip.samples(write(tmp_path / "a.wav", 0.1), RATE, 100.0)
    assert pcm.min() == pcm.max() == 32767


def a_text(path: Path) -> None:
    path.write_text("no sound at all")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def of_floats(path: Path) -> None:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, RATE, RATE * 4, 4, 32)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", 40) + b"WAVE" + form + struct.pack("<4sI", b"data", 4) + b"1234"
    )


def an_hour(path: Path) -> None:
    write(path, 31, 8_000, 1)


def huge(path: Path) -> None:
    with write(path).open("r+b") as file:
        file.truncate(clip.LARGEST + 1)


def empty(path: Path) -> None:
    write(path, 0)


def slow(path: Path) -> None:
    write(path, 1, 100)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (a_text, "no WAV file of whole numbers"),
        (a_folder, "is no file"),
        (a_pipe, "is no file"),
        (of_floats, "no WAV file of whole numbers: unknown format"),
        (an_hour, "lasts 31 s, and 30 s is the most"),
        (huge, "more than 64 MB"),
        (empty, "is empty"),
        (slow, "100 samples a second"),
        (lambda path: None, "is no file"),
    ],
)
def test_what_is_no_sound_is_refused_with_the_cure(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / "a.wav")
    with pytest.raises(Refused, match="cure: ") as caught:
        clip.seconds(tmp_path / "a.wav")
    assert why in caught.value.why and str(tmp_path) not in caught.value.why


def test_a_file_whose_first_bytes_promise_more_is_as_long_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 1.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 1])
    assert 0.49 < clip.seconds(path) < 0.51
    assert abs(clip.samples(path, RATE, 1.0).size - RATE / 2) < 30


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    write(tmp_path / "sounds" / "Ding Dong.wav")
    write(tmp_path / "sounds" / "rain.WAV", 20)
    write(tmp_path / "secret.wav")
    (tmp_path / "sounds" / "notes.txt").write_text("no sound")
    words = ["The cat is asleep already and will not wake up. "]
    async with on_air(tmp_path, Scene(llm=SlowLlm(words=words, first=0.01), tts=SlowTts(first=0.01))) as air:
        yield air


def heard(air: Air) -> set[int]:
    """Every loudness that left the mixer."""
    return {int(level) for _, pcm in list(air.scene.tape.blocks) for level in np.unique(pcm)} - {0}


async def comes(true: Callable[[], object]) -> None:
    with anyio.fail_after(20):
        while True:
            if true():
                return
            await anyio.sleep(0.01)


def on_its_way(air: Air) -> bool:
    """Whether anything of any voice is still to leave the mixer."""
    mixer = air.scene.mixer
    return bool(mixer._line) or any(track.queued for track in mixer._tracks)


def press(air: Air, button: Button) -> OperatorServed:
    air.show.take(ButtonPressed(anyio.current_time(), button))
    return [event for event in air.happened if isinstance(event, OperatorServed)][-1]


@pytest.mark.anyio
async def test_a_sound_is_played_by_its_name_and_stands_in_the_journal(air: Air, tmp_path: Path) -> None:
    assert air.controls.settings()["sounds"] == ["Ding Dong", "rain"]
    command = TerminalSense()._command(0.0, "/play ding dong")
    assert command == OperatorAsked(0.0, Wish.PLAY, "ding dong")
    served = asks(air, Wish.PLAY, "ding dong")
    assert served.done and served.effect == "Ding Dong, 0.5 s"
    await comes(lambda: LEVEL // 2 in heard(air) and not on_its_way(air))
    assert sum(np.count_nonzero(pcm) for _, pcm in air.scene.tape.blocks) == RATE // 2
    rows = [json.loads(row) for row in (tmp_path / "journal.jsonl").read_text().splitlines()]
    (row,) = [row for row in rows if row.get("event") == "OperatorServed"]
    assert (row["what"], row["text"], row["effect"]) == ("play", "ding dong", "Ding Dong, 0.5 s")


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["../secret", "secret", "notes", "/etc/passwd", "Ding Dong.wav", ".", "*"])
async def test_a_name_is_never_a_path(air: Air, name: str) -> None:
    served = asks(air, Wish.PLAY, name)
    assert not served.done and served.effect == f"no sound is called '{name}'; there are: Ding Dong, rain"
    assert not on_its_way(air)


@pytest.mark.anyio
async def test_it_is_heard_beside_her_voice(air: Air) -> None:
    air.says("mika", "hello Spark")
    await until(air, ClauseVoiced)
    assert asks(air, Wish.PLAY, "ding dong").done
    await until(air, TurnEnded)
    await comes(lambda: not on_its_way(air))
    assert {8000, 8000 + LEVEL // 2} <= heard(air)


@pytest.mark.anyio
async def test_the_next_one_ends_the_one_before_and_her_voice_goes_on(air: Air) -> None:
    assert asks(air, Wish.PLAY, "rain").done
    await comes(lambda: LEVEL // 2 in heard(air))
    assert asks(air, Wish.PLAY, "ding dong").done
    await comes(lambda: not on_its_way(air))  # long before 20 s of rain
    assert asks(air, Wish.PLAY, "rain").done
    await comes(lambda: on_its_way(air))
    assert asks(air, Wish.PLAY).effect == "no sound is heard any more" and not on_its_way(air)
    assert asks(air, Wish.PLAY).effect == "no sound is heard; there are: Ding Dong, rain"
    assert air.scene.tape.flushed == []


@pytest.mark.anyio
@pytest.mark.parametrize("button", [Button.DUMP, Button.PANIC, Button.STOP])
async def test_what_waits_behind_the_delay_is_never_heard(air: Air, button: Button) -> None:
    assert asks(air, Wish.DELAY, "9").done and asks(air, Wish.PLAY, "rain").done
    await comes(lambda: len(air.scene.mixer._line) > 5)
    served = press(air, button)
    assert not on_its_way(air) and heard(air) == set() and air.scene.tape.flushed
    assert button is Button.STOP or "20.0 s of sound dumped" in served.effect
    again = asks(air, Wish.PLAY, "rain")
    assert again.done is (button is Button.DUMP)
    assert again.done or again.effect == "everything is stopped; go on first"
    press(air, Button.GO)
    assert asks(air, Wish.PLAY, "rain").done


@pytest.mark.anyio
async def test_a_sound_that_is_dumped_while_it_is_read_is_never_heard(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, really = threading.Event(), threading.Event(), clip.samples

    def slowly(path: Path, rate: int, gain: float) -> Pcm:
        begun.set()
        goes_on.wait(20)
        return really(path, rate, gain)

    monkeypatch.setattr(clip, "samples", slowly)
    assert asks(air, Wish.PLAY, "rain").done
    await comes(begun.is_set)
    assert "20.0 s of sound dumped" in press(air, Button.DUMP).effect
    goes_on.set()
    assert asks(air, Wish.PLAY, "ding dong").done
    await comes(lambda: LEVEL // 2 in heard(air) and not on_its_way(air))
    assert sum(np.count_nonzero(pcm) for _, pcm in air.scene.tape.blocks) == RATE // 2


@pytest.mark.anyio
async def test_nothing_is_heard_while_she_is_muted(air: Air) -> None:
    press(air, Button.MUTE)
    assert asks(air, Wish.PLAY, "ding dong").done
    await comes(lambda: len(air.scene.tape.blocks) >= 50)
    assert heard(air) == set()


@pytest.mark.anyio
async def test_a_file_that_changes_while_it_is_asked_for_is_told(air: Air, tmp_path: Path) -> None:
    assert asks(air, Wish.PLAY, "rain").done
    (tmp_path / "sounds" / "rain.WAV").write_text("gone")  # before the loop comes to read it
    told = (await until(air, OperatorServed, 2))[-1]
    assert not told.done and "no WAV file" in told.effect and "cure: " in told.effect


@pytest.mark.anyio
async def test_without_sounds_the_cure_is_told(tmp_path: Path) -> None:
    async with on_air(tmp_path) as air:
        assert air.controls.settings()["sounds"] == []
        served = asks(air, Wish.PLAY, "ding dong")
        assert not served.done and "cure: stage.sounds=FOLDER" in served.effect
