"""What she is told when a viewer asks what she did in a game: the truth about it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
import trio.testing

from glue.game_events import GameButton
from glue.games.deeds import Deeds
from glue.games.messages import Action
from glue.games.past import past
from glue.games.schema import Shape
from glue.ports import Fact
from tests.games import Seat


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def takes(**values: Sequence[str]) -> dict[str, object]:
    rules = {name: {"enum": list(those)} for name, those in values.items()}
    return {"type": "object", "properties": rules, "required": list(rules)}


ACTIONS: list[dict[str, object]] = [
    {"name": "get", "schema": takes(item=["wooden_pickaxe", "wooden_sword", "torch"])},
    {"name": "collect", "schema": takes(item=["log", "coal"])},
    {"name": "build", "schema": takes(plan=["hut", "tower"])},
    {"name": "attack"},
    {"name": "eat"},
]
DIED = "You died in the game, and begin again where you started."
I_DIED = "I died in the game, and begin again where I started."


async def one(seat: Seat, name: str, data: str = "", message: str = "", success: bool = True) -> str:
    """She does something because the operator says so, and the game judges it; the action's id."""
    before = len(seat.actions())
    seat.play.press(GameButton.FORCE, f"{name} {data}".strip())
    while len(seat.actions()) == before:
        await seat.action()
    seat.judges(success, message)
    return str(seat.actions()[-1]["id"])


async def day(seat: Seat) -> None:
    """A pickaxe was made, a zombie killed; a torch failed; she died; a hut is being built."""
    seat.begins(*ACTIONS)
    seat.takes("get")  # one of our games
    for name, data, said in (
        ("collect", '{"item": "log"}', "You got 3 log."),
        ("get", '{"item": "wooden_pickaxe"}', "You have 1 wooden pickaxe."),
    ):
        begun = await one(seat, name, data)
        ours = {"said": said, "of": begun, "success": True}
        seat.says("context", message=f"Done: {name}. {said}", silent=False, spark=ours)
    begun = await one(seat, "get", '{"item": "torch"}')
    failed = "You could not do get torch: You found no coal. You have: 3 log."
    seat.says("context", message=failed, silent=False, spark={"of": begun, "success": False})
    await one(seat, "attack", message="The zombie is dead.")
    seat.says("context", message=DIED, silent=False)
    await one(seat, "build", '{"plan": "hut"}')


def asked(seat: Seat, text: str) -> list[str]:
    table = seat.play.table
    return past("Noughts", table.deeds, text, table.actions.values(), table.ours)


PICKAXE = "I got wooden pickaxe. I have 1 wooden pickaxe."
HUT = "I am still at it: build hut."
TORCH = "I tried to get torch. I could not do get torch: I found no coal. I have: 3 log."
TRUE = [
    ("did you make the pickaxe?", PICKAXE),
    ("Spark, have you crafted a pickaxe yet", PICKAXE),
    ("did you get the wood?", "I collected log. I got 3 log."),
    ("how many logs did you get?", "I collected log. I got 3 log."),
    ("did you make a torch?", TORCH),
    ("did you manage to make the torches?", TORCH),
    ("did you kill the zombie?", "I attacked. The zombie is dead."),
    ("who killed you?", I_DIED),
    ("what got you, Spark?", I_DIED),
    ("did you die?", I_DIED),
    ("what did you build?", HUT),
    ("did you finish the hut?", HUT),
    ("did it work?", HUT),
    ("what happened in Noughts?", HUT),
    ("so you've made a pickaxe?", PICKAXE),
    ("did you get it in Noughts?", PICKAXE),
    ("did you build a tower?", "Not since I came in."),
    ("did you get a sword", "Not since I came in."),
    ("have you eaten anything?", "Not since I came in."),
]


@pytest.mark.anyio
async def test_who_asks_what_she_did_is_told_what_is_true() -> None:
    async with Seat().playing() as seat:
        await day(seat)
        for text, said in TRUE:
            (fact,) = asked(seat, text)
            assert isinstance(fact, Fact) and fact.said == said, text
        (fact,) = asked(seat, "what did you just do?")
        assert fact == f"In Noughts: {HUT} I attacked. The zombie is dead. {TORCH}"


@pytest.mark.anyio
async def test_what_the_game_has_no_word_for_is_neither_claimed_nor_denied() -> None:
    async with Seat().playing() as seat:
        await day(seat)
        (told,) = asked(seat, "did you find diamonds?")
        assert not isinstance(told, Fact) and told.startswith(
            f"In Noughts, since I came in, I have done no more than this: {HUT}"
        )


@pytest.mark.parametrize(
    "text",
    [
        "did you see my message?",
        "what did you say?",
        "did you like the movie?",
        "what did you do yesterday?",
        "have you ever been to Japan?",
        "have you got a sword?",
        "did you do your homework?",
        "dig a hole",
        "hello Spark",
        "what happened to your voice?",
        "what happened to evil",
        "who got you into streaming?",
        "what got you started?",
        "did that work out for your sister?",
        "did you get my dono?",
        "did you get my message?",
        "did you make it home alright?",
        "have you made a decision about the giveaway?",
        "you've made my day",
    ],
)
@pytest.mark.anyio
async def test_who_asks_for_something_else_is_told_nothing_of_the_game(text: str) -> None:
    async with Seat().playing() as seat:
        await day(seat)
        assert asked(seat, text) == []


