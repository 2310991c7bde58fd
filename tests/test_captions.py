"""Captions and what was heard: with word times, without, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.ports import Timed
from glue.romanised import romanised
from glue.stage.captions import CaptionTrack, match

WORDS = (Timed("oh", 0.1, 0.3), Timed("hello", 0.5, 0.9), Timed("Mika", 1.0, 1.4))


def spoken(words: tuple[Timed, ...] = WORDS) -> CaptionTrack:
    track = CaptionTrack()
    track.begin(0, "Oh, hello Mika!", 10.0)
    track.extend(0, 11.5, words)
    return track


@pytest.mark.parametrize(
    ("t", "shown", "heard"),
    [
        (9.9, None, ""),
        (10.05, "", ""),
        (10.15, "Oh,", ""),
        (10.35, "Oh,", "Oh,"),
        (10.7, "Oh, hello", "Oh,"),
        (11.2, "Oh, hello Mika!", "Oh, hello"),
        (11.4, "Oh, hello Mika!", "Oh, hello Mika!"),
    ],
)
def test_word_times_are_followed(t: float, shown: str | None, heard: str) -> None:
    track = spoken()
    at = track.at(t)
    assert (at[1][: at[2]] if at else None) == shown
    assert track.heard(t) == heard


def test_a_word_that_is_said_differently_lies_between_its_neighbours() -> None:
    own = ["It", "is", "21", "degrees!"]
    said = [Timed(w, i, i + 1) for i, w in enumerate(["it", "is", "twenty", "one", "degrees"])]
    assert sorted(match(own, said)) == [0, 1, 3]


def test_what_a_voice_was_given_in_other_letters_loses_no_later_word() -> None:
    own = "Привет как твои дела сегодня мой друг Katya are you well".split()
    said = [Timed(romanised(word, "en"), i, i + 1) for i, word in enumerate(own)]
    assert sorted(match(own, said)) == list(range(11))


def test_without_word_times_letters_share_the_sound() -> None:
    track = CaptionTrack()
    track.begin(0, "aaa bbb ccc ddd", 0.0)
    track.extend(0, 4.0)
    track.begin(1, "next", 4.0)
    assert track.heard(2.05) == "aaa bbb"
    at = track.at(2.05)
    assert at is not None and at[1][: at[2]] == "aaa bbb ccc"


def test_clauses_join_and_the_end_is_whole() -> None:
    track = spoken()
    track.begin(1, "You came back.", 11.5)
    track.extend(1, 12.5)
    assert track.heard(11.55) == "Oh, hello Mika!"
    assert track.heard(12.0).startswith("Oh, hello Mika! You")
    track.finish()
    assert track.heard(12.5) == "Oh, hello Mika! You came back."
    track.clear()
    assert track.heard(12.5) == "" and track.at(12.5) is None


def test_a_script_without_spaces_is_heard_by_the_character() -> None:
    track = CaptionTrack()
    track.begin(0, "こんにちは。", 0.0)
    track.extend(0, 1.0)
    track.begin(1, "x", 1.0)
    assert track.heard(0.5) in ("こん", "こんに")
    assert track.heard(1.0) == "こんにちは。"


@given(
    texts=st.lists(st.text(max_size=60), max_size=4),
    lengths=st.lists(st.floats(0, 5), min_size=4, max_size=4),
    times=st.lists(st.floats(0, 3), max_size=6),
    at=st.lists(st.floats(-1, 25), min_size=2, max_size=2),
)
def test_what_is_heard_only_grows_and_is_made_of_whole_words(
    texts: list[str], lengths: list[float], times: list[float], at: list[float]
) -> None:
    track, start = CaptionTrack(), 0.0
    for index, text in enumerate(texts):
        track.begin(index, text, start)
        words = [Timed(w, t, t + 0.1) for w, t in zip(text.split(), times, strict=False)]
        start += lengths[index]
        track.extend(index, start, words)
    early, late = (track.heard(t) for t in sorted(at))
    assert late.startswith(early)
    track.finish()
    assert " ".join(track.heard(start).split()) == " ".join(" ".join(texts).split())
