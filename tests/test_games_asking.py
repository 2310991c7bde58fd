"""Which of chat's lines a game hears of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.games.asking import asks, may_ask, vocabulary
from glue.games.messages import Action
from glue.games.schema import Shape


def takes(name: str, *items: str) -> Shape:
    return Shape(Action(name, "", {"type": "object", "properties": {"item": {"enum": list(items)}}}))


STEPS = {"type": "object", "properties": {"steps": {"type": "array", "items": {"enum": ["get", "look"]}}}}
ACTIONS = [
    *(Shape(Action(name, "Do what there is to do.")) for name in ("look", "come", "dig_hole", "sleep")),
    takes("get", "stone_pickaxe", "torch", "log"),
    Shape(Action("do_steps", "Only for what takes several of the others.", STEPS)),
]


@pytest.mark.parametrize(
    "text",
    [
        "dig a hole",
        "Spark come here pls",
        "hey, can you build a hut?",
        "you should dig down",
        "could you follow me",
        "now sleep",
        "let's go mining",
        "I want a torch",
        "how many logs do you have",
        "we need more wood... get some",
        "grab ein Loch bitte",
        "穴を掘って",
    ],
)
def test_a_wish_is_heard(text: str) -> None:
    assert may_ask(text, ACTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "hi Spark!! first time catching you live",
        "so what are you, a toaster with opinions?",
        "what is the worst pizza topping and why is it corn?",
        "do you ever get tired of talking to us?",
        "how do you make friends when you are shy?",
        "a toaster would at least be useful lol",
        "she runs on electricity, tired is not a state she has",
        "if you could live anywhere for a week where would you go?",
        "gg",
        "",
    ],
)
def test_other_talk_is_not(text: str) -> None:
    assert not may_ask(text, ACTIONS)


@pytest.mark.parametrize("text", ["hol uns bitte Holz", "穴を掘って", "asdkjh qwpoei zmxn vbqq"])
def test_what_nobody_can_read_may_be_a_wish_and_is_taken_for_none(text: str) -> None:
    """It is thought of, but it costs her reply no word of what she has not begun."""
    assert may_ask(text, ACTIONS) and not asks(text, ACTIONS)


@given(st.text())
def test_any_text_is_read_without_actions_too(text: str) -> None:
    assert may_ask(text, []) in (True, False)


@pytest.mark.parametrize("depth", [50, 200, 400, 800])
def test_a_deep_schema_ends_no_show(depth: int) -> None:
    schema: dict[str, object] = {"enum": ["torch"]}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    assert may_ask("I want that one", [Shape(Action("get", "", schema))]) is False


@pytest.mark.parametrize(
    "value", [{"enum": 5}, {"const": ["torch"]}, [{"enum": None}], {"enum": {"torch": 1}}, 5, None]
)
@pytest.mark.parametrize("word", ["const", "enum"])
def test_a_value_that_looks_like_a_schema_is_a_value(word: str, value: object) -> None:
    """As a game's own data may; and a parameter may be called as a word of schemas is."""
    given = {word: value if word == "const" else [value]}
    schema = {"type": "object", "properties": {"x": given, "enum": {"const": "lamp"}}, "required": ["x"]}
    actions = [Shape(Action("get", "", schema))]
    assert not actions[0].bad and not may_ask("I want the torch there", actions)
    assert not asks("I want the const there", actions) and asks("I want the lamp there", actions)


def test_an_action_is_read_once_and_not_with_every_line() -> None:
    many = [takes(f"get_{n}", f"thing{n}") for n in range(500)]
    may_ask("hello there, how are you?", many)
    read = vocabulary.cache_info().misses
    for text in ("hello again, how is it?", "I want thing7x", "what is that?"):
        may_ask(text, many)
    assert vocabulary.cache_info().misses == read
