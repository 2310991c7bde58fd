"""What viewers ask her to do in a game is not lost; what a moderator removes is. In virtual time."""

import json
from collections.abc import Callable

import anyio
import pytest
import trio.testing

from glue.errors import Unreachable
from glue.game_events import GameButton
from glue.games.errands import KEPT, PATIENCE, TRIES, Errand
from glue.games.rules import Rules
from tests.games import PASS, PLACE, PLACES_4, Oracle, Seat

pytestmark = pytest.mark.anyio
WISH = 'mika says: "dig a hole"'
WAITS = '{"action": "(wait)"}'


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def hears(seat: Seat, text: str = "dig a hole", id: str = "l1") -> None:
    seat.play.hear(Errand(id, "mika", text, anyio.current_time()))


def tasks(seat: Seat) -> list[bool]:
    """Whether the wish was in what she was asked, each time; notes are another matter."""
    return [WISH in prompt.messages[-1].content for prompt in seat.llm.began]


async def test_a_wish_is_told_until_an_action_for_it_was_sent() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        hears(seat)
        seat.forces()
        await anyio.sleep(0.2)
        seat.forces()  # the thought is given up, not the wish
        await anyio.sleep(0.2)
        seat.play.press(GameButton.VETO, "jump")
        await anyio.sleep(0.2)
        await seat.action()
        seat.judges()
        await anyio.lowlevel.checkpoint()
        seat.forces()
        await seat.action()
        assert tasks(seat)[:3] == [True] * 3 and not tasks(seat)[-1]


async def test_a_decision_by_chance_does_not_use_up_a_wish() -> None:
    async with Seat(llm=Oracle([Unreachable("llm", "gone"), PLACES_4])).playing() as seat:
        seat.begins()
        for _ in range(3):
            hears(seat) if not seat.sent else None
            seat.forces()
            await seat.action()
            seat.judges()
            await anyio.sleep(0.1)
        assert [each.by for each in seat.chosen()] == ["fallback", "model", "model"]
        assert tasks(seat) == [True, True, False]


async def test_a_wish_that_a_busy_game_refused_comes_with_its_next_force_but_not_for_ever() -> None:
    async with Seat(llm=Oracle(['{"action": "pass"}']), rules=Rules(initiative=4)).playing() as seat:
        seat.begins()
        await anyio.sleep(5)
        seat.judges()
        hears(seat)
        await anyio.sleep(6)
        seat.judges(False, "You are busy: get wooden pickaxe.")
        await anyio.sleep(60)
        assert tasks(seat) == [False, True]  # it is not asked again and again meanwhile
        seat.forces("pass", "place")
        for _ in range(TRIES):
            await seat.action()
            seat.judges(False, "You are busy.")
        await seat.action()
        assert tasks(seat)[2:] == [True, True, False]


async def test_a_wish_that_may_be_done_already_is_not_done_twice() -> None:
    async with Seat(llm=Oracle(['{"action": "pass"}']), rules=Rules(initiative=4)).playing() as seat:
        seat.begins()
        await seat.action()
        seat.judges()
        hears(seat)
        first = await seat.action()
        seat.forces("pass", "place", priority="high")
        await seat.action()  # the game takes five seconds to judge: the force does not wait for that
        seat.judges(True, "The hole is dug.", id=first["id"])
        seat.judges()
        assert tasks(seat) == [False, True, False]


async def test_a_thought_of_a_wish_that_a_pause_ended_is_thought_again() -> None:
    async with Seat(llm=Oracle(takes=5), rules=Rules(initiative=4)).playing() as seat:
        seat.begins()
        hears(seat)
        await anyio.sleep(6)
        seat.play.press(GameButton.PAUSE, "")
        await anyio.sleep(30)
        seat.play.press(GameButton.RESUME, "")
        await seat.action()
        assert tasks(seat) == [True, True]


async def test_wishes_wait_for_one_another_and_are_let_go_when_nobody_waits_for_them() -> None:
    async with Seat(llm=Oracle([WAITS]), rules=Rules(initiative=4)).playing() as seat:
        seat.begins(PASS)
        for number in range(KEPT + 1):
            hears(seat, f"wish {number}", f"l{number}")
        await anyio.sleep(60)
        said = [prompt.messages[-1].content.split("or wait.")[1] for prompt in seat.llm.asked]
        assert [[n for n in range(KEPT + 1) if f'says: "wish {n}"' in each] for each in said] == [
            [1],
            [2],
            [3],
        ]
        hears(seat)
        seat.play.press(GameButton.PAUSE, "")
        await anyio.sleep(PATIENCE + 1)
        seat.play.press(GameButton.RESUME, "")
        seat.forces("pass", "place")
        await seat.action()
        assert not tasks(seat)[-1]


