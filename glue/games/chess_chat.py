"""Chat's votes to the chess board, and the last game's end to the show: a Taker, a Viewer and a Sense.

Which move a line means, and whether it counts, the board alone knows; here only what can be none stays away.
A vote that finds no connection is lost: it would count for another position later. What was removed is told
again to the next connection.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from glue.chat_events import LinesRemoved
from glue.errors import ConfigError, Refused, Unreachable
from glue.events import ChatLine, Event, Source
from glue.folders import state
from glue.game_events import GamesPlayed

PART = "chess"
VOTERS = frozenset({Source.CONSOLE, Source.TERMINAL, Source.REHEARSAL, Source.TWITCH, Source.YOUTUBE})
VOTE = re.compile(  # as engines/chess/moves.py reads it
    r"\s*!?\s*(?:(?:move|vote|play)\s+)?"
    r"(?:[KQRBN]?[a-h]?[1-8]?x?[a-h][1-8](?:=?[QRBN])?|[O0]-[O0](?:-[O0])?)[+#]?[!?.]*\s*",
    re.ASCII | re.IGNORECASE,
)
WAITING = 2000  # votes; a raid's are taken in a second
VOTED = 20_000  # lines that are known as votes, as many as the board counts
AT_ONCE = 50  # removed lines in a frame: the board breaks a connection over 64 KiB
LARGEST = 1 << 16  # bytes of a frame
OPEN_S = 3.0


def board_token(configured: str) -> Path:
    """Where the board keeps the token of its page, as engines/chess/token.py has it."""
    return state("chess-token", configured)


class ChessChat:
    """`address` of the board (ws://HOST:PORT); `token_file` as the board's own, empty: the user's;
    `opponent`: where it is not chat, a move in chat is a line like any other."""

    def __init__(
        self, address: str = "ws://127.0.0.1:8029", token_file: str = "", opponent: str = "chat"
    ) -> None:
        if not address.startswith(("ws://", "wss://")):
            raise ConfigError(f"chess.adapter.address: '{address}' is not ws://HOST:PORT")
        self._address = address.rstrip("/")
        self._token_file = board_token(token_file)
        self._votes = opponent == "chat"
        self._unsent: deque[tuple[str, str]] = deque(maxlen=WAITING)  # a vote's line, its frame
        self._voted: dict[str, None] = {}  # lines, the oldest first
        self._removed: deque[str] = deque(maxlen=VOTED)  # of those; what has not been sent yet
        self._withdrawn: deque[str] = deque(maxlen=VOTED)  # what has: it may not have arrived
        self._news, self._played = anyio.Event(), anyio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    @property
    def welcome(self) -> str:
        """What to print at the start: the page for OBS."""
        return f"chess    {self._address.replace('ws', 'http', 1)}/?token={self._token()}"

    def runs(self) -> dict[str, Callable[[Callable[[], None]], Awaitable[None]]]:
        """What has to run beside the show."""
        return {PART: self.run}

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port: that all games are played."""
        await self._played.wait()
        yield GamesPlayed(anyio.current_time(), "Chess")

    def wants(self, line: ChatLine) -> bool:
        """The Taker port: a line that is a move and nothing else is a vote, whether it counts or not."""
        may = self._votes and line.source in VOTERS and not line.deed
        return may and VOTE.fullmatch(line.text) is not None

    def takes(self, line: ChatLine) -> bool:
        """The Taker port."""
        if not self.wants(line):
            return False
        viewer = f"{line.source.value} {line.author_id or line.author}"  # names may be shared
        vote = {"viewer": viewer, "text": line.text.strip(), "line": line.id}
        self._unsent.append((line.id, json.dumps(vote)))
        self._voted[line.id] = None
        if len(self._voted) > VOTED:
            del self._voted[next(iter(self._voted))]
        self._news.set()
        return True

    def show(self, event: Event) -> None:
        """The Viewer port: what a moderator removed counts no more."""
        if isinstance(event, LinesRemoved) and (gone := self._voted.keys() & set(event.line_ids)):
            kept = [(line, frame) for line, frame in self._unsent if line not in gone]
            self._unsent = deque(kept, WAITING)
            self._removed += gone
            for line in gone:
                del self._voted[line]
            self._news.set()

    async def run(self, works: Callable[[], None]) -> None:
        """One connection to the board. Raises Unreachable, Refused."""
        socket = await self._connect()
        async with socket:
            works()
            await self._converse(socket)

    async def _connect(self) -> ClientConnection:
        try:
            return await connect(
                f"{self._address}/feed?token={self._token()}",
                proxy=None,
                compression=None,
                open_timeout=OPEN_S,
                close_timeout=0.2,
                max_size=LARGEST,
            )
        except InvalidHandshake as error:
            raise Refused(PART, f"the board turned the show away ({error})") from error
        except (OSError, TimeoutError) as error:
            raise Unreachable(PART, f"the board cannot be reached ({error or 'no answer'})") from error
        except (InvalidURI, ValueError) as error:  # its words have the token in them
            why = f"'{self._address}' is no address ({type(error).__name__})"
            raise Unreachable(PART, f"{why}; cure: chess.adapter.address") from error

    async def _converse(self, socket: ClientConnection) -> None:
        self._unsent.clear()  # they were for another position
        self._removed = deque([*self._withdrawn, *self._removed], VOTED)
        self._withdrawn.clear()
        self._news.set()
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._write, socket)
            with suppress(ConnectionClosed):
                async for frame in socket:
                    if _over(frame):
                        self._played.set()
            tg.cancel_scope.cancel()
        raise Unreachable(PART, "the board hung up")

    async def _write(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # who reads sees it as well
            while True:
                await self._news.wait()
                self._news = anyio.Event()
                while self._unsent or self._removed:
                    if ids := [self._removed.popleft() for _ in range(min(AT_ONCE, len(self._removed)))]:
                        self._withdrawn += ids  # before it is sent: nobody says whether it arrived
                        await socket.send(json.dumps({"removed": ids}, ensure_ascii=False))
                    else:
                        await socket.send(self._unsent.popleft()[1])

    def _token(self) -> str:
        with suppress(OSError, UnicodeDecodeError):
            return self._token_file.read_text(encoding="ascii").strip()
        return ""


def _over(frame: str | bytes) -> bool:
    """Whether a picture of the table says that all games are played."""
    with suppress(ValueError, RecursionError):
        picture = json.loads(frame)
        return isinstance(picture, dict) and picture.get("over") is True
    return False
