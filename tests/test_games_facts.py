"""What she knows of a game when a viewer asks about it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.events import Source
from glue.games.facts import LAST, STATE, facts
from glue.games.messages import Action
from glue.games.schema import Shape
from glue.games.text import CUT, beginning
from glue.parts import Informed, NoMemory
from glue.ports import Fact
from tests.core import line

HAS = "You have: 2 dirt.\nIt is day."


@pytest.mark.parametrize("asked", ["where are you", "are you winning?", "which game is this?"])
def test_who_asks_about_the_game_is_told_what_is_true(asked: str) -> None:
    (fact,) = facts("Minecraft", HAS, 1.0, "You walked.", asked)
    assert fact == "In Minecraft now: I have: 2 dirt. It is day. Last: I walked."
    assert not isinstance(fact, Fact)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("what do you have?", "I have 2 dirt. In my hand: dirt."),
        ("Spark whats in your INVENTORY", "I have 2 dirt. In my hand: dirt."),
        ("look around you, what is there?", "I see log 4 blocks away, coal 7."),
        ("are you hungry?", "Health 20 of 20, food 9 of 20."),
        ("where are you?", "I am at x 3, y 64, z -2."),
        ("what are you doing", "I am doing: explore."),
        ("what are you making?", "I am doing: explore."),
        ("are you still mining", "I am doing: explore."),
        ("is it night?", "It is day."),
        ("do you still have the sword?", "I have 2 dirt. In my hand: dirt."),
    ],
)
def test_what_is_asked_for_and_is_so_now_is_said_word_for_word(asked: str, said: str) -> None:
    state = (
        "You are at x 3, y 64, z -2. Health 20 of 20, food 9 of 20. It is day.\nYou have: 2 dirt."
        " In your hand: dirt.\nYou see log 4 blocks away, coal 7.\nYou are doing: explore."
    )
    (fact,) = facts("Minecraft", state, 1.0, "You walked.", asked)
    assert isinstance(fact, Fact) and fact.said == said and fact.startswith("In Minecraft now: ")


ACTIONS = [Shape(Action("get", "", {"properties": {"item": {"enum": ["wooden_pickaxe", "torch"]}}}))]


@pytest.mark.parametrize(
    "asked", ["what are you making?", "are you making the torches now", "is it night in G?"]
)
def test_what_is_asked_with_the_games_own_words_is_said_word_for_word(asked: str) -> None:
    (fact,) = facts("G", "You are doing: nothing. It is day.", 1.0, "", asked, ACTIONS)
    assert isinstance(fact, Fact)


@pytest.mark.parametrize(
    "asked",
    [
        "are you getting my messages?",
        "are you making a new song?",
        "are you fighting with evil?",
        "is it day one of the subathon?",
    ],
)
def test_what_may_be_about_anything_else_is_not_answered_with_it(asked: str) -> None:
    (told,) = facts("G", "You are doing: nothing. It is day.", 1.0, "", asked, ACTIONS)
    assert not isinstance(told, Fact) and told == "In G now: I am doing: nothing. It is day."


def test_what_was_is_not_told_as_what_is() -> None:
    asked = "what do you have?"
    (was,) = facts("Minecraft", HAS, 40.0, "", asked)
    assert was == "In Minecraft 40 seconds ago: I have: 2 dirt." and not isinstance(was, Fact)
    assert facts("Minecraft", HAS, 400.0, "You walked.", asked) == ["In Minecraft: Last: I walked."]


@pytest.mark.parametrize(
    "asked", ["hello Spark", "do you like trains?", "tell me a joke", "good night", "how was your day?", ""]
)
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
    known = Informed(NoMemory(), [lambda who, said: [f"{who}: {said.text}"]])
    assert await known.recall("main", line("what do you have?")) == ["main: what do you have?"]


@pytest.mark.anyio
@pytest.mark.parametrize("source", [Source.GAME, Source.TWIN])
async def test_what_a_game_told_is_not_told_twice_nor_is_a_twin_told(source: Source) -> None:
    known = Informed(NoMemory(), [lambda who, said: [f"{who}: {said.text}"]])
    assert await known.recall("main", replace(line("You are near iron."), source=source)) == []


@given(st.text(), st.integers(10, 200))
def test_a_beginning_is_one_and_short(text: str, longest: int) -> None:
    found = beginning(text, longest)
    assert len(found) <= longest and (found == text or text.startswith(found) or CUT in found)


def test_a_beginning_ends_with_a_sentence() -> None:
    assert beginning("I looked. I am at x 3.5 now. Health 20.", 30) == "I looked. I am at x 3.5 now."
