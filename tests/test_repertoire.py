"""Which line asks for which song, and when chat may have it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.chat_events import Deed
from glue.events import ChatLine, Source
from glue.gate import Gate, Passed
from glue.ports import Fact
from glue.repertoire import LATELY, LISTING, RESTS, Repertoire
from glue.safety.screen import Screen
from glue.settings import SafetySettings
from tests.tunes import Tunes

CALLED = ("Daisy Bell", "Please", "Rock 'n' Roll", "Ave Maria", "99 Luftballons")


def repertoire(**words: object) -> Repertoire:
    known: dict[str, object] = {"names": lambda: ["Spark", "Spark VT"], "now": lambda: 100.0}
    return Repertoire(Tunes(called=CALLED), **(known | words))  # type: ignore[arg-type]  # its fields


def says(text: str, source: Source = Source.TWITCH, deed: Deed | None = None) -> ChatLine:
    return ChatLine("l1", "mika", text, source, deed=deed)


@pytest.mark.parametrize(
    ("text", "song"),
    [
        ("!sing daisy bell", "Daisy Bell"),
        ("SING DAISY BELL!!!", "Daisy Bell"),
        ("Spark, please sing Daisy Bell", "Daisy Bell"),
        ("spark vt sing daisy-bell", "Daisy Bell"),
        ("please sing please", "Please"),
        ("sing please please", "Please"),
        ("sing ave maria please :)", "Ave Maria"),
        ("sing rock 'n' roll", "Rock 'n' Roll"),
        ("sing 99 luftballons", "99 Luftballons"),
        ("sing", ""),
        ("sing please", "Please"),
        ("sing daisy", ""),
        ("sing daisy bell for mika", ""),
        ("Evil, sing daisy bell", ""),
        ("can you sing daisy bell?", ""),
        ("daisy bell", ""),
        ("singing daisy bell", ""),
        ("sing " + "daisy bell " * 40, ""),
    ],
)
def test_a_request_is_read_strictly(text: str, song: str) -> None:
    assert repertoire().wanted(says(text)) == song
    assert repertoire().wishes(says(text)) is bool(song)
    assert repertoire(asked=False).wanted(says(text)) == ""


def test_who_asks_must_be_somebody_who_wrote_it_without_a_deed() -> None:
    for source in Source:
        asked = repertoire().wanted(says("sing daisy bell", source))
        assert bool(asked) is (source not in (Source.GAME, Source.HERSELF, Source.EYES, Source.TWIN))
    assert repertoire().wanted(says("sing daisy bell", deed=Deed.BITS)) == ""


@given(st.text(max_size=130))
def test_whatever_is_written_asks_for_a_song_that_there_is_or_for_none(text: str) -> None:
    songs = repertoire()
    assert songs.wanted(says(f"sing {text}")) in ("", *CALLED)
    for fact in songs.facts("main", says(text)):
        assert isinstance(fact, Fact) and fact.said


def test_of_many_songs_some_are_named_and_not_the_same_in_the_same_words_each_time() -> None:
    many, said = Repertoire(Tunes(called=[f"Song {n}" for n in range(30)]), now=lambda: 0.0), set()
    for number in range(40):
        (fact,) = many.facts("main", replace(says("!Songs"), id=f"l{number}"))
        assert (
            isinstance(fact, Fact) and fact.said.endswith(" and 22 more.") and fact.said.count("Song ") == 8
        )
        said.add(fact.said)
    assert len(said) > 15
    (fact,) = Repertoire(Tunes(called=["Moon"])).facts("main", says("!songs"))
    assert isinstance(fact, Fact) and fact.said.endswith("Moon.")
    assert (
        Repertoire(Tunes(called=[])).facts("main", says("!songs")) == [] == many.facts("main", says("songs"))
    )


def test_what_she_says_of_a_song_whose_time_is_not_come_passes_her_filters() -> None:
    screen, line = Screen(SafetySettings(), None), says("sing daisy bell")
    for words in (*LISTING, *LATELY, *RESTS):
        said = words.format("Moon, Rain and Daisy Bell", song="Daisy Bell", when="in a minute")
        assert Gate(screen=screen).check(said, line) == Passed(said)


def test_without_songs_nothing_is_asked_for() -> None:
    assert Repertoire().wanted(says("sing daisy bell")) == "" and not Repertoire().wishes(says("!songs"))
