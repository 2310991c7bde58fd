"""When somebody fell silent, by what the recogniser says of the stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.senses.spoken import WINDOW, Spoken

PIECE = 0.02


def stream(seconds: float, begun: float) -> Spoken:
    """A clock of a stream whose pieces were sent as they were made."""
    spoken = Spoken()
    for number in range(round(seconds / PIECE)):
        spoken.sent(PIECE, begun + (number + 1) * PIECE)
    return spoken


@given(st.integers(1, 60), st.integers(0, 30), st.floats(0, 1e6))
def test_the_end_of_the_voice_is_found_on_the_shows_clock(voiced: int, silent: int, begun: float) -> None:
    spoken = stream((voiced + silent) * WINDOW + PIECE, begun)
    spoken.answered((voiced + silent) * WINDOW, [0.9] * voiced + [0.1] * silent)
    assert spoken.until() == pytest.approx(begun + voiced * WINDOW, abs=1e-6)


def test_windows_come_in_several_answers() -> None:
    spoken = stream(3.0, 100.0)
    spoken.answered(32 * WINDOW, [0.1] * 12 + [0.8] * 20)
    spoken.answered(40 * WINDOW, [0.1] * 8)  # nothing but silence since
    assert spoken.until() == pytest.approx(100 + 32 * WINDOW)


def test_a_server_that_does_not_say_is_not_guessed_for() -> None:
    spoken = stream(1.0, 0.0)
    assert spoken.until() is None
    spoken.answered(1.0, [])
    assert spoken.until() is None


def test_a_server_that_heard_more_than_was_sent_is_not_believed() -> None:
    spoken = stream(1.0, 0.0)
    spoken.answered(900.0, [0.9])
    assert spoken.until() is None


def test_an_hour_is_kept_in_bounds() -> None:
    spoken = stream(600.0, 0.0)
    spoken.answered(600.0, [0.9] * 10 + [0.1] * 10)
    assert spoken.until() == pytest.approx(600 - 10 * WINDOW)
    assert len(spoken._sent) <= 4096
