"""The board as a process, on the real game wire: against stockfish and chat, killed, lied to, looked at."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus

from engines.chess import seat
from engines.chess.options import Missing, stockfish
from engines.port import unused
from glue.chat_events import LinesRemoved
from glue.closing import closing
from glue.events import ChatLine, Event, Source
from glue.game_events import GamesPlayed
from glue.games.chess_chat import ChessChat
from glue.games.messages import Context, Force, Message, Register, Result
from glue.games.neuro import NeuroGames
from glue.games.server import DISPLACED, TAKEN_OVER, Server, bound
from glue.supervise import supervise
from tests.chromium import chromium
from tests.conftest import Start
from tests.games import Oracle
from tests.need import need, need_package
from tests.waiting import eventually

need_package("chess", "uv sync --all-extras --inexact")

import chess  # noqa: E402  (after the skip)
import chess.pgn  # noqa: E402

pytestmark = pytest.mark.anyio
MATE_IN_ONE = "6k1/5ppp/8/8/8/8/8/R6K w - - 0 1"


def need_stockfish() -> None:
    """Debian's, or another on PATH."""
    found = ""
    with suppress(Missing):
        found = stockfish("")
    need(found, "stockfish", "sudo apt install stockfish")


@dataclass
class Her:
    """Who plays behind the wire's real server: by chance, and first with `lies`, which are no legal moves."""

    lies: list[dict[str, object]] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(3))
    moves: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    stands: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    forces: list[Force] = field(default_factory=list)
    idle: bool = False
    _ids: Iterator[int] = field(default_factory=count)

    def joined(
        self, who: str, game: str, session: str, send: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        self._send = send

    def left(self, who: str, game: str, session: str, why: str) -> None:
        pass

    def puzzled(self, who: str, game: str, text: str, why: str) -> None:
        raise AssertionError(f"the board sent nonsense: {why}: {text}")

    def hears(self, who: str, message: Message, now: float) -> None:
        match message.body:
            case Register((action,)):
                self.moves = list((action.schema or {})["properties"]["move"]["enum"])
            case Force() as force:
                self.forces.append(force)
                self.act()
            case Result() as result:
                self.results.append(result)
                if not result.success and "turn" not in result.message:
                    self.act()
            case Context(text, standing=True):
                self.stands.append(text)
            case Context(text):
                self.told.append(text)

    def act(self) -> None:
        if self.idle:
            return
        lie = self.lies.pop(0) if self.lies else None
        data = lie or {"name": "move", "data": json.dumps({"move": self.random.choice(self.moves)})}
        self._send("action", {"id": str(next(self._ids)), **data})

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        host = _Host(self)
        async with Server(host, {"main": "Spark"}).serving(bound("127.0.0.1", 0)) as port:
            yield f"ws://localhost:{port}"


class _Host:
    """The server's Host; Her.told is a list."""

    def __init__(self, her: Her) -> None:
        self.joined, self.left, self.puzzled, self.told = her.joined, her.left, her.puzzled, her.hears


def games(folder: Path) -> list[chess.pgn.Game]:
    found = []
    for path in sorted(folder.glob("chess-*.pgn")):
        with path.open() as file:
            game = chess.pgn.read_game(file)
        assert game is not None and game.errors == []
        found.append(game)
    return found


def results(folder: Path) -> list[str]:
    return [game.headers["Result"] for game in games(folder)]


def figures(folder: Path) -> dict[str, Any]:
    """What the games amount to; none before the board has counted them."""
    path = folder / "played.json"
    return dict(json.loads(path.read_text())) if path.exists() else {"games": 0}


def options(url: str, **more: object) -> dict[str, object]:
    return {"server": url, "pause_s": 0.0, "think_s": 0.005, "seed": 5, **more}


LIES: list[dict[str, object]] = [
    {"name": "move", "data": '{"move": "Ke8"}'},
    {"name": "move", "data": '{"move": "Ke4"}'},
    {"name": "move", "data": '{"move": ["e4"]}'},
    {"name": "move", "data": '{"move": "e2e4"}'},  # legal, and not as it was offered
    {"name": "move", "data": "e4"},
    {"name": "move"},
    {"name": "castle", "data": '{"move": "e4"}'},
]


async def test_games_against_stockfish_without_an_illegal_move(start: Start, tmp_path: Path) -> None:
    need_stockfish()
    her = Her(lies=list(LIES))
    async with her.served() as url, start(chess=options(url, opponent="stockfish", games=2, level=0)):
        await eventually(lambda: figures(tmp_path)["games"] == 2, 60)
        took = figures(tmp_path)["move_ms"]
        await eventually(lambda: sum(result.success for result in her.results) == took["n"])
    first, second = games(tmp_path)
    assert (first.headers["White"], second.headers["White"]) == ("Spark", "Stockfish")
    told = figures(tmp_path)
    assert (told["games"], told["illegal_moves"]) == (2, 0)
    assert (told["refused"], told["illegal_attempts"]) == (len(LIES), 2), "Ke8 and Ke4"
    assert 0 <= took["p50"] <= took["p95"]  # she answers at once here
    assert all(force.ephemeral and force.names == ("move",) for force in her.forces)
    assert any(
        "Checkmate" in said or "draw" in said for said in [*her.told, *(r.message for r in her.results)]
    )


async def test_a_game_that_takes_too_long_is_stopped_and_counted(start: Start, tmp_path: Path) -> None:
    need_stockfish()
    her = Her()
    ahead = "3qk3/8/8/8/8/8/8/4K3 w - - 0 1"  # a queen, for black
    more = {"opponent": "stockfish", "games": 2, "most_moves": 2, "side": "white", "start": ahead}
    async with her.served() as url, start(chess=options(url, think_s=0.001, level=0, **{**more, "seed": 1})):
        await eventually(lambda: figures(tmp_path)["games"] == 2)
        await eventually(lambda: "2 lost" in (her.stands or [""])[-1])
    for game in games(tmp_path):
        assert (game.headers["Termination"], game.headers["Result"]) == ("adjudication", "0-1")
        assert len(list(game.mainline_moves())) == 4
    assert figures(tmp_path)["adjudicated"] == 2
    assert her.told.count("The game was stopped and counted: Stockfish won.") == 2


async def test_all_games_are_bounded_in_time(start: Start, tmp_path: Path) -> None:
    need_stockfish()
    her, token = Her(), tmp_path / "token"
    more = {"opponent": "stockfish", "games": 1000, "within_s": 1.0, "pause_s": 0.05}
    async with her.served() as url, start(chess=options(url, **more) | {"token_file": str(token)}) as engines:
        address = f"{engines.addresses['chess'].replace('http', 'ws')}/feed?token={token.read_text().strip()}"
        async with connect(address) as feed:
            await _picture(feed, lambda seen: seen["over"])
    assert results(tmp_path)[-1] != "*"
    assert 1 <= figures(tmp_path)["games"] < 1000


async def test_votes_that_never_come_are_bounded_in_time_too(start: Start, tmp_path: Path) -> None:
    her, token = Her(), tmp_path / "token"
    more = {"side": "black", "games": 1000, "within_s": 1.0, "vote_s": 60, "pause_s": 0.05}
    async with her.served() as url, start(chess=options(url, **more) | {"token_file": str(token)}) as engines:
        address = f"{engines.addresses['chess'].replace('http', 'ws')}/feed?token={token.read_text().strip()}"
        async with connect(address) as feed:
            await _picture(feed, lambda seen: seen["over"])
    assert figures(tmp_path)["games"] == 1


async def test_whoever_asks_is_told_how_it_stands_between_two_moves(start: Start, tmp_path: Path) -> None:
    """Her side is the show's own: a decision's state is forgotten with it, how it stands is not."""
    oracle, events = Oracle(('{"move": "e4"}',), takes=0.0), list[Event]()
    async with NeuroGames(oracle, {"main": "Spark"}, lambda who, text: "", events.append, port=0) as games:
        more = {"side": "white", "games": 1, "vote_s": 60}  # nobody votes
        async with (
            start(chess=options(f"ws://localhost:{games.port}", **more)),
            anyio.create_task_group() as tg,
        ):

            async def plays() -> None:
                async for _ in games.events():
                    pass

            tg.start_soon(plays)
            await eventually(
                lambda: (
                    "Chat is to move"
                    in "".join(games.facts("main", ChatLine("l", "mika", "who is winning?", Source.CONSOLE)))
                )
            )
            (said,) = games.facts("main", ChatLine("l", "mika", "who is winning?", Source.CONSOLE))
            tg.cancel_scope.cancel()
    assert said.startswith("In Chess now: Game 1, move 1: I am white against Chat. Material is even.")


async def test_a_move_out_of_turn_is_an_illegal_attempt(start: Start, tmp_path: Path) -> None:
    her = Her()
    more = {"side": "white", "games": 1, "vote_s": 60}  # nobody votes: after her first move chat is to move
    async with her.served() as url, start(chess=options(url, **more)):
        await eventually(lambda: her.results)
        her._send("action", {"id": "late", "name": "move", "data": json.dumps({"move": "e4"})})
        await eventually(lambda: her.results[1:])
    (game,) = games(tmp_path)
    assert not her.results[1].success and len(list(game.mainline_moves())) == 1
    assert (game.headers["Refused"], game.headers["IllegalAttempts"]) == ("1", "1")


async def test_stockfish_advises_her(start: Start, tmp_path: Path) -> None:
    need_stockfish()
    her = Her()
    more = {"brain": "assisted", "opponent": "stockfish", "side": "white", "games": 1, "start": MATE_IN_ONE}
    async with her.served() as url, start(chess=options(url, think_s=0.05, **more)):
        # all but one lose so much that she is not offered them
        await eventually(lambda: results(tmp_path) == ["1-0"])
    assert "Ra8#" in her.forces[0].state and her.results[0].success


async def test_killed_it_goes_on_with_the_same_game(start: Start, tmp_path: Path) -> None:
    need_stockfish()
    her = Her()
    plays = options("", opponent="stockfish", games=1, level=0, pause_s=0.02)
    async with her.served() as url, start(chess=plays | {"server": url}) as engines:
        await eventually(lambda: [game for game in games(tmp_path) if len(list(game.mainline_moves())) >= 8])
        first = engines.pids["chess"]
        os.kill(first, signal.SIGKILL)
        before = list(games(tmp_path)[0].mainline_moves())
        await eventually(lambda: engines.pids.get("chess", first) != first)
        await eventually(lambda: results(tmp_path)[0] != "*", 60)
    (game,) = games(tmp_path)
    assert list(game.mainline_moves())[: len(before)] == before
    assert any("goes on" in said for said in her.told)


async def test_a_connection_that_breaks_while_she_thinks_costs_no_move(start: Start, tmp_path: Path) -> None:
    need_stockfish()
    her, port = Her(idle=True), unused()
    plays = options(f"ws://localhost:{port}", opponent="stockfish", side="white", games=1, level=0)
    async with start(chess=plays):
        async with Server(_Host(her), {"main": "Spark"}).serving(bound("127.0.0.1", port)):
            await eventually(lambda: her.forces)
        her.idle = False
        async with Server(_Host(her), {"main": "Spark"}).serving(bound("127.0.0.1", port)):
            await eventually(lambda: len(her.results) >= 3)
    assert all(result.success for result in her.results)


def line(author: str, text: str, source: Source = Source.TWITCH) -> ChatLine:
    return ChatLine(f"{author}-{text}", author, text, source)


@asynccontextmanager
async def adapter(address: str, token_file: Path) -> AsyncIterator[ChessChat]:
    """The show's side of the votes, supervised as in a show."""
    ready = anyio.Event()
    async with ChessChat(address, str(token_file)) as chat, anyio.create_task_group() as tg:

        async def run(works: Callable[[], None]) -> None:
            def connected() -> None:
                works()
                ready.set()

            await chat.run(connected)

        tg.start_soon(supervise, "chess", run, lambda event: None)
        await ready.wait()
        yield chat
        tg.cancel_scope.cancel()


async def test_chat_votes_and_the_last_game_ends_the_show(start: Start, tmp_path: Path) -> None:
    her, token = Her(), tmp_path / "token"
    more = {"side": "black", "games": 1, "start": MATE_IN_ONE, "vote_s": 4.0, "token_file": str(token)}
    async with her.served() as url, start(chess=options(url, **more)) as engines:
        address = engines.addresses["chess"].replace("http", "ws")
        async with (
            adapter(address, token) as chat,
            connect(f"{address}/feed?token={token.read_text().strip()}") as feed,
        ):
            # with time left for all of them
            await _picture(feed, lambda seen: (seen["closes_in"] or 0.0) > 3.0)
            votes = [("mika", "!Ra8"), ("mika", "ra7"), ("mika", "ra8"), ("bo", "Ra8#"), ("raider", "Kg1")]
            assert all(chat.takes(line(*vote)) for vote in votes)
            assert chat.takes(line("mika", "Kg1", Source.YOUTUBE))  # somebody else of that name
            assert chat.takes(line("lee", "e5"))  # no legal move: for nobody
            for other in (line("game", "Kg1", Source.GAME), line("lee", "castle now"), line("lee", "Ra9")):
                assert not chat.takes(other)
            chat.show(LinesRemoved(0.0, (*(f"twitch-{n}" for n in range(10_000)), "raider-Kg1")))
            seen = await _picture(feed, lambda seen: seen["voters"] == 3)
            assert seen["votes"] == [["Ra8#", 2], ["Kg1", 1]]
            with anyio.fail_after(60):
                async with closing(chat.events()) as events:
                    assert [type(event) async for event in events] == [GamesPlayed]
    assert results(tmp_path) == ["1-0"]
    assert [str(move) for move in games(tmp_path)[0].mainline_moves()] == ["a1a8"]
    assert any(
        said == "By 2 of 3 votes, Chat moved the rook to a8, checkmate. Checkmate: Chat won."
        for said in her.told
    )


async def _picture(feed: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    with anyio.fail_after(60):
        async for frame in feed:
            if wanted(seen := json.loads(frame)):
                return dict(seen)
    raise AssertionError("the board hung up")


async def test_only_who_has_the_token_gets_in(start: Start, tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with start(chess=options("ws://localhost:1", token_file=str(token))) as engines:
        address = engines.addresses["chess"]
        key = {"token": token.read_text().strip()}
        assert token.stat().st_mode & 0o077 == 0
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address}/", params=key)).status_code == 200
            assert "Content-Security-Policy" in (await client.get(f"{address}/main.js")).headers
            for params, headers in (
                ({}, {}),
                ({"token": "guess"}, {}),
                (key, {"Host": "evil.example"}),
                (key, {"Origin": "http://evil.example"}),
                (key, {"Origin": "http://["}),
            ):
                assert (await client.get(f"{address}/", params=params, headers=headers)).status_code == 403
        for query, origin in (("", None), (f"?token={key['token']}", "http://evil.example")):
            with pytest.raises(InvalidStatus):
                await connect(f"{address.replace('http', 'ws')}/feed{query}", origin=origin)  # type: ignore[arg-type]


@pytest.mark.browser
async def test_the_page_draws_the_board_and_the_votes(start: Start, tmp_path: Path) -> None:
    her, token = Her(), tmp_path / "token"
    more = {"side": "black", "games": 1, "vote_s": 60, "token_file": str(token)}
    async with her.served() as url, start(chess=options(url, **more)) as engines, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{engines.addresses['chess']}/?token={token.read_text().strip()}")
        await page.locator("#status", has_text="Chat votes").wait_for()
        assert await page.locator(".piece").count() == 32
        knight, pawn = page.locator('[data-square="g1"]'), page.locator('[data-square="e2"]')
        assert await pawn.evaluate("(g) => g.className.baseVal") == "piece white"
        left, right = await knight.bounding_box(), await page.locator('[data-square="a1"]').bounding_box()
        assert left and right and left["x"] > right["x"]  # chat is white, and sees the board from there
        async with adapter(engines.addresses["chess"].replace("http", "ws"), token) as chat:
            for number in range(5):
                assert chat.takes(line(f"viewer {number}", "e4" if number else "d4"))
            await page.locator("#votes li", has_text="e4").get_by_text("4", exact=True).wait_for()
        assert await page.locator("#clock").is_visible()
        await page.screenshot(path=tmp_path / "board.png")
        assert errors == []


async def test_of_two_seats_the_one_that_was_displaced_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two took the game from each other five times a second, for as long as both were there."""

    class Enough(Exception):
        """How long it waits."""

    async def rest(seconds: float) -> None:
        raise Enough(seconds)

    async def taken_over(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(TAKEN_OVER, DISPLACED)

    async def hung_up(socket: ServerConnection) -> None:
        await socket.recv()

    monkeypatch.setattr(seat, "asyncio", SimpleNamespace(sleep=rest))
    for treat, waits in ((taken_over, seat.YIELD_S), (hung_up, seat.BACK_OFF[0])):
        async with serve(treat, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            with anyio.fail_after(30), pytest.raises(Enough) as caught:
                await seat.Seat(f"ws://127.0.0.1:{port}", "low", 60.0).run()
        assert caught.value.args == (waits,)
