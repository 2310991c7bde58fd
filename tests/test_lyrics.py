"""LRC as people write it: what is sung when, and what is said of a file that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.errors import Refused
from glue.stage.lyrics import LARGEST, LONGEST, MOST, Sung, lyrics

SONG = """[ti:Daisy Bell]
[ar: Harry Dacre ]
[length: 01:00]
[00:01.50]Daisy, Daisy,
[00:05.00]<00:05.00>give <00:05.40>me <00:06.00>your answer do

[00:12]
[00:20.250] I'm half crazy
"""


def told(text: str, seconds: float = 60.0) -> list[tuple[float, str]]:
    return [(each.at, each.text) for each in lyrics(text.encode(), seconds).lines]


def test_lines_with_times_tags_and_word_times() -> None:
    found = lyrics(SONG.encode(), 60.0)
    assert found.lines == (
        Sung(1.5, "Daisy, Daisy,"),
        Sung(5.0, "give me your answer do"),
        Sung(12.0, ""),
        Sung(20.25, "I'm half crazy"),
    )
    assert found.wrong == ()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_whatever_an_editor_made_of_it(encoding: str, ends: str) -> None:
    raw = f"[00:01.00]Où es-tu, mein Schätzchen?{ends}[00:02.00]¡Olé!{ends}".encode(encoding)
    assert [each.text for each in lyrics(raw, 9.0).lines] == ["Où es-tu, mein Schätzchen?", "¡Olé!"]


def test_a_chorus_is_written_once_and_times_may_be_out_of_order() -> None:
    assert told("[00:30.00]last\n[00:10.00][00:20.00]Hallelujah\n[00:01.00]first") == [
        (1.0, "first"),
        (10.0, "Hallelujah"),
        (20.0, "Hallelujah"),
        (30.0, "last"),
    ]


def test_words_of_the_same_time_stand_together() -> None:
    assert told("[00:01.00]la mer\n[00:01.00]the sea\n[00:01.00]la mer") == [(1.0, "la mer / the sea")]


@pytest.mark.parametrize(("offset", "at"), [("+250", 1.75), ("-250", 2.25), ("0", 2.0), ("9000", 0.0)])
def test_an_offset_brings_all_of_it_sooner(offset: str, at: float) -> None:
    assert told(f"[00:02.00]now\n[offset:{offset}]") == [(at, "now")]


def test_what_is_wrong_is_named_and_the_rest_is_sung() -> None:
    text = "[00:01.00]one\nno time here\n[offset:soon]\n[01:40.00]too late\n[02:40.00]and later\n"
    found = lyrics(text.encode(), 60.0)
    assert found.lines == (Sung(1.0, "one"),)
    assert found.wrong == (
        "line 2 has no time",
        "line 3: an offset is a number of milliseconds",
        "2 of its times lie behind the song's end",
    )


def test_of_many_faults_some_are_named() -> None:
    found = lyrics(("[00:01.00]one\n" + "prose\n" * 300).encode(), 60.0)
    assert found.wrong[-1] == "and 295 more" and len(found.wrong) == 6


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"just words", b"[ti:Daisy]", b"\x00\x01\x02", b"ID3\x03\x00\x00"]
)
def test_a_file_without_a_time_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="no line of it has a time"):
        lyrics(raw, 60.0)


def test_a_file_that_is_huge_is_refused() -> None:
    with pytest.raises(Refused, match="more than 256 kB"):
        lyrics(b"[00:01.00]la\n" * (LARGEST // 12), 60.0)


def test_neither_a_line_nor_their_number_is_without_a_limit() -> None:
    found = lyrics("\n".join(f"[00:00.{n:03}]{'la ' * 500}" for n in range(1000)).encode()[:LARGEST], 60.0)
    assert max(len(each.text) for each in found.lines) <= LONGEST
    stamps = "".join(f"[{n // 60:02}:{n % 60:02}.00]" for n in range(MOST + 9))
    found = lyrics(f"{stamps}la".encode(), 1e4)
    assert len(found.lines) == MOST and found.wrong == (f"only the first {MOST} lines are shown",)


def test_nothing_of_a_file_is_a_signal_to_a_terminal() -> None:
    assert told("[00:01.00]red \x1b[31malert\x07 now\x00") == [(1.0, "red [31malert now")]


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"[00:01.00]{text}".encode()))
def test_whatever_lies_there_is_sung_in_order_or_refused(raw: bytes) -> None:
    try:
        found = lyrics(raw, 30.0)
    except Refused:
        return
    times = [each.at for each in found.lines]
    assert times == sorted(set(times)) and all(0 <= at < 30.0 for at in times)
    assert all(each.text.isprintable() and len(each.text) <= LONGEST for each in found.lines)


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)


@given(st.dictionaries(st.integers(0, 5999), WORDS, min_size=1, max_size=30), st.randoms())
def test_every_line_that_is_written_comes_at_its_time(song: dict[int, str], chance: object) -> None:
    rows = [f"[{at // 6000:02}:{at // 100 % 60:02}.{at % 100:02}]{words}" for at, words in song.items()]
    chance.shuffle(rows)  # type: ignore[attr-defined]  # hypothesis' own Random
    found = lyrics("\n".join(rows).encode(), 60.0)
    assert [(round(100 * each.at), each.text) for each in found.lines] == sorted(song.items())
    assert found.wrong == ()
