"""Whatever a game does, in whatever order, she can play on: scripts of a game's, in virtual time."""

from __future__ import annotations

from typing import Any

import anyio
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from glue.game_events import GameButton, GameFate
from glue.games.errands import Errand
from tests.games import PASS, PLACE, Oracle, Seat
from tests.test_games_wire import SCHEMAS

NAMES = ["place", "pass", "odd", "late"]
ACTIONS = st.one_of(
    st.sampled_from([PLACE, PASS, 7]),
    st.builds(lambda name, schema: {"name": name, "schema": schema}, st.sampled_from(NAMES), SCHEMAS),
)
PRIORITY = st.sampled_from(["low", "medium", "high", "critical", "?"])
OURS = st.sampled_from(
    [{}, {"standing": True, "takes": NAMES}, {"said": "It is so."}, {"player": "mika", "text": "hi"}]
)
STEPS = st.one_of(
    st.tuples(st.just("startup")),
    st.tuples(st.just("register"), st.lists(ACTIONS, max_size=3)),
    st.tuples(st.just("unregister"), st.lists(st.sampled_from(NAMES), max_size=3)),
    st.tuples(st.just("force"), st.lists(st.sampled_from(NAMES), max_size=3), PRIORITY, st.booleans()),
    st.tuples(st.just("context"), st.text(max_size=9), st.booleans(), OURS),
    st.tuples(st.just("judge"), st.booleans(), st.text(max_size=9), st.sampled_from([-1, 0, None])),
    st.tuples(st.just("outcome"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.1, 3.0, 30.0])),
    st.tuples(st.just("gone")),
    st.tuples(st.just("back")),
    st.tuples(st.just("button"), st.sampled_from(list(GameButton))),
    st.tuples(st.just("speaks"), st.booleans()),
    st.tuples(st.just("wish"), st.sampled_from(["place it", "do pass", "hello"])),
)  # fmt: skip


def tells(seat: Seat, step: tuple[Any, ...]) -> None:
    """The game sends a message."""
    match step:
        case ("startup",):
            seat.says("startup")
        case ("register", actions):
            seat.says("actions/register", actions=actions)
        case ("unregister", names):
            seat.says("actions/unregister", action_names=names)
        case ("force", names, priority, ephemeral):
            more = {"priority": priority, "ephemeral_context": ephemeral, "state": "So it stands."}
            seat.says("actions/force", query="What?", action_names=names, **more)
        case ("context", message, silent, ours):
            seat.says("context", message=message, silent=silent, spark=ours)
        case ("judge", success, message, which):  # the last action, the first one, one that nobody sent
            sent = seat.actions()
            id = sent[which]["id"] if sent and which is not None else "nobody's"
            seat.says("action/result", id=id, success=success, message=message)
        case ("outcome", success):
            of = seat.actions()[-1]["id"] if seat.actions() else ""
            seat.says("context", message="Done.", spark={"said": "It is done.", "of": of, "success": success})


async def happens(seat: Seat, step: tuple[Any, ...], number: int) -> None:
    """All else."""
    match step:
        case ("wait", seconds):
            await anyio.sleep(seconds)
        case ("gone",):
            seat.play.detach()
        case ("back",):
            seat.attach(f"s{number}")
        case ("button", button):
            seat.play.press(button, "pass")
        case ("speaks", begins):
            seat.speaks() if begins else seat.hushes()
        case ("wish", text):
            seat.play.hear(Errand(f"l{number}", "mika", text, anyio.current_time()))


async def plays(script: list[tuple[Any, ...]]) -> None:
    async with Seat(Oracle(takes=0.5)).playing() as seat:
        seat.attach()
        for number, each in enumerate(script):
            tells(seat, each)
            await happens(seat, each, number)
        seat.hushes()
        for button, text in ((GameButton.RESUME, ""), (GameButton.ALLOW, "pass")):
            seat.play.press(button, text)
        seat.attach("last")
        seat.says("startup")
        seat.says("actions/register", actions=[PASS])
        await anyio.sleep(60)  # what is open is over by then
        before = len(seat.actions())
        seat.forces("pass")
        await anyio.sleep(1)
        assert [each["name"] for each in seat.actions()[before:]] == ["pass"]
        seat.judges()
        assert seat.fates()[-1] == (GameFate.ANSWERED, "")
    forces = [each for each in script if each[0] == "force"]
    assert len(seat.fates()) == len(forces) + 1, "each force has a fate, and one"
    ids = [each["id"] for each in seat.actions()]
    judged = [each.id for each in seat.judged() if each.id]  # what the operator could not order has none
    assert ids == [each.id for each in seat.chosen()] and len(ids) == len(set(ids))
    assert judged == ids, "each action is judged once, or its time is up"


@given(st.lists(STEPS, max_size=30))
@settings(max_examples=150, deadline=None)
def test_whatever_a_game_does_she_plays_on(script: list[tuple[Any, ...]]) -> None:
    trio.run(plays, script, clock=trio.testing.MockClock(autojump_threshold=0))
