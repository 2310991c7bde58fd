"""Whom she listens to, and for how long. Times are given."""

from __future__ import annotations

import pytest

from glue.listening import Listening
from glue.settings import DirectorSettings

SETTINGS = DirectorSettings(listen=1.5, listen_most=5.0)


def speaking(since: float, until: float) -> Listening:
    """Somebody does, a word every second."""
    listening, now = Listening(), since
    while now <= until:
        listening.word(now, SETTINGS)
        now += 1.0
    return listening


def test_nobody_has_spoken_at_first() -> None:
    listening = Listening()
    listening.chosen(0.0, SETTINGS)
    listening.answered(0.0, SETTINGS)
    assert max(listening.until, listening.heard) == float("-inf") and not listening.beside


@pytest.mark.parametrize(("last", "until"), [(10.0, 11.5), (13.0, 14.5), (14.0, 15.0), (30.0, 15.0)])
def test_each_word_keeps_the_floor_for_a_while_but_all_of_them_not_for_ever(
    last: float, until: float
) -> None:
    listening = speaking(10.0, last)
    assert (listening.until, listening.heard) == (until, last)


def test_a_pause_gives_the_next_words_all_of_the_time_again() -> None:
    listening = speaking(10.0, 20.0)
    listening.word(21.6, SETTINGS)
    assert listening.until == 21.6 + 1.5


def test_whose_words_are_a_line_is_listened_to_no_longer_but_was_heard() -> None:
    listening = speaking(10.0, 12.0)
    listening.finished(12.3)
    assert (listening.until, listening.heard) == (12.3, 12.0)
    listening.chosen(12.3, SETTINGS)
    assert not listening.beside, "they have finished: their next words stop her"


def test_who_is_answered_beside_somebody_is_not_stopped_by_them_until_they_pause() -> None:
    listening = speaking(10.0, 16.0)
    listening.chosen(16.0, SETTINGS)
    assert listening.beside
    listening.word(17.0, SETTINGS)
    assert listening.beside, "they go on"
    listening.word(19.0, SETTINGS)
    assert not listening.beside, "they begin anew"


def test_who_spoke_through_a_reply_has_the_floor_again_behind_it_for_as_long_as_before() -> None:
    listening = speaking(10.0, 16.0)
    listening.chosen(16.0, SETTINGS)
    listening.word(17.0, SETTINGS)
    listening.answered(17.2, SETTINGS)
    assert listening.until == 18.5 and not listening.beside
    for now in (18.0, 19.0, 20.0, 21.0, 22.0):
        listening.word(now, SETTINGS)
    assert listening.until == 17.2 + 5.0


def test_a_reply_to_which_nobody_spoke_changes_nothing() -> None:
    listening = speaking(10.0, 11.0)
    listening.finished(11.5)
    listening.chosen(11.5, SETTINGS)
    listening.answered(15.0, SETTINGS)
    assert listening.until == 11.5