@pytest.mark.parametrize(("text", "said"), [("what just happened?", I_DIED), ("what did you do?", PICKAXE)])
@pytest.mark.anyio
async def test_what_happened_is_the_newest_thing_whether_she_did_it_or_not(text: str, said: str) -> None:
    async with Seat().playing() as seat:
        seat.begins(*ACTIONS)
        await one(seat, "get", '{"item": "wooden_pickaxe"}', "You have 1 wooden pickaxe.")
        seat.says("context", message=DIED, silent=False)
        (fact,) = asked(seat, text)
        assert isinstance(fact, Fact) and fact.said == said


@pytest.mark.anyio
async def test_what_may_be_about_anything_is_not_answered_word_for_word() -> None:
    async with Seat().playing() as seat:
        await day(seat)
        (told,) = asked(seat, "did you get it?")
        assert told == f"In Noughts: {PICKAXE}" and not isinstance(told, Fact)


@pytest.mark.parametrize("text", ["did you make it?", "did you get a badge?"])
@pytest.mark.anyio
async def test_nor_is_it_denied_unless_the_game_is_named(text: str) -> None:
    async with Seat().playing() as seat:
        seat.begins(*ACTIONS)
        assert asked(seat, text) == []
        (told,) = asked(seat, text.replace("?", " in Noughts?"))
        assert told.startswith("In Noughts")


@pytest.mark.anyio
async def test_what_was_begun_before_the_game_began_anew_is_broken_off() -> None:
    async with Seat().playing() as seat:
        await day(seat)
        seat.says("startup")
        (fact,) = asked(seat, "what did you build?")
        assert fact == "In Noughts: I tried to build hut. It was broken off."


@pytest.mark.parametrize(
    ("success", "came"), [(True, "I built hut. It"), (False, "I tried to build hut. It")]
)
@pytest.mark.anyio
async def test_what_the_game_tells_of_it_later_wins(success: bool, came: str) -> None:
    async with Seat().playing() as seat:
        await day(seat)
        seat.says("startup")  # it was only the wire that broke
        hut = seat.actions()[-1]["id"]
        seat.says("context", message="It.", silent=False, spark={"of": hut, "success": success})
        (fact,) = asked(seat, "what did you build?")
        assert fact == f"In Noughts: {came}."


@pytest.mark.parametrize(
    ("success", "message", "came"),
    [
        (True, "It stands.", "I built hut. It stands."),
        (True, "", "I am still at it: build hut."),
        (False, "No wood.", "I tried to build hut. No wood."),
    ],
)
@pytest.mark.anyio
async def test_a_judgement_that_comes_too_late_is_still_true(success: bool, message: str, came: str) -> None:
    async with Seat().playing() as seat:
        seat.begins(*ACTIONS)
        seat.takes("get")
        seat.play.press(GameButton.FORCE, 'build {"plan": "hut"}')
        await seat.action()
        await anyio.sleep(seat.rules.result_within + 1)
        (fact,) = asked(seat, "did it work?")
        assert fact == "In Noughts: I tried to build hut. no answer came in time"
        seat.judges(success, message)
        (fact,) = asked(seat, "did it work?")
        assert fact == f"In Noughts: {came}" and "no answer" not in seat.play.table.deeds.last
        hut = seat.actions()[-1]["id"]
        seat.says("context", message="It.", silent=False, spark={"of": hut, "success": True})
        seat.judges(success, message)  # once more, and it is old
        (fact,) = asked(seat, "did it work?")
        assert fact == "In Noughts: I built hut. It."


@pytest.mark.anyio
async def test_a_late_look_was_no_deed() -> None:
    async with Seat().playing() as seat:
        seat.begins(*ACTIONS)
        seat.play.press(GameButton.FORCE, "eat")
        await seat.action()
        await anyio.sleep(seat.rules.result_within + 1)
        id = seat.actions()[-1]["id"]
        seat.says("action/result", id=id, success=True, message="Stars.", spark={"silent": True})
        assert not list(seat.play.table.deeds)


@pytest.mark.anyio
async def test_of_a_long_game_nothing_is_denied_that_may_be_forgotten() -> None:
    async with Seat().playing() as seat:
        seat.begins(*ACTIONS)
        await one(seat, "build", '{"plan": "tower"}', "It stands.")
        for number in range(250):
            await one(seat, "attack", message=f"Foe {number} is dead.")
        assert asked(seat, "did you build a tower?") == []
        (fact,) = asked(seat, "did you attack somebody?")
        assert fact == "In Noughts: I attacked. Foe 249 is dead."


def test_a_game_that_does_not_tell_of_deaths_is_not_spoken_for() -> None:
    shapes = [Shape(Action("attack", ""))]
    assert past("Noughts", Deeds(), "did you die?", shapes, ours=False) == []
    (fact,) = past("Noughts", Deeds(), "did you die?", shapes, ours=True)
    assert fact == "In Noughts: Not since I came in."
