"""A game in a real show: she plays while she talks, gives way as it asks, and speaks about what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from engines.port import unused
from tests.games import PASS, PLACE
from tests.shows.live import Live, launched

pytestmark = pytest.mark.slow
TALES = ("a train and a dragon", "two ships at sea", "my grandmother's clock", "snow in the city")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    port = f"games.adapter.port={unused()}"
    overrides = [
        "games=neuro",
        port,
        "games.adapter.rules.claims=0",
        "speaker=[wav]",
        "director.lonely=600",
        "cast.main.max_tokens=60",
    ]
    with launched(tmp_path_factory.mktemp("show"), *overrides) as live:
        live.ports["game"] = int(port.split("=")[1])
        live.until(live.url, within=60)
        live.until(lambda: any(f"ws://localhost:{live.ports['game']}" in line for line in live.said))
        yield live


@pytest.fixture
def game(live: Live) -> Iterator[Connection]:
    with connect(f"ws://localhost:{live.ports['game']}") as game:
        says(game, "startup")
        assert hears(game)["data"]["session"]["characterId"] == "main"
        says(game, "actions/register", actions=[PLACE, PASS])
        yield game


def says(game: Connection, command: str, **data: object) -> None:
    game.send(json.dumps({"command": command, "game": "Noughts", "data": data}))


def hears(game: Connection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(game.recv(timeout=30))
    return message


def speaking(live: Live) -> str:
    """The turn whose first sample has been heard and that has not ended."""
    heard = [e["turn"] for e in live.events("StageReached") if e["stage"] == "audible"]
    ended = {e["turn"] for e in live.events("TurnEnded")}
    return next((turn for turn in heard if turn not in ended), "")


def spoke_or_ended(live: Live, ends: int) -> bool:
    """Whether she speaks, or more than `ends` turns have ended."""
    return bool(speaking(live)) or len(live.events("TurnEnded")) > ends


def tells_a_story(live: Live, author: str) -> str:
    """The turn in which she tells it. The tests' small model may say what it just said, which she holds back:
    then somebody asks for another one.
    """
    for tale in TALES:
        before = len(live.events("TurnEnded"))
        live.type(f"{author}: Spark, tell me a long story about {tale} for {author}, please!")
        live.until(partial(spoke_or_ended, live, before))
        if turn := speaking(live):
            return turn
    raise AssertionError(f"no story; the show said: {live.said[-20:]}")


def force(game: Connection, priority: str) -> dict[str, Any]:
    """Ask, take the action, judge it."""
    says(game, "actions/force", query="It is your turn.", action_names=["place"], priority=priority)
    action = hears(game)
    assert json.loads(action["data"]["data"])["cell"] in (0, 4, 8)
    says(game, "action/result", id=action["data"]["id"], success=True)
    return action


@pytest.mark.parametrize(("priority", "waits"), [("low", True), ("high", False), ("critical", False)])
def test_a_decision_waits_for_her_only_where_its_priority_says_so(
    live: Live, game: Connection, priority: str, waits: bool
) -> None:
    live.until(lambda: len(live.events("TurnEnded")) == len(live.events("TurnStarted")))
    turn = tells_a_story(live, f"fan of {priority}")
    action = force(game, priority)
    (ended,) = live.until(lambda: [e for e in live.events("TurnEnded") if e["turn"] == turn])
    chosen = next(e for e in live.events("ActionChosen") if e["id"] == action["data"]["id"])
    if waits:
        assert chosen["at"] > ended["at"]
    if priority == "critical":
        assert ended["ending"] == "cut" and ended["at"] < chosen["at"]
    else:
        assert ended["heard"]


def test_she_speaks_about_what_happened(live: Live, game: Connection) -> None:
    live.until(lambda: len(live.events("TurnEnded")) == len(live.events("TurnStarted")))
    says(game, "context", message="You found a golden cell and won ten points.", silent=False)
    turns = live.until(lambda: [e for e in live.events("TurnStarted") if e["line"]["source"] == "game"])
    assert turns[-1]["line"]["author"] == "Noughts"


def test_every_message_has_a_fate_and_a_broken_game_breaks_nothing(live: Live, game: Connection) -> None:
    for nonsense in ("{", "[" * 50_000, json.dumps({"command": "context", "game": "Noughts", "data": 5})):
        game.send(nonsense)
    assert force(game, "low")
    game.close()
    numbers = [e["number"] for e in live.events("GameMessageClosed")]
    assert len(numbers) == len(set(numbers))
    live.until(lambda: live.events("GameChanged")[-1]["connected"] is False)
    unreadable = [e for e in live.events("GameMessageClosed") if e["fate"] == "unreadable"]
    assert len(unreadable) == 3