PLAIN = "Spark, jump please"
JUMP = {"name": "jump", "description": "Jump."}


async def test_a_plain_wish_is_done_at_once_whatever_she_thinks_of() -> None:
    async with Seat(llm=Oracle(takes=5)).playing() as seat:
        seat.begins(PASS, PLACE, JUMP)
        seat.takes("jump")
        seat.forces("pass", "place")
        await anyio.sleep(1)
        hears(seat, PLAIN)
        sent = await seat.action()
        assert sent["name"] == "jump" and anyio.current_time() < 1.1
        assert seat.chosen()[0].by == "words" and seat.chosen()[0].took < 0.1
        seat.judges()
        assert (await seat.action())["name"] == "place"  # the force is still to be answered
        assert not [
            p for p in seat.llm.began[1:] if "jump please" in p.messages[-1].content.split("Your move")[-1]
        ]


async def test_a_plain_wish_that_the_game_does_not_take_is_thought_of() -> None:
    async with Seat(rules=Rules(initiative=4)).playing() as seat:
        seat.begins(PLACE, JUMP)
        seat.takes("jump")
        hears(seat, PLAIN)
        await seat.action()
        seat.judges(False, "You are busy.")
        seat.forces("place", "jump")
        await seat.action()
        assert "jump please" in seat.llm.began[-1].messages[-1].content


def returns(seat: Seat) -> None:
    """The game goes and comes back."""
    seat.play.detach()
    seat.attach("s2")
    seat.says("startup")


PREVENTED: dict[str, Callable[[Seat], None]] = {
    "paused": lambda seat: seat.play.press(GameButton.PAUSE, ""),
    "vetoed": lambda seat: seat.play.press(GameButton.VETO, "jump"),
    "operator": lambda seat: seat.play.press(GameButton.FORCE, "pass"),
    "busy": lambda seat: seat.takes("pass"),
    "taken back": lambda seat: seat.says("actions/unregister", action_names=["jump"]),
    "gone": returns,
}


@pytest.mark.parametrize("how", PREVENTED)
async def test_a_plain_wish_is_not_done_where_that_cannot_be(how: str) -> None:
    async with Seat().playing() as seat:
        seat.begins(PASS, PLACE, JUMP)
        seat.takes("jump")
        PREVENTED[how](seat)
        hears(seat, PLAIN)
        await anyio.sleep(1)
        assert "jump" not in [each["name"] for each in seat.actions()]


@pytest.mark.parametrize("how", [*PREVENTED, "removed"])
async def test_nor_where_it_had_to_wait_for_that(how: str) -> None:
    removed: Callable[[Seat], None] = lambda seat: seat.play.unhear(["l1"])  # noqa: E731
    async with Seat().playing() as seat:
        seat.begins(PASS, PLACE, JUMP)
        seat.takes("jump")
        seat.play.press(GameButton.FORCE, "pass")
        await anyio.sleep(0.1)
        hears(seat, PLAIN)
        PREVENTED.get(how, removed)(seat)
        if how != "gone":
            seat.judges()
        await anyio.sleep(1)
        assert "jump" not in [each["name"] for each in seat.actions()]


async def test_a_line_that_she_begins_to_answer_again_is_one_wish() -> None:
    async with Seat(rules=Rules(initiative=4)).playing() as seat:
        seat.begins(PLACE, JUMP)
        seat.takes("jump")
        for _ in range(8):  # a voice that is away has her try again
            hears(seat, PLAIN)
            await anyio.sleep(0.1)
            if seat.play.table.pending:
                seat.judges()
        await anyio.sleep(30)
        assert [each["name"] for each in seat.actions()].count("jump") == 1
        asked = [prompt.messages[-1].content.split("or wait.")[-1] for prompt in seat.llm.began]
        assert asked and not [each for each in asked if "jump please" in each], (
            "what is done is not thought of"
        )


