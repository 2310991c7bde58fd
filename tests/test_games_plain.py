"""Wishes in plain words, and what is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.games.messages import Action
from glue.games.plain import Wish, plain, promise
from glue.games.player import Choice
from glue.games.schema import Shape


def takes(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def some(most: int) -> dict[str, object]:
    return {"type": "integer", "minimum": 1, "maximum": most}


WORD = {"type": "string", "maxLength": 40}
STEPS = takes(goal=WORD, steps={"type": "array", "items": {"type": "object"}})
ACTIONS = [
    *(Shape(Action(name, "")) for name in ("look", "stop", "attack", "sleep", "explore")),
    Shape(Action("say", "", takes(text=WORD))),
    Shape(
        Action(
            "get", "", takes(item={"enum": ["stone_pickaxe", "wooden_pickaxe", "crafting_table", "torch"]})
        )
    ),
    Shape(Action("collect", "", takes(item={"enum": ["log", "dirt", "stone"]}, count=some(16)))),
    Shape(Action("craft", "", takes(item=WORD, count=some(16)))),
    Shape(Action("dig_hole", "", takes(depth=some(4)))),
    Shape(Action("come", "", takes(player=WORD))),
    Shape(Action("go_to", "", takes(where=WORD))),
    Shape(Action("place", "", takes(cell={"enum": [0, 4, 8]}))),
    Shape(Action("do_steps", "", STEPS)),
]


THERE = ("Mika", "Otto")


def read(text: str, author: str = "mika") -> Choice | None:
    return plain(Wish(text, author, "Spark", THERE), ACTIONS)


@pytest.mark.parametrize(
    ("text", "action", "promised"),
    [
        ("Spark, please dig a hole!", 'dig_hole {"depth": 3}', "I'll dig a hole."),
        ("dig a hole 2 blocks deep", 'dig_hole {"depth": 2}', "I'll dig a hole."),
        ("can you collect some wood?", 'collect {"item": "log", "count": 3}', "I'll collect 3 logs."),
        ("chop 5 trees", 'collect {"item": "log", "count": 5}', "I'll collect 5 logs."),
        ("mine two stones please", 'collect {"item": "stone", "count": 2}', "I'll collect some stone."),
        ("make a crafting table!", 'get {"item": "crafting_table"}', "I'll get a crafting table."),
        ("grab me a torch", 'get {"item": "torch"}', "I'll get a torch."),
        ("come here", 'come {"player": "mika"}', "I'll come."),
        ("come over to me please", 'come {"player": "mika"}', "I'll come."),
        ("come to Mika", 'come {"player": "mika"}', "I'll come."),
        ("look around", "look", "I'll look."),
        ("please stop", "stop", "I'll stop."),
        ("SLEEP NOW", "sleep", "I'll sleep."),
    ],
)
def test_plain_wishes(text: str, action: str, promised: str) -> None:
    choice = read(text)
    assert choice is not None and choice.said == action
    assert promise(choice) == promised


@pytest.mark.parametrize(
    "text",
    [
        *(
            "don't dig a hole",
            "why did you dig a hole",
            "if you dig a hole I laugh",
            "he said that you should dig a hole",
        ),
        *("dig a hole and fill it with lava", "Evil, dig a hole", "dig a hole 9 deep", "chop 100 trees"),
        *(
            "say hello in the game please",
            "craft 4 planks",
            "go to the water",
            "make me a sandwich",
            "go to hell",
        ),
        *(
            "get well soon",
            "get a pickaxe",
            "grab me two torches",
            "get a torch cold",
            "you get a torch and you get one",
        ),
        *(
            "omg stop",
            "stop lol",
            "stop stop stop",
            "stop it spark",
            "should we stop?",
            "let's stop",
            '"stop"',
        ),
        *(
            "come on",
            "come on spark",
            "come again?",
            "come at me bro",
            "come to daddy",
            "come to my party tomorrow",
        ),
        *("attack on titan", "can you attack people?", "kill yourself", "sleep well", "sleep?", "you sleep?"),
        *(
            "look out",
            "look, a bird",
            "explore my body",
            "let's go mining",
            "mine was stone",
            "mine is dirt cheap",
        ),
        *("place four", "place 4", "do steps", "hi Spark!! first time catching you live", "dig " * 30, ""),
    ],
)
def test_what_leaves_a_doubt_is_the_models(text: str) -> None:
    assert read(text) is None


def test_nobody_comes_to_who_is_not_there() -> None:
    assert (
        read("come to bo") is None
        and read("come here", "bo") is None
        and read("come here", "/op mika") is None
    )


WORDS = st.sampled_from(
    "dig a hole get come craft to go wood 5 stone pickaxe place look please spark not".split()
)
OURS = set(
    "dig hole stone pickaxe wooden crafting table torch log dirt come look stop attack sleep explore get"
    " collect i ll a an some logs".split()
)


@given(st.one_of(st.text(max_size=90), st.lists(WORDS, max_size=8).map(" ".join)))
def test_whatever_is_said_her_action_is_one_that_the_game_takes_and_her_words_are_the_games(
    text: str,
) -> None:
    choice = read(text)
    if choice is None:
        return
    assert not next(s for s in ACTIONS if s.name == choice.name).wrong(choice.data)
    assert set(re.findall("[a-z]+", promise(choice).lower())) <= OURS


@pytest.mark.parametrize(
    "schema", [{"type": "array"}, {"$ref": "#/nowhere"}, {"enum": []}, {"type": "string"}]
)
def test_an_odd_schema_is_the_models(schema: dict[str, object]) -> None:
    odd = Shape(Action("jump", "", takes(how=schema)))
    assert plain(Wish("jump high", "mika", "Spark"), [odd]) is None


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("bet", {"amount": {"type": "integer"}}),  # a number that has to be said
        ("move 2 5", {"x": {"type": "integer"}, "y": {"type": "integer"}}),  # which is which?
    ],
)
def test_a_number_is_not_guessed(text: str, rules: dict[str, object]) -> None:
    action = Shape(Action(text.split()[0], "", takes(**rules)))
    assert plain(Wish(text, "mika", "Spark"), [action]) is None


def test_a_number_without_a_bound_is_taken_as_it_is_said() -> None:
    bet = Shape(Action("bet", "", takes(amount={"type": "integer"})))
    choice = plain(Wish("bet 50 please", "mika", "Spark"), [bet])
    assert choice is not None and choice.data == {"amount": 50}
