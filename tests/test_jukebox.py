"""The operator's songs on a running show: asked for by name, ended, listed; real files, and real time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import numpy as np
import pytest

from glue.cues import Cues
from glue.desk_events import OperatorAsked, Wish
from glue.errors import Declined, Refused
from glue.events import Button, ClauseCleared, TurnEnded, TurnStarted
from glue.jukebox import Jukebox, length
from glue.senses.terminal import HELP, TerminalSense
from glue.song_events import SongEnded, SongStarted
from tests.core import Scene, SlowLlm, SlowTts
from tests.desk_show import Air, on_air
from tests.test_board import comes, heard, on_its_way, press
from tests.test_board import write as sound
from tests.test_controls import asks, until
from tests.tunes import write

pytestmark = pytest.mark.anyio
VOCALS, BACKING = 6000, 2000  # samples of the files; half as loud, by the gain of these tests


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    """With a song of a second, and one of a minute without words or accompaniment."""
    write(tmp_path / "songs" / "Moon.wav", np.full(24_000, VOCALS))
    write(tmp_path / "songs" / "Moon.backing.wav", np.full(24_000, BACKING))
    (tmp_path / "songs" / "Moon.lrc").write_text("[00:00.00]Oh moon\n[00:00.50]oh moon\n")
    write(tmp_path / "songs" / "Long Night.wav", np.full(24_000 * 60, VOCALS))
    (tmp_path / "songs" / "Rain.wav").write_text("no sound")
    sound(tmp_path / "sounds" / "Ding.wav", 1)
    words = ["The cat is asleep already and will not wake up. "]
    async with on_air(tmp_path, Scene(llm=SlowLlm(words=words, first=0.01), tts=SlowTts(first=0.01))) as air:
        await comes(lambda: air.controls.settings()["songs"])
        yield air


async def test_a_song_is_sung_by_its_name_and_stands_in_the_journal(air: Air, tmp_path: Path) -> None:
    assert air.controls.settings()["songs"] == ["Long Night", "Moon"]
    command = TerminalSense()._command(0.0, "/sing moon")
    assert command == OperatorAsked(0.0, Wish.SING, "moon") and "/sing SONG" in HELP
    served = asks(air, Wish.SING, "moon")
    assert served.done and served.effect == "sung next: Moon, 0:01"
    (ended,) = await until(air, TurnEnded)
    assert ended.heard == "(sang Moon)" and (VOCALS + BACKING) // 2 in heard(air)
    assert [e.text for e in air.happened if isinstance(e, ClauseCleared)] == [
        "\u266a Oh moon",
        "\u266a oh moon",
    ]
    rows = [json.loads(row) for row in (tmp_path / "journal.jsonl").read_text().splitlines()]
    (row,) = [row for row in rows if row["event"] == "SongEnded"]
    assert (row["song"], row["sung"], row["seconds"]) == ("Moon", 1.0, 1.0)
    assert [e.song for e in air.happened if isinstance(e, SongStarted)] == ["Moon"]


async def test_what_she_sang_stands_in_her_next_prompt_without_its_words(air: Air) -> None:
    assert asks(air, Wish.SING, "moon").done
    await until(air, TurnEnded)
    air.says("mika", "how was that, Spark?")
    await until(air, TurnEnded, 2)
    prompt = "\n".join(message.content for message in air.scene.llm.asked[0].messages)
    assert "(The operator has you sing.)" in prompt and "(sang Moon)" in prompt
    assert "oh moon" not in prompt.casefold()


async def test_asked_for_while_she_speaks_or_sings_it_comes_next(air: Air) -> None:
    air.says("mika", "hello Spark")
    await until(air, TurnStarted)
    assert asks(air, Wish.SING, "moon").done and asks(air, Wish.SING, "main: Moon").done
    assert [event.heard for event in await until(air, TurnEnded, 3)][1:] == ["(sang Moon)"] * 2


async def test_alone_it_ends_what_is_sung_and_what_waits_and_then_lists_all(air: Air) -> None:
    for _ in range(3):
        assert asks(air, Wish.SING, "long night").done
    await comes(lambda: VOCALS // 2 in heard(air))
    assert asks(air, Wish.SING).effect == "Long Night ends, and 2 more are let go"
    await until(air, TurnEnded)
    assert not on_its_way(air)
    listed = asks(air, Wish.SING).effect.splitlines()
    assert listed[0] == "nothing is sung; there are: Long Night (1:00), Moon (0:01)"
    assert listed[1].startswith("Rain.wav is no WAV file") and "cure: " in listed[1]
    (ended,) = (event for event in air.happened if isinstance(event, SongEnded))
    assert 0 < ended.sung < 30


@pytest.mark.parametrize(
    "name", ["../sounds/Ding", "Ding", "Rain", "/etc/passwd", "Moon.wav", "Moon.backing", "*"]
)
async def test_a_name_is_never_a_path(air: Air, name: str) -> None:
    served = asks(air, Wish.SING, name)
    assert not served.done and served.effect == f"no song is called '{name}'; there are: Long Night, Moon"
    assert not on_its_way(air)


@pytest.mark.parametrize("button", [Button.STOP, Button.PANIC])
async def test_stopped_she_sings_nothing(air: Air, button: Button) -> None:
    assert asks(air, Wish.SING, "long night").done and asks(air, Wish.SING, "moon").done
    await comes(lambda: VOCALS // 2 in heard(air))
    assert press(air, button).done
    await until(air, TurnEnded)
    served = asks(air, Wish.SING, "moon")
    assert not served.done and served.effect == "everything is stopped; go on first"
    assert press(air, Button.GO).done and not air.controls.cues.scripts and not on_its_way(air)


async def test_a_dump_takes_the_song_and_the_sounds(air: Air) -> None:
    assert asks(air, Wish.DELAY, "9").done and asks(air, Wish.SING, "long night").done
    await comes(lambda: len(air.scene.mixer._line) > 5)
    assert asks(air, Wish.PLAY, "ding").done
    assert "sound dumped" in press(air, Button.DUMP).effect
    await until(air, TurnEnded)
    assert heard(air) == set() and not on_its_way(air)


async def test_a_sound_is_heard_beside_a_song(air: Air) -> None:
    assert asks(air, Wish.SING, "long night").done
    await comes(lambda: VOCALS // 2 in heard(air))
    assert asks(air, Wish.PLAY, "ding").done
    await comes(lambda: VOCALS // 2 + 4000 in heard(air))


async def test_when_the_show_ends_nothing_more_is_sung(air: Air) -> None:
    air.controls.course.end(anyio.current_time())
    air.controls.course._parting = True
    with pytest.raises(Declined, match="the show ends"):
        air.controls.jukebox.sing("moon")


async def test_with_two_on_stage_a_song_is_given_to_one_of_them(air: Air) -> None:
    controls = air.controls
    hers = Jukebox(controls.jukebox.repertoire, Cues(), controls.director, controls.course)
    for text, who in (("moon", "main"), ("evil: moon", "evil"), ("Spark: Moon", "main")):
        assert hers.sing(text) == "sung next: Moon, 0:01"
        assert hers.cues.scripts.pop().who == who
    with pytest.raises(Refused, match="no song is called 'somebody: moon'"):
        hers.sing("somebody: moon")


async def test_without_songs_the_cure_is_told(tmp_path: Path) -> None:
    async with on_air(tmp_path) as air:
        assert air.controls.settings()["songs"] == []
        assert "cure: stage.songs=FOLDER" in asks(air, Wish.SING).effect
        served = asks(air, Wish.SING, "moon")
        assert not served.done and "cure: stage.songs=FOLDER" in served.effect


def test_a_length_is_written_as_players_write_it() -> None:
    assert [length(seconds) for seconds in (0.4, 59.9, 60.0, 190.2)] == ["0:00", "0:59", "1:00", "3:10"]