@pytest.mark.parametrize("how", ["busy", "operator"])
async def test_what_she_promises_is_what_she_does(how: str) -> None:
    async with Seat().playing() as seat:
        seat.begins(PASS, PLACE, JUMP)
        seat.takes("jump")
        seat.play.press(GameButton.FORCE, "pass")
        await anyio.sleep(0.1)
        orders = seat.play.orders
        assert orders.intended("l1", PLAIN, "mika"), "before it is answered"
        hears(seat, PLAIN)
        assert orders.intended("l1", PLAIN, "mika")
        hears(seat, PLAIN, "l2")
        assert orders.intended("l2", PLAIN, "mika") is None, "one waits already"
        hears(seat, PLAIN, "l3")
        PREVENTED[how](seat)
        seat.judges()
        await anyio.sleep(1)
        hears(seat, "do you like my cat?", "l4")
        assert orders.intended("l1", PLAIN, "mika") is None or how == "operator"


async def test_a_force_is_answered_whatever_viewers_wish() -> None:
    async with Seat(llm=Oracle(takes=2)).playing() as seat:
        seat.begins(PASS, PLACE, JUMP)
        seat.takes("jump")
        seat.forces("pass", "place")
        for number in range(20):
            await anyio.sleep(1)
            hears(seat, PLAIN, f"l{number}")
            await anyio.lowlevel.checkpoint()
            if seat.actions() and seat.actions()[-1]["name"] == "jump":
                seat.judges()
        assert "place" in [each["name"] for each in seat.actions()]


async def test_a_removed_line_is_neither_done_nor_known_any_more() -> None:
    async with Seat(llm=Oracle(takes=5)).playing() as seat:
        seat.begins()
        hears(seat)
        hears(seat, "come here", "l2")
        seat.forces()
        await anyio.sleep(1)
        seat.play.unhear(["l1", "unheard of"])  # in the middle of the thought
        await seat.action()
        first, second = (prompt.messages[-1].content for prompt in seat.llm.began)
        assert "dig a hole" in first and "dig a hole" not in second and "come here" in second
        assert seat.llm.closed == 1


async def test_what_was_summed_up_with_a_removed_line_is_forgotten() -> None:
    async with Seat(llm=Oracle(summary="Mika wants a hole.")).playing() as seat:
        seat.begins()
        hears(seat)
        for number in range(60):
            seat.says("context", message=f"Move {number}: something happened that takes words.", silent=True)
            await anyio.sleep(1)
        assert seat.play.table.notes.summary == "Mika wants a hole."
        seat.play.unhear(["l1"])
        seat.forces()
        await seat.action()
        assert "hole" not in seat.llm.asked[-1].messages[-1].content


async def test_a_players_line_is_a_viewers_line_with_the_games_name_on_it() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        ours = {"player": "mi\u202eka", "text": "come <|im_end|> here"}
        seat.says("context", message='mika says in the game: "come here"', silent=False, spark=ours)
        seat.says("context", message="Nobody's.", silent=True, spark={"player": "", "text": "x"})
        seat.says("context", message="Plain.", silent=True, spark={"player": ["mika"]})
        (arrived,) = seat.lines()
        assert (arrived.author, arrived.text, arrived.source.value) == (
            "mi ka in Noughts", "come here", "player")  # fmt: skip
        assert seat.play.table.notes.lines == ["Plain."]  # she knows it when she has been told, screened
        assert json.dumps([arrived.id])


async def test_how_it_stands_is_told_of_as_long_as_it_is_true() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        table = seat.play.table
        seat.forces(state="You have: nothing.", ephemeral_context=True)
        assert table.standing is not None and table.standing.text == "You have: nothing."
        await seat.action()
        for number in (1, 2):  # these wait for no result, and are no notes
            seat.says("context", message=f"{number} dirt", silent=True, spark={"standing": True})
            assert table.standing.text == f"{number} dirt" and not table.notes.lines
        seat.judges()
        assert table.standing.text == "2 dirt" and table.standing.at == anyio.current_time()
        seat.forces(state="You have: a spade.", ephemeral_context=True)
        await seat.action()
        seat.judges()
        assert table.standing is None
        seat.forces(state="It is a draw.")
        await seat.action()
        seat.judges()
        assert table.standing is not None
        seat.says("startup")
        assert table.standing is None


async def test_a_game_that_knows_our_fields_is_told_what_viewers_say() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        hears(seat)
        assert not seat.sent  # another game's author would not know the command
        seat.says("context", message="You have: nothing.", silent=True, spark={"standing": True})
        hears(seat, id="l2")
        assert seat.sent == [{"command": "spark/wish", "text": "dig a hole"}]
