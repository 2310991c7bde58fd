"""A game in a real show: she plays while she talks, gives way as it asks, and speaks about what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from engines.port import unused
from tests.games import PASS, PLACE
from tests.shows.live import Live, launched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
TALE = "A train met a dragon. The dragon was tired of flying. So it took the train, and they came to the sea."


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    port = f"games.adapter.port={unused()}"
    overrides = [
        "games=neuro",
        port,
        "games.adapter.rules.claims=0",
        "games.adapter.rules.comment=1",
        "games.adapter.rules.initiative=0",  # of an action unasked nobody here knows what to make
        "speaker=[wav]",
        "director.lonely=600",
    ]
    with launched(tmp_path_factory.mktemp("show"), *overrides) as live:
        live.ports["game"] = int(port.split("=")[1])
        live.until(live.url, within=120)
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
    message: dict[str, Any] = json.loads(game.recv(timeout=60))
    return message


def speaking(live: Live) -> str:
    """The turn whose first sample has been heard and that has not ended."""
    heard = [e["turn"] for e in live.events("StageReached") if e["stage"] == "audible"]
    ended = {e["turn"] for e in live.events("TurnEnded")}
    return next((turn for turn in heard if turn not in ended), "")


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
    live.type(f"/say {TALE}")  # the operator's words: how long it takes is no model's choice
    turn = live.until(lambda: speaking(live), within=60)
    action = force(game, priority)
    (ended,) = live.until(lambda: [e for e in live.events("TurnEnded") if e["turn"] == turn], within=60)
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
    turns = live.until(lambda: [e for e in live.events("TurnStarted") if e["line"]["source"] == "game"], 60)
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
