"""What she knows of a game when a viewer asks about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.games.facts import LAST, STATE, facts
from glue.games.notes import Notes
from glue.games.rules import Rules
from glue.games.table import Table
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
    assert facts("Minecraft", HAS, "You walked.", asked) == [
        "In Minecraft now: You have: 2 dirt. It is day. Last: You walked."
    ]


@pytest.mark.parametrize("asked", ["hello Spark", "do you like trains?", "tell me a joke", ""])
def test_other_lines_cost_nothing(asked: str) -> None:
    assert facts("Minecraft", HAS, "You walked.", asked) == []


def test_a_game_that_told_nothing_is_not_invented() -> None:
    assert facts("Minecraft", "", "", "what do you have?") == []


@given(st.text(), st.text(), st.text())
def test_a_flood_stays_short(state: str, last: str, asked: str) -> None:
    assert all(len(each) <= STATE + LAST + 40 and "\n" not in each for each in facts("G", state, last, asked))


def test_what_a_viewer_said_is_told_once_with_the_next_task() -> None:
    table = Table("main", "G", Notes("G", "Spark", 2400), lambda event: None, lambda: None, Rules())
    table.hear("mika", "dig a hole", 0.0)
    assert table.errand("Act.").startswith('Act.\nmika says: "dig a hole"')
    assert table.errand("Act.") == "Act."


@pytest.mark.anyio
async def test_facts_stand_before_what_is_remembered() -> None:
    known = Informed(NoMemory(), [lambda who, text: [f"{who}: {text}"]])
    assert await known.recall("main", line("what do you have?")) == ["main: what do you have?"]
