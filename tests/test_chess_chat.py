"""Chess in the show: its config, its end, and its figures in the report; without a board."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from engines.specs import specs
from glue.app import check
from glue.chat_events import LinesRemoved
from glue.director import Director
from glue.errors import ConfigError, Unreachable
from glue.events import (
    Button,
    ButtonPressed,
    ChatLine,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    TurnEnded,
)
from glue.game_events import GamesPlayed
from glue.games.chess_chat import ChessChat
from glue.journal import Journal
from glue.report.write import write
from glue.safety.door import Door
from glue.settings import DirectorSettings, SafetySettings
from glue.show import Show
from glue.supervise import Patience, supervise
from tests.core import Scene, line
from tests.test_conf import composed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class LastGame:
    """A sense: a line, and while she answers it the last game ends; another line comes too late."""

    async def events(self) -> AsyncIterator[Event]:
        yield LineArrived(anyio.current_time(), line("Tell me everything, Spark!"))
        await anyio.sleep(1.0)
        yield GamesPlayed(anyio.current_time(), "Chess")
        yield LineArrived(anyio.current_time(), ChatLine("l2", "bo", "And now, Spark?", Source.CONSOLE))
        await anyio.sleep_forever()


class Notes:
    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def show(self, event: Event) -> None:
        self._events.append(event)


async def test_the_last_game_ends_the_show_when_she_has_finished() -> None:
    scene = Scene()
    director = Director(["main"], DirectorSettings())
    show = Show(
        {"main": scene.member()},
        director,
        [Notes(scene.events)],
        scene.settings,
        lambda _: None,
        lambda _: None,
    )
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([LastGame()])
        tg.cancel_scope.cancel()
    (ended,) = [event for event in scene.events if isinstance(event, TurnEnded)]
    assert ended.ending is Ending.FINISHED and ended.heard


class Votes:
    """A sense: votes and a question, while chat is open and while it is paused; and the operator's vote."""

    async def events(self) -> AsyncIterator[Event]:
        now = anyio.current_time()
        for button in (None, Button.PAUSE_CHAT):
            if button:
                yield ButtonPressed(now, button)
            for text in ("e4", "!Nf3", "What is e4, Spark?"):
                yield LineArrived(now, ChatLine(f"{text} {button}", "bo", text, Source.TWITCH))
        yield LineArrived(now, ChatLine("own", "operator", "d4", Source.CONSOLE))


async def test_a_vote_is_counted_and_not_answered() -> None:
    scene = Scene()
    async with ChessChat() as chat, anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        show = Show(
            {"main": scene.member()},
            Director(["main"], DirectorSettings()),
            [Notes(scene.events)],
            scene.settings,
            lambda _: None,
            lambda _: None,
            ends_with_chat=True,
            takers=[chat],
        )
        await show.run([Votes()])
        tg.cancel_scope.cancel()
    fates = {event.line_id: event.fate for event in scene.events if isinstance(event, LineClosed)}
    voted, paused = Fate.VOTED, Fate.PAUSED
    assert list(fates.values()).count(paused) == 3 and fates["own"] is voted
    assert fates["e4 None"] is fates["!Nf3 None"] is voted
    assert fates["What is e4, Spark? None"] is Fate.ANSWERED


class Undecided:
    """A sense: one viewer votes again and again."""

    async def events(self) -> AsyncIterator[Event]:
        for number, text in enumerate(("e4", "d4", "c4", "hello Spark", "Nf3", "hello again, Spark")):
            await anyio.sleep(0.1)
            yield LineArrived(anyio.current_time(), ChatLine(str(number), "bo", text, Source.TWITCH))


async def test_every_vote_is_counted_however_fast_they_come() -> None:
    scene, chat, door = Scene(), ChessChat(), Door(SafetySettings(overall=1))
    door.slow_down(15.0)
    show = Show(
        {"main": scene.member()},
        Director(["main"], DirectorSettings()),
        [Notes(scene.events)],
        scene.settings,
        lambda _: None,
        lambda _: None,
        ends_with_chat=True,
        door=door,
        takers=[chat],
    )
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([Undecided()])
        tg.cancel_scope.cancel()
    fates = {event.line_id: event.fate for event in scene.events if isinstance(event, LineClosed)}
    assert [fates[str(number)] for number in (0, 1, 2, 4)] == [Fate.VOTED] * 4
    assert (fates["3"], fates["5"]) == (Fate.ANSWERED, Fate.OVERFLOW)


