"""Where the rules say so, what a viewer says to her reaches the game that she plays, and may move her."""

import json
from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from glue.chat_events import LinesRemoved
from glue.closing import closing
from glue.events import ChatLine, Event, Source, TurnStarted
from glue.games.messages import read
from glue.games.neuro import NeuroGames
from glue.games.rules import Rules
from tests.games import PASS, PLACE, Oracle

pytestmark = pytest.mark.anyio
WISH = 'mika says in chat: "put it in the middle"'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def listen(games: NeuroGames) -> None:
    """As the show does: games are played from then on."""
    async with closing(games.events()) as events:
        async for _ in events:
            pass


async def spoken_to(
    hears: bool, source: Source, author: str = "mika", removed: bool = False
) -> tuple[list[tuple[str, Any]], Oracle]:
    """What was sent to the game within a second of a line, and what she was asked."""
    llm, sent, events = Oracle(takes=0.0), list[tuple[str, Any]](), list[Event]()
    rules = Rules(hears=hears, initiative=0.1, reasons=False)
    async with NeuroGames(
        llm, {"main": "Spark"}, lambda who, text: "", events.append, port=0, rules=rules
    ) as games:
        acted = anyio.Event()

        def send(command: str, data: Mapping[str, Any]) -> None:
            sent.append((command, data))
            if command == "action":
                acted.set()

        games.joined("main", "Noughts", "s", send)
        frame = {"command": "actions/register", "game": "Noughts", "data": {"actions": [PLACE, PASS]}}
        games.told("main", read(json.dumps(frame)), anyio.current_time())
        said = ChatLine("1", author, "put it in the middle", source)
        games.show(TurnStarted(anyio.current_time(), "main", "t1", said, False))
        if removed:
            games.show(LinesRemoved(anyio.current_time(), ("0", "1")))
        async with anyio.create_task_group() as tg:
            tg.start_soon(listen, games)
            with anyio.move_on_after(10 if hears and source in (Source.TWITCH, Source.PLAYER) else 0.5):
                await acted.wait()
            tg.cancel_scope.cancel()
    return [each for each in sent if each[0] == "action"], llm


async def test_a_wish_in_chat_moves_her_to_act() -> None:
    sent, llm = await spoken_to(True, Source.TWITCH)
    assert sent[0][1]["name"] == "place"
    assert WISH in llm.asked[0].messages[-1].content


async def test_a_player_of_the_game_is_known_there_by_name() -> None:
    _, llm = await spoken_to(True, Source.PLAYER, "mika in Noughts")
    assert WISH in llm.asked[0].messages[-1].content
    _, llm = await spoken_to(True, Source.PLAYER, "mika in Minecraft")
    assert WISH.replace("mika", "mika in Minecraft") in llm.asked[0].messages[-1].content


async def test_a_line_that_a_moderator_removed_moves_her_to_nothing() -> None:
    _, llm = await spoken_to(True, Source.TWITCH, removed=True)
    assert not any("in the middle" in prompt.messages[-1].content for prompt in llm.asked)


@pytest.mark.parametrize(
    ("hears", "source"), [(False, Source.TWITCH), (True, Source.GAME), (True, Source.HERSELF)]
)
async def test_only_where_the_rules_say_so_and_only_what_viewers_say(hears: bool, source: Source) -> None:
    _, llm = await spoken_to(hears, source)
    assert not any(WISH in prompt.messages[-1].content for prompt in llm.asked)
