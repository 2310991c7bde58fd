"""She sings in a whole show: typed, opened in character, heard, in captions; the mouth follows the vocals."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from glue.repertoire import LATELY
from tests.shows.live import Live, launched
from tests.shows.test_ears_live import CAPTIONS
from tests.shows.test_stage_live import avatar_in, page_at, until
from tests.tunes import tone, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RATE = 48_000  # of the files; the show has 24,000
SECONDS = 12.0
VOICE = 330.0  # hertz of what she sings, from second 3 to 6 and 9 to 11 ...
BEHIND = 5000.0  # ... and of what is behind it
WORDS = "[00:03.00]La la la\n[00:06.00]\n[00:09.00]Fa la la\n[00:11.00]\n"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("songs")
    vocals = np.zeros(round(SECONDS * RATE), np.int16)
    for first, last in ((3, 6), (9, 11)):
        vocals[first * RATE : last * RATE] = tone(last - first, 20_000, RATE, VOICE)
    write(folder / "La La.wav", vocals, RATE)
    write(folder / "La La.backing.wav", tone(SECONDS, 8_000, RATE, BEHIND), RATE)
    (folder / "La La.lrc").write_text(WORDS)
    (folder / "Bad.wav").write_text("no sound")
    words = (f"stage.songs={folder}", "speaker=[page,wav]", "director.lonely=3600")
    with launched(tmp_path_factory.mktemp("show"), *words) as live:
        live.until(live.url, within=60)
        yield live


def loudness(sound: NDArray[np.float64], hertz: float, rate: int) -> NDArray[np.float64]:
    """Of one pitch, a value for each tenth of a second."""
    step = rate // 10
    pieces = sound[: sound.size // step * step].reshape(-1, step)
    wave = np.exp(-2j * np.pi * hertz * np.arange(step) / rate)
    return np.asarray(np.abs(pieces @ wave) / step, np.float64)


def recorded(path: Path) -> tuple[NDArray[np.float64], int]:
    with wave.open(str(path), "rb") as file:
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, "<i2").astype(np.float64), file.getframerate()


def test_she_sings_what_is_typed_and_chat_may_ask_for(live: Live) -> None:
    live.until(lambda: any("Bad.wav is no WAV file" in line for line in live.said))
    with page_at(live.url().replace("/?", "/stage?")) as page:
        frame = avatar_in(page)
        page.evaluate(CAPTIONS)
        frame.evaluate("() => { spark.mouthAt.length = 0; }")
        live.type("/sing la la")
        started = live.until(lambda: live.events("SongStarted"))[0]
        (ended,) = live.until(lambda: live.events("SongEnded"), within=60)
        assert started["song"] == ended["song"] == "La La"
        assert ended["sung"] == ended["seconds"] == SECONDS
        shown = until(page, "() => captions.some((c) => c.includes('Fa la la')) && captions")
        mouths: Any = frame.evaluate("() => spark.mouthAt")
    told = [
        any(words in each for each in shown)
        for words in ("La La \u266a", "\u266a La la la", "\u266a Fa la la")
    ]
    assert told == [True] * 3, shown
    (turn,) = live.until(lambda: live.events("TurnEnded"))
    assert turn["heard"].endswith("(sang La La)") and "La La" in turn["heard"].removesuffix("(sang La La)")
    assert "la la la" not in turn["heard"]
    heard(live.run_dir / "audio.wav")
    moved([(at / 1000, how_far) for at, how_far in mouths])


def heard(path: Path) -> None:
    """The vocals where the file has them, the accompaniment beside them from end to end, without a hole."""
    sound, rate = recorded(path)
    behind, voice = loudness(sound, BEHIND, rate), loudness(sound, VOICE, rate)
    level = 8_000 * 0.7 / 2  # a tone's amplitude, by the gain; half of it stands at its frequency
    on = np.flatnonzero(behind > 0.8 * level)
    first, last = int(on[0]), int(on[-1])
    assert (
        last - first + 1 == pytest.approx(10 * SECONDS, abs=3)
        and np.mean(behind[first:last] > 0.8 * level) > 0.97
    )
    sings = voice[first : last + 1] > 0.5 * 20_000 * 0.7 / 2
    for begin, end, there in ((0, 3, False), (3, 6, True), (6, 9, False), (9, 11, True), (11, 12, False)):
        inside = sings[10 * begin + 2 : 10 * end - 2]
        assert np.mean(inside) == pytest.approx(float(there), abs=0.05), (begin, end)


def moved(mouths: list[tuple[float, float]]) -> None:
    """Open while she sings, twice, and shut in the three seconds between, though the band plays on."""
    open_at = np.array([at for at, how_far in mouths if how_far > 3])
    assert open_at.size > 10
    last = open_at[-1]  # about second 11
    between = [how_far for at, how_far in mouths if last - 4.5 < at < last - 2.5]
    assert between and np.median(between) < 1.5
    assert ((open_at > last - 8.0) & (open_at < last - 5.5)).sum() > 10


@pytest.mark.parametrize("line", ["mika: !sing la la", "mika: Spark, please sing La La"])
def test_chat_is_told_when_it_is_too_soon(live: Live, line: str) -> None:
    """The operator's song above was the same one."""
    turns = len(live.events("TurnEnded"))
    live.type(line)
    live.until(lambda: len(live.events("TurnEnded")) > turns)
    heard = live.events("TurnEnded")[-1]["heard"]
    assert any(heard.startswith(each.partition("{when}")[0].format(song="La La")) for each in LATELY), heard
    assert len(live.events("SongStarted")) == 1


def test_a_song_can_be_skipped(live: Live) -> None:
    ended = len(live.events("SongEnded"))
    live.type("/sing La La")
    live.until(lambda: len(live.events("SongStarted")) > ended)
    live.until(lambda: [e for e in live.events("StageReached") if e["stage"] == "audible"][ended:])
    live.type("/sing")
    live.until(lambda: len(live.events("SongEnded")) > ended)
    assert live.events("SongEnded")[-1]["sung"] < SECONDS
    assert any("La La ends" in line for line in live.said)