@dataclass
class Board:
    """Keeps what it is told; hangs up on the first removal, as if it had not arrived."""

    told: list[dict[str, object]] = field(default_factory=list)
    largest: int = 0
    hung_up: bool = False

    async def serve(self, socket: ServerConnection) -> None:
        async for frame in socket:
            self.largest = max(self.largest, len(str(frame).encode()))
            message = json.loads(frame)
            if "removed" in message and not self.hung_up:
                self.hung_up = True
                socket.transport.abort()
                return
            self.told.append(message)

    def removed(self) -> list[object]:
        return [id for message in self.told for id in message.get("removed", [])]  # type: ignore[attr-defined]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_removed_votes_reach_the_board_and_nothing_else_does() -> None:
    """A moderator clears a chat of 10,000 lines, and the board hangs up meanwhile."""
    board, events = Board(), list[Event]()
    votes = [ChatLine(f"youtube-{n:♙>120}", f"v{n}", "e4", Source.YOUTUBE) for n in range(900)]
    everybody = tuple(f"twitch-{n}" for n in range(10_000)) + tuple(vote.id for vote in votes)
    async with serve(board.serve, "127.0.0.1", 0, max_size=1 << 16) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with ChessChat(f"ws://127.0.0.1:{port}") as chat, anyio.create_task_group() as tg:
            patience = Patience(first=0.01, most=0.1, settled=0.01)
            tg.start_soon(partial(supervise, "chess", chat.run, events.append, patience))
            while not board.told:  # the board has the first vote
                chat.takes(votes[0])
                await anyio.sleep(0.02)
            for vote in votes[1:]:
                assert chat.takes(vote)
            chat.show(LinesRemoved(0.0, everybody))
            with anyio.fail_after(20):
                while len(board.removed()) < len(votes):  # noqa: ASYNC110  # nobody says when
                    await anyio.sleep(0.01)
            assert chat.takes(ChatLine("new", "v1", "d4", Source.YOUTUBE))
            with anyio.fail_after(20):
                while board.told[-1].get("line") != "new":  # noqa: ASYNC110  # nobody says when
                    await anyio.sleep(0.01)
            tg.cancel_scope.cancel()
    assert board.hung_up and board.largest < 1 << 16
    assert set(board.removed()) == {vote.id for vote in votes}
    asked = [message["line"] for message in board.told if "line" in message]
    assert set(asked) <= {votes[0].id, "new"}, "a vote that was removed before it was sent is not sent"


@pytest.mark.parametrize("address", ["ws://", "ws://127.0.0.1:x", "ws://[::1", "ws://a..b"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_address_that_is_none_is_told_without_the_token(address: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    with pytest.raises(Unreachable, match=r"is no address \(\w+\); cure: chess") as told:
        await ChessChat(address, str(tmp_path / "token")).run(lambda: None)
    assert "secret" not in str(told.value)


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[!a-hKQRBNO0-9x=+# -]{1,12}", fullmatch=True)))
def test_a_vote_looks_like_a_move(text: str) -> None:
    taken = ChessChat().takes(ChatLine("l", "bo", text, Source.TWITCH))
    assert not taken or any(char in "12345678Oo0" for char in text)


def test_the_shows_config() -> None:
    cfg = composed("+show=chess", "chess.games=20", "chess.opponent=stockfish", "games.adapter.port=8123")
    check(cfg)
    (board,) = specs(cfg, ["chess"])
    for word in ("games=20", 'opponent="stockfish"', 'server="ws://localhost:8123"'):
        assert word in board.argv
    with pytest.raises(ConfigError, match="games=neuro"):
        check(composed("chess=board", "games=none"))
    with pytest.raises(ConfigError, match=r"chess\.level"):
        check(composed("+show=chess", "+chess.level=3"))
    with pytest.raises(ConfigError, match=r"chess\.adapter\.address"):
        ChessChat("localhost:8029")


@pytest.mark.parametrize(("left", "games"), [("{", None), ('{"games": 3, "illegal_moves": 0}', 3)])
def test_what_was_played_stands_in_the_report(tmp_path: Path, left: str, games: int | None) -> None:
    with Journal(tmp_path / "journal.jsonl", {}):
        pass
    (tmp_path / "played.json").write_text(left)
    write(tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())
    assert found.get("games") == games and "targets" in found
