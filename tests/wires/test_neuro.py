"""The Neuro Game API's server on real sockets: a foreign client, a real small model, bad days."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from glue.desk_events import OperatorServed
from glue.errors import ConfigError
from glue.events import Button, ButtonPressed, Event, LineArrived
from glue.game_events import (
    ActionChosen,
    ActionExplained,
    GameButton,
    GameChanged,
    GameFate,
    GameMessageClosed,
    GamePressed,
)
from glue.games.neuro import NeuroGames
from glue.games.player import Taste
from glue.games.rules import Rules
from glue.games.server import DISPLACED, TAKEN_OVER
from glue.mind.openai_llm import OpenAiLlm
from glue.ports import Llm
from tests.conftest import Start
from tests.games import PASS, PLACE, Oracle
from tests.wires.noughts import Noughts

pytestmark = pytest.mark.anyio
T = TypeVar("T")
CAST = {"main": "Spark", "evil": "Ember"}
THINKS: dict[str, Any] = {"llm": Oracle(takes=600.0), "taste": Taste(within=600.0)}  # until it is given up
FRAME = json.dumps({"command": "actions/force", "game": "G", "data": {"query": "Your move."}})
FLOOD = 2000  # messages, of which a game may send 400 at once and then a hundred a second


@dataclass
class Hall:
    """A server with what it told the show."""

    games: NeuroGames = field(init=False)
    events: list[Event] = field(default_factory=list)
    more: anyio.Event = field(default_factory=anyio.Event)

    def note(self, event: Event) -> None:
        self.events.append(event)
        self.more.set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.games.port}"

    def closed(self, fate: GameFate) -> list[GameMessageClosed]:
        return [e for e in self.events if isinstance(e, GameMessageClosed) and e.fate is fate]

    def chosen(self) -> list[ActionChosen]:
        return [e for e in self.events if isinstance(e, ActionChosen)]

    async def until(self, found: Callable[[], object]) -> None:
        with anyio.fail_after(30):
            while not found():
                self.more = anyio.Event()
                await self.more.wait()

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def listen(self) -> None:
        async for event in self.games.events():
            self.note(event)


@asynccontextmanager
async def opened(llm: Llm | None = None, **more: Any) -> AsyncIterator[Hall]:
    hall = Hall()
    options: dict[str, Any] = {"rules": Rules(initiative=0.0, reasons=False), "port": 0, "seed": 1, **more}
    hall.games = NeuroGames(llm or Oracle(takes=0.0), CAST, lambda who, text: "", hall.note, **options)
    async with hall.games, anyio.create_task_group() as tg:
        tg.start_soon(hall.listen)
        yield hall
        tg.cancel_scope.cancel()


async def says(socket: ClientConnection, command: str, game: str = "G", **data: object) -> None:
    await socket.send(json.dumps({"command": command, "game": game, "data": data}))


async def hears(socket: ClientConnection) -> dict[str, Any]:
    with anyio.fail_after(30):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def begins(socket: ClientConnection, game: str = "G") -> None:
    await says(socket, "startup", game)
    assert (await hears(socket))["command"] == "startup"
    await says(socket, "actions/register", game, actions=[PLACE, PASS])


async def forces(socket: ClientConnection, *names: str, game: str = "G") -> None:
    await says(socket, "actions/force", game, query="Your move.", action_names=names)


async def test_a_long_registration_leaves_everybody_else_their_turn() -> None:
    many = [{**PLACE, "name": f"a{number}"} for number in range(500)]
    async with opened() as hall, connect(hall.url) as socket, anyio.create_task_group() as tg:
        seen = set[int]()

        async def another() -> None:
            while True:
                seen.add(len(hall.closed(GameFate.TAKEN)))
                await anyio.lowlevel.checkpoint()

        await says(socket, "startup")
        await hears(socket)
        table = hall.games._plays["main", "G"].table
        tg.start_soon(another)
        await says(socket, "actions/register", actions=[*many, {}])
        await hall.until(lambda: "a499" in table.actions)
        tg.cancel_scope.cancel()
        assert len(seen) >= 20 and len(table.actions) == 500
        told = hall.closed(GameFate.TAKEN)[1:]
        assert len(told) == 20 and ["500: " in each.why for each in told] == [True] + [False] * 19


async def test_the_session_is_acknowledged_for_each_character() -> None:
    async with opened() as hall:
        for path, who in (("", "main"), ("/main", "main"), ("/evil", "evil")):
            async with connect(hall.url + path) as socket:
                await says(socket, "startup")
                session = (await hears(socket))["data"]["session"]
                assert session["characterId"] == who and session["displayName"] == CAST[who]
                assert session["sessionId"]
        with pytest.raises(InvalidStatus) as refused:
            await connect(hall.url + "/nobody")
        assert refused.value.response.status_code == 404


async def test_a_foreign_client_plays_whole_games() -> None:
    async with opened(Chance()) as hall, connect(hall.url) as socket:
        game = Noughts(socket, mistakes=2)
        with anyio.fail_after(60):
            await game.play()
        assert game.over and game.illegal == 0
        assert game.session is not None and game.session.session.display_name == "Spark"
        await hall.until(lambda: hall.of(LineArrived))
        lines = [e.line for e in hall.of(LineArrived)]
        assert lines[-1].text.startswith("The game is over") and lines[-1].author == "Noughts"
        forces = [e for e in hall.closed(GameFate.ANSWERED) if e.command == "actions/force"]
        assert len(forces) == len(game.moves)
        assert len(hall.chosen()) == len(game.moves) + 2


class Chance(Oracle):
    """Answers with the first value that the schema allows."""

    async def stream(self, prompt: Any, role: Any = None) -> AsyncIterator[str]:
        yield json.dumps({"cell": prompt.schema["properties"]["cell"]["enum"][0]})


async def test_the_foreign_client_registers_again_when_it_is_asked_to() -> None:
    async with opened(Chance()) as hall, connect(hall.url) as socket:
        game = Noughts(socket)
        with anyio.fail_after(30):
            await game.turn()  # no startup: it was there before us
            await game.read_message()  # actions/reregister_all
            await game.read_message()  # the action
        assert game.moves == [0]


@pytest.mark.slow
async def test_a_real_model_plays_and_says_why(start: Start) -> None:
    async with (
        start(llm={"model": "smollm2", "slots": 4, "threads": 2}) as engines,
        OpenAiLlm(engines.addresses["llm"], {"default": "smollm2"}, {"main": 0, "act": 3}) as llm,
        opened(llm, rules=Rules(initiative=0.0), taste=Taste(within=30.0)) as hall,
        connect(hall.url) as socket,
    ):
        game = Noughts(socket, mistakes=1)
        with anyio.fail_after(60):
            await game.play()
        assert game.illegal == 0 and game.over
        assert {e.by for e in hall.chosen()} == {"model"}
        await hall.until(lambda: hall.of(ActionExplained))


async def test_several_games_at_once_with_the_same_names() -> None:
    async with (
        opened() as hall,
        connect(hall.url) as one,
        connect(hall.url) as other,
        connect(hall.url + "/evil") as third,
    ):
        for socket, game in ((one, "A"), (other, "B"), (third, "A")):
            await begins(socket, game)
            await forces(socket, "pass", game=game)
        ids = {(await hears(socket))["data"]["id"] for socket in (one, other, third)}
        assert len(ids) == 3
        assert {(e.who, e.game) for e in hall.chosen()} == {("main", "A"), ("main", "B"), ("evil", "A")}


async def test_a_game_that_comes_back_replaces_itself_and_is_asked_for_its_actions() -> None:
    async with opened() as hall, connect(hall.url) as old, connect(hall.url) as new:
        await begins(old)
        await hall.until(lambda: any(event.actions for event in hall.of(GameChanged)))
        await says(new, "context", message="I am back.", silent=True)  # without a startup
        assert await hears(new) == {"command": "actions/reregister_all"}
        await forces(new, "pass")
        assert (await hears(new))["data"]["name"] == "pass"
        await old.close()
        await says(new, "action/result", id=hall.chosen()[0].id, success=True)
        await forces(new, "pass")
        assert (await hears(new))["command"] == "action"


async def test_of_two_connections_of_one_game_the_newer_one_is_played() -> None:
    async with opened(**THINKS) as hall, connect(hall.url) as old, connect(hall.url) as new:
        await begins(old)
        await forces(old, "place", "pass")
        await hall.until(lambda: any(event.force for event in hall.of(GameChanged)))
        await begins(new)
        with pytest.raises(ConnectionClosed) as gone, anyio.fail_after(30):
            await old.recv()
        assert gone.value.rcvd is not None
        assert (gone.value.rcvd.code, gone.value.rcvd.reason) == (TAKEN_OVER, DISPLACED)
        assert [e.why for e in hall.closed(GameFate.ABANDONED)] == ["the game went"]
        await forces(new, "pass")
        assert (await hears(new))["data"]["name"] == "pass"
        assert len(hall.chosen()) == 1  # what the older one asked is not answered to the newer one
        await hall.until(lambda: hall.of(GameChanged)[-1].connected)


async def echo(socket: ServerConnection) -> None:
    async for frame in socket:
        await socket.send(frame)


async def test_the_wire_costs_a_few_times_what_a_bare_socket_does() -> None:
    """Those of the best quarter, which nothing else on the machine delayed."""
    async with (
        opened() as hall,
        connect(hall.url, compression=None) as socket,
        serve(echo, "127.0.0.1", 0, compression=None) as bare,
        connect(f"ws://127.0.0.1:{next(iter(bare.sockets)).getsockname()[1]}", compression=None) as mirror,
    ):
        await begins(socket)
        echoes, answers = [], []
        for _ in range(60):
            began = time.perf_counter()
            await mirror.send(FRAME)
            await mirror.recv()
            echoes.append(time.perf_counter() - began)
            began = time.perf_counter()
            await forces(socket, "pass")
            action = await hears(socket)
            answers.append(time.perf_counter() - began)
            await says(socket, "action/result", id=action["data"]["id"], success=True)
        echo_s, answer_s = (statistics.quantiles(took, n=4)[0] for took in (echoes, answers))
        assert answer_s < 4 * echo_s, (echo_s, answer_s)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("not JSON", "not JSON"),
        (b'{"command": "startup", "game": "G"}', "binary"),
        ("[" * 100_000, "not JSON"),
        ('{"command": "context", "game": "G", "data": {"message": 5, "silent": true}}', "'message'"),
        ('{"command": "startup"}', "'game'"),
    ],
)
async def test_nonsense_is_noted_and_the_game_goes_on(frame: str | bytes, why: str) -> None:
    async with opened() as hall, connect(hall.url) as socket:
        await begins(socket)
        await socket.send(frame)
        await forces(socket, "pass")
        assert (await hears(socket))["data"]["name"] == "pass"
        assert why in hall.closed(GameFate.UNREADABLE)[0].why


async def test_unknown_commands_and_ids_are_noted() -> None:
    async with opened() as hall, connect(hall.url) as socket:
        await says(socket, "startup")
        await says(socket, "neuro-relay/hello", anything=[1])
        await says(socket, "action/result", id="?", success=True)
        await hall.until(lambda: len(hall.of(GameMessageClosed)) == 3)
        assert len(hall.closed(GameFate.UNKNOWN)) == 2


async def test_a_giant_frame_ends_its_connection_and_no_other() -> None:
    async with opened() as hall, connect(hall.url) as giant, connect(hall.url) as other:
        await begins(giant, "Giant")
        await begins(other)
        await giant.send(
            json.dumps({"command": "context", "game": "Giant", "data": {"message": "x" * 10**6}})
        )
        with pytest.raises(ConnectionClosed) as gone:
            await giant.recv()
        assert gone.value.rcvd is not None and gone.value.rcvd.code == 1009
        await forces(other, "pass")
        await hears(other)
        await hall.until(lambda: any(not e.connected for e in hall.of(GameChanged) if e.game == "Giant"))


async def test_endless_nonsense_ends_the_connection() -> None:
    async with opened() as hall, connect(hall.url) as socket:
        with pytest.raises(ConnectionClosed):
            for _ in range(1000):
                await socket.send("?")
            await socket.recv()


async def test_a_game_that_vanishes_in_the_middle_of_a_force() -> None:
    async with opened(**THINKS) as hall:
        async with connect(hall.url) as socket:
            await begins(socket)
            await forces(socket, "place", "pass")
            await hall.until(lambda: any(event.force for event in hall.of(GameChanged)))
        await hall.until(lambda: hall.closed(GameFate.ABANDONED))
        async with connect(hall.url) as socket:
            await begins(socket)
            await forces(socket, "pass")
            assert (await hears(socket))["data"]["name"] == "pass"


async def test_a_game_that_never_reads_is_let_go_and_harms_nobody() -> None:
    async with opened() as hall, connect(hall.url, max_queue=1) as deaf, connect(hall.url) as other:
        await begins(other)
        with pytest.raises(ConnectionClosed):
            with anyio.fail_after(20):
                while True:  # each is answered, and no answer is read
                    await says(deaf, "startup", "x" * 80)
        await forces(other, "pass")
        await hears(other)
        assert hall


async def test_a_flood_of_contexts_waits_in_its_socket() -> None:
    async with opened() as hall, connect(hall.url) as flood, connect(hall.url) as other:
        await begins(other)
        for number in range(FLOOD):
            await says(flood, "context", "Flood", message=f"thing {number}", silent=False)
        await forces(other, "pass")
        await hears(other)
        taken = sum(event.game == "Flood" for event in hall.of(GameMessageClosed))
        assert taken < FLOOD / 2, "the other one's turn came after all of them"
        assert len(hall.of(LineArrived)) <= 1


@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        ({}, True),
        ({"Origin": "http://localhost:5173"}, True),
        ({"Origin": "https://games.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
        ({"Host": "rebound.example:8000"}, False),
    ],
)
async def test_who_may_connect(headers: dict[str, str], welcome: bool) -> None:
    async with opened(origins=["https://games.example"]) as hall:
        host = dict(headers).pop("Host", None)
        if host is not None:
            dial = connect(f"ws://{host}", host="127.0.0.1", port=hall.games.port)
        else:
            dial = connect(hall.url, additional_headers=headers)
        if welcome:
            async with dial as socket:
                await begins(socket)
            return
        with pytest.raises(InvalidStatus) as refused:
            await dial
        assert refused.value.response.status_code in (400, 403)


async def test_a_token_where_one_is_set() -> None:
    async with opened(token="secret") as hall:
        async with connect(f"{hall.url}/?token=secret") as socket:
            await begins(socket)
        for path in ("", "/?token=", "/?token=wrong"):
            with pytest.raises(InvalidStatus):
                await connect(hall.url + path)


async def test_only_loopback_and_a_free_port() -> None:
    async with opened() as hall:
        for host, port, why in (
            ("0.0.0.0", 0, "not loopback"),
            ("127.0.0.1", hall.games.port, "cannot be opened"),
        ):
            with pytest.raises(ConfigError, match=why):
                async with NeuroGames(Oracle(), CAST, lambda who, text: "", hall.events.append, host, port):
                    pass


async def test_stop_everything_stops_games_too() -> None:
    async with opened() as hall, connect(hall.url) as socket:
        await begins(socket)
        await hall.until(lambda: any(event.actions for event in hall.of(GameChanged)))
        hall.games.show(ButtonPressed(0.0, Button.STOP))
        await forces(socket, "pass")
        await hall.until(lambda: any(event.paused and event.force for event in hall.of(GameChanged)))
        assert not hall.chosen()
        hall.games.show(ButtonPressed(1.0, Button.GO))
        assert (await hears(socket))["data"]["name"] == "pass"


async def test_the_operators_buttons_reach_the_game() -> None:
    async with opened() as hall, connect(hall.url) as socket:
        await begins(socket)
        await hall.until(lambda: any(event.actions for event in hall.of(GameChanged)))
        hall.games.show(GamePressed(0.0, "G", GameButton.FORCE, 'place {"cell": 8}'))
        assert (await hears(socket))["data"]["data"] == '{"cell": 8}'
        hall.games.show(GamePressed(1.0, "Go", GameButton.PAUSE))
        assert [(e.what, e.done, e.effect) for e in hall.of(OperatorServed)] == [
            ("game", True, 'G: force place {"cell": 8}'),
            ("game", False, "no game 'Go'; the games are: G"),
        ]


ODD = {"name": "odd", "schema": {"type": 1}}
ABOUT = [f"actions/{what}" for what in ("register", "unregister", "force")]
COMMANDS = ["startup", "context", "action/result", *ABOUT]
DATA = {
    "message": st.text(max_size=9),
    "silent": st.booleans(),
    "id": st.text(max_size=4),
    "success": st.booleans(),
    "query": st.text(max_size=9),
    "action_names": st.lists(st.sampled_from(["place", "pass", "odd"]), max_size=3),
    "actions": st.lists(st.sampled_from([PLACE, PASS, ODD, 7]), max_size=3),
    "priority": st.sampled_from(["low", "critical", "?"]),
}
MESSAGES = st.tuples(st.sampled_from(COMMANDS), st.fixed_dictionaries({}, optional=DATA))


@given(st.lists(MESSAGES, max_size=25))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_whatever_a_game_sends_in_whatever_order_it_can_go_on(
    script: list[tuple[str, dict[str, Any]]],
) -> None:
    async def perform() -> None:
        async with opened() as hall, connect(hall.url, compression=None) as socket:
            for command, data in script:
                await says(socket, command, **data)
            await says(socket, "startup")
            await says(socket, "actions/register", actions=[PASS])
            pending = True
            await forces(socket, "pass")
            while pending:
                message = await hears(socket)
                if message["command"] == "action":
                    pending = message["data"]["name"] != "pass" or "data" in message["data"]
                    await says(socket, "action/result", id=message["data"]["id"], success=True)
            numbers = [e.number for e in hall.of(GameMessageClosed)]
            assert len(numbers) == len(set(numbers))

    anyio.run(perform)
