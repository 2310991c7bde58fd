"""Where the rules say so, what a viewer says to her reaches the game that she plays, and may move her."""

import json
from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from glue.chat_events import LinesRemoved
from glue.closing import closing
from glue.events import ChatLine, Event, LineArrived, Source, TurnStarted
from glue.games.asking import may_ask
from glue.games.messages import read
from glue.games.neuro import KNOWN, NeuroGames
from glue.games.rules import Rules
from tests.games import PASS, PLACE, Oracle

pytestmark = pytest.mark.anyio
WISH = 'mika says in chat: "put it in the middle"'


def line(text: str) -> ChatLine:
    return ChatLine("l1", "mika", text, Source.TWITCH)


async def listen(games: NeuroGames) -> None:
    """As the show does: games are played from then on."""
    async with closing(games.events()) as events:
        async for _ in events:
            pass


async def spoken_to(
    hears: bool,
    source: Source,
    author: str = "mika",
    removed: bool = False,
    text: str = "put it in the middle",
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
        said = ChatLine("1", author, text, source)
        games.show(TurnStarted(anyio.current_time(), "main", "t1", said, False))
        if removed:
            games.show(LinesRemoved(anyio.current_time(), ("0", "1")))
        async with anyio.create_task_group() as tg:
            tg.start_soon(listen, games)
            asked = may_ask(text, [])
            with anyio.move_on_after(
                10 if asked and hears and source in (Source.TWITCH, Source.PLAYER) else 0.5
            ):
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


async def test_what_is_asked_about_a_game_is_told_of_that_one() -> None:
    async with NeuroGames(
        Oracle(), {"main": "Spark"}, lambda who, text: "", lambda event: None, port=0
    ) as games:
        for game, state in (("Chess", "You are winning."), ("Minecraft", "You have: 3 dirt.")):
            games.joined("main", game, game, lambda command, data: None)
            told = {"message": state, "silent": True, "spark": {"standing": True}}
            frame = {"command": "context", "game": game, "data": told}
            games.told("main", read(json.dumps(frame)), anyio.current_time())
        assert games.facts("main", line("are you winning at chess?")) == ["In Chess now: I am winning."]
        assert games.facts("main", line("what do you have?")) == ["In Minecraft now: I have: 3 dirt."]
        assert games.facts("evil", line("what do you have?")) == []


@pytest.mark.parametrize(("source", "counts"), [(Source.TWITCH, True), (Source.GAME, False)])
async def test_a_person_who_writes_is_a_reaction_and_another_game_is_none(
    source: Source, counts: bool
) -> None:
    events: list[Event] = []
    async with NeuroGames(Oracle(), {"main": "Spark"}, lambda who, text: "", events.append, port=0) as games:
        games.joined("main", "Noughts", "s", lambda command, data: None)
        (play,) = games._plays.values()
        for second in (0, 100, 200):
            play.table.mentions.mention("It rains.", second)
        games.show(LineArrived(201.0, ChatLine("l1", "mika", "nice", source)))
        assert play.table.mentions.mention("It pours.", 213) is counts


async def test_a_game_that_is_forgotten_is_forgotten_whole() -> None:
    async with NeuroGames(
        Oracle(), {"main": "Spark"}, lambda who, text: "", lambda event: None, port=0
    ) as games:
        for number in range(KNOWN + 3):
            games.joined("main", f"g{number}", "s", lambda command, data: None)
            games.left("main", f"g{number}", "s", "it closed the connection")
        newest = [("main", f"g{number}") for number in range(3, KNOWN + 3)]
        assert list(games._plays) == newest and list(games._sessions) == newest


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Spark, dig a hole", ["In Minecraft: I'll dig a hole."]),
        ("dig a hole and put torches around it", ["In Minecraft I have not begun this yet."]),
        ("do you like trains?", []),
        ("did you dig a hole?", ["In Minecraft: Not since I came in."]),
    ],
)
async def test_she_knows_whether_she_does_what_is_asked_of_her(asked: str, told: list[str]) -> None:
    async with NeuroGames(
        Oracle(), {"main": "Spark"}, lambda who, text: "", lambda event: None, rules=Rules(hears=True), port=0
    ) as games:
        games.joined("main", "Minecraft", "m", lambda command, data: None)
        actions = [{"name": "dig_hole", "description": "Dig."}]
        stands = {"message": "You stand.", "silent": True, "spark": {"standing": True, "takes": ["dig_hole"]}}
        for command, data in (("actions/register", {"actions": actions}), ("context", stands)):
            frame = {"command": command, "game": "Minecraft", "data": data}
            games.told("main", read(json.dumps(frame)), anyio.current_time())
        assert games.facts("main", line(asked)) == told


async def test_a_line_that_is_about_anything_else_is_none_of_the_games_business() -> None:
    _, llm = await spoken_to(True, Source.TWITCH, text="so what are you, a toaster with opinions?")
    assert llm.asked and not any("toaster" in prompt.messages[-1].content for prompt in llm.asked)


@pytest.mark.parametrize(
    ("hears", "source"),
    [(False, Source.TWITCH), (True, Source.GAME), (True, Source.HERSELF), (True, Source.TWIN)],
)
async def test_only_where_the_rules_say_so_and_only_what_viewers_say(hears: bool, source: Source) -> None:
    _, llm = await spoken_to(hears, source)
    assert not any(WISH in prompt.messages[-1].content for prompt in llm.asked)
