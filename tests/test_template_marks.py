"""No mark of a chat template is left in a text, whoever wrote it, nor made by taking others away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.games.text import tidy
from glue.gate import Gate, Passed
from glue.mind.talk import inside, plain
from glue.template_marks import unmarked

WHOLE = (
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
)
PARTS = ("<|", "|>", "<", ">", "|", "[", "]", "/", "<<", ">>", "s", "SYS", "inst", "eot_id", " ", "\n", "a")


@given(st.lists(st.sampled_from((*WHOLE, *PARTS))).map("".join))
def test_whatever_a_text_is_pieced_together_from_no_mark_is_left(text: str) -> None:
    clean = unmarked(text)
    assert "<|" not in clean and not [mark for mark in WHOLE if mark.lower() in clean.lower()]
    assert unmarked(clean) == clean


@given(st.text("Hi <>|[]/s:3 ").filter(lambda text: "<|" not in text and "s>" not in text))
def test_text_without_a_mark_stays_as_it_is(text: str) -> None:
    assert unmarked(text) == text


@pytest.mark.parametrize("mark", WHOLE)
def test_what_viewers_games_and_she_herself_say_loses_the_same_marks(mark: str) -> None:
    text = f"one {mark} two"
    assert plain(text) == inside(text) == tidy(text, 100) == "one two"
    assert Gate().check(text) == Passed("one two", changed=True)
