"""What she knows of a game when a viewer asks about it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.events import Source
from glue.games.facts import LAST, STATE, facts
from glue.games.text import CUT, beginning
from glue.parts import Informed, NoMemory
from tests.core import line

HAS = "You have: 2 dirt.\nIt is day."


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    "asked", ["what do you have?", "Spark whats in your INVENTORY", "where are you", "are you winning?"]
)
def test_who_asks_about_the_game_is_told_what_is_true(asked: str) -> None:
    assert facts("Minecraft", HAS, 1.0, "You walked.", asked) == [
        "In Minecraft now: I have: 2 dirt. It is day. Last: I walked."
    ]


def test_what_was_is_not_told_as_what_is() -> None:
    asked = "what do you have?"
    assert facts("Minecraft", HAS, 40.0, "", asked) == [
        "In Minecraft 40 seconds ago: I have: 2 dirt. It is day."
    ]
    assert facts("Minecraft", HAS, 400.0, "You walked.", asked) == ["In Minecraft: Last: I walked."]


@pytest.mark.parametrize("asked", ["hello Spark", "do you like trains?", "tell me a joke", ""])
def test_other_lines_cost_nothing(asked: str) -> None:
    assert facts("Minecraft", HAS, 0.0, "You walked.", asked) == []


def test_a_game_that_told_nothing_is_not_invented() -> None:
    assert facts("Minecraft", "", 0.0, "", "what do you have?") == []


@given(st.text(), st.floats(0, 1e4), st.text(), st.text())
def test_a_flood_stays_short(state: str, age: float, last: str, asked: str) -> None:
    found = facts("G", state, age, last, asked)
    assert all(len(each) <= STATE + LAST + 40 and "\n" not in each for each in found)


@pytest.mark.anyio
async def test_facts_stand_before_what_is_remembered() -> None:
    known = Informed(NoMemory(), [lambda who, text: [f"{who}: {text}"]])
    assert await known.recall("main", line("what do you have?")) == ["main: what do you have?"]


@pytest.mark.anyio
async def test_what_a_game_told_is_not_told_twice() -> None:
    known = Informed(NoMemory(), [lambda who, text: [f"{who}: {text}"]])
    assert await known.recall("main", replace(line("You are near iron."), source=Source.GAME)) == []


@given(st.text(), st.integers(10, 200))
def test_a_beginning_is_one_and_short(text: str, longest: int) -> None:
    found = beginning(text, longest)
    assert len(found) <= longest and (found == text or text.startswith(found) or CUT in found)


def test_a_beginning_ends_with_a_sentence() -> None:
    assert beginning("I looked. I am at x 3.5 now. Health 20.", 30) == "I looked. I am at x 3.5 now."
