"""The Neuro Game API's server side: sockets, and who may open one. Games are its clients.

No token is asked for unless one is set: the integrations that exist connect to a bare ws://localhost:8000.
What keeps others out: the port is loopback's, and a web page's origin and the host's name are checked.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from glue.errors import ConfigError
from glue.games.messages import Message, Nonsense, Startup, read
from glue.games.pieces import pieces

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOME = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.IGNORECASE)
LARGEST = 512 * 1024  # bytes of one frame; five hundred actions with schemas are half of it
QUEUE = 256  # messages that a game may leave unread; then it is let go
BURST, PER_SECOND = 400, 100  # messages; what comes faster waits in its socket
MISTAKES = 100  # frames in a row that nobody can read, before the connection is closed
MOST_GAMES = 32  # at once
UNREADABLE = "(unreadable)"
TAKEN_OVER = 4009  # a closing code of ours
DISPLACED = "another connection plays this game now"


Tap = Callable[[str, str], None]


class Host(Protocol):
    """Who plays: told of every game that comes, speaks and goes."""

    def joined(
        self, who: str, game: str, session: str, send: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        """A game's first message came; a connection that it had before is forgotten."""

    def told(self, who: str, message: Message, now: float) -> None:
        """A message came."""

    def puzzled(self, who: str, game: str, text: str, why: str) -> None:
        """A frame came that is no message."""

    def left(self, who: str, game: str, session: str, why: str) -> None:
        """The connection is gone."""


def bound(host: str, port: int) -> socket:
    """A socket that listens for us alone. Raises ConfigError."""
    if host not in LOOPBACK:
        raise ConfigError(f"games.adapter.host: '{host}' is not loopback; use ssh -L from another PC")
    listener = socket(AF_INET6 if ":" in host else AF_INET)
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        cure = "cure: another one, and NEURO_SDK_WS_URL=ws://localhost:PORT for the game"
        raise ConfigError(
            f"games.adapter.port: {port} cannot be opened ({error.strerror}); {cure}"
        ) from error
    return listener


class Server:
    """Listens; `serving()` once. `cast`: name by character, the first one plays where the path is bare;
    `tap("game" or "ai", frame)` sees all that passes."""

    def __init__(
        self,
        host: Host,
        cast: Mapping[str, str],
        token: str = "",
        origins: Sequence[str] = (),
        tap: Tap = lambda side, frame: None,
    ) -> None:
        self._host, self._cast = host, dict(cast)
        self._token, self._origins = token, {origin.lower() for origin in origins}
        self._tap = tap
        self._open = 0
        self._readers: dict[tuple[str, str], Reader] = {}  # of each character's games

    @asynccontextmanager
    async def serving(self, listener: socket) -> AsyncIterator[int]:
        """Yields the port."""
        server = await serve(
            self._serve,
            sock=listener,
            process_request=self._admit,
            max_size=LARGEST,
            max_queue=16,
            ping_interval=20,
            ping_timeout=60,  # a game that loads a level answers nothing for a while
            close_timeout=1,
            compression=None,
            server_header=None,
            logger=logging.getLogger("glue.games.socket"),
        )
        try:
            yield listener.getsockname()[1]
        finally:
            server.close(close_connections=True)
            with anyio.CancelScope(shield=True), anyio.move_on_after(1.5):
                await server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Who is not let in gets a line that says why."""
        origin = request.headers.get("Origin")
        try:
            address, _ = urlsplit(request.path), urlsplit(origin or "")
        except ValueError:  # "http://["
            return connection.respond(HTTPStatus.BAD_REQUEST, "nobody can read that address\n")
        who = address.path.strip("/")
        if not HOME.fullmatch(request.headers.get("Host", "")):
            why = "only as localhost or 127.0.0.1 (from another PC through ssh -L)"
        elif origin is not None and not self._welcome(origin):
            why = f"a page of {origin[:100]} may not play here; games.adapter.origins lets it"
        elif self._token and not self._knows(parse_qs(address.query).get("token", [""])[0]):
            why = "the address lacks its ?token=..."
        elif who and who not in self._cast:
            return connection.respond(
                HTTPStatus.NOT_FOUND, f"nobody here is called so; {', '.join(self._cast)}\n"
            )
        elif self._open >= MOST_GAMES:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_GAMES} games are enough\n")
        else:
            return None
        log.warning("a game was turned away: %s", why)
        return connection.respond(HTTPStatus.FORBIDDEN, f"{why}\n")

    def _welcome(self, origin: str) -> bool:
        """Native games send no origin; what runs in a browser comes from a port of this machine's."""
        home = urlsplit(origin)
        local = home.scheme in ("http", "https") and HOME.fullmatch(home.netloc) is not None
        return local or origin.lower() in self._origins

    def _knows(self, token: str) -> bool:
        return secrets.compare_digest(token.encode("utf-8", "replace"), self._token.encode())

    async def _serve(self, client: ServerConnection) -> None:
        """One connection, to its end."""
        path = urlsplit(client.request.path if client.request else "").path.strip("/")
        who = path or next(iter(self._cast))
        self._open += 1
        farewell = (1000, "")
        out, outgoing = anyio.create_memory_object_stream[str](QUEUE)
        try:
            async with anyio.create_task_group() as tg:
                tg.start_soon(_write, client, outgoing)

                def put(text: str) -> None:
                    self._tap("ai", text)
                    out.send_nowait(text)

                reader = Reader(self._host, who, self._cast[who], put, tg.cancel_scope.cancel, self._readers)
                try:
                    await reader.read(client, self._tap)
                finally:
                    reader.end()
                    farewell = reader.farewell
                tg.cancel_scope.cancel()
        finally:
            self._open -= 1
            out.close()
            outgoing.close()
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await client.close(*farewell)


async def _write(client: ServerConnection, outgoing: MemoryObjectReceiveStream[str]) -> None:
    try:
        async for text in outgoing:
            await client.send(text)
    except ConnectionClosed:
        pass  # the reader sees it as well


class Reader:
    """One connection's messages. One socket is one game; a message that names another is that game's too.
    `readers` is shared by all connections: of one game's, the newest is the one that is played."""

    def __init__(
        self,
        host: Host,
        who: str,
        name: str,
        put: Callable[[str], None],
        drop: Callable[[], None],
        readers: dict[tuple[str, str], Reader],
    ) -> None:
        self.why = ""
        self.farewell = (1000, "")  # how the connection is closed
        self._host, self._who, self._name = host, who, name
        self._put, self._drop = put, drop
        self._session = secrets.token_hex(8)
        self._readers = readers
        self._games: list[str] = []
        self._mistakes = 0
        self._displaced = False

    async def read(self, client: ServerConnection, tap: Tap) -> None:
        """Until the game goes, or sends nothing but nonsense."""
        allowance, last = float(BURST), anyio.current_time()
        try:
            async for frame in client:
                if self._displaced:
                    return
                now = anyio.current_time()
                allowance, last = min(BURST, allowance + (now - last) * PER_SECOND) - 1, now
                if isinstance(frame, str):
                    tap("game", frame)
                await self._take(frame, now)
                if self._mistakes >= MISTAKES:
                    self.why = "too many frames that nobody can read"
                    await client.close(1008, self.why)
                    return
                if allowance < 0:
                    await anyio.sleep(-allowance / PER_SECOND)
            self.why = "it closed the connection"
        except ConnectionClosed as error:
            sent = error.sent
            self.why = f"{sent.code} {sent.reason}" if sent and sent.code != 1000 else "the connection broke"

    def end(self) -> None:
        """The connection is gone."""
        games, self._games = self._games, []
        for game in games:
            if self._readers.get((self._who, game)) is self:
                del self._readers[self._who, game]
            self._host.left(self._who, game, self._session, self.why)

    def _displace(self) -> None:
        """A newer connection plays one of these games: two would answer one another's questions."""
        log.warning("a game connected a second time: its older connection is closed")
        self._displaced = True
        self.why, self.farewell = DISPLACED, (TAKEN_OVER, DISPLACED)
        self.end()
        self._drop()

    async def _take(self, frame: str | bytes, now: float) -> None:
        try:
            message = read(frame)
            self._meet(message)
        except Nonsense as error:
            self._mistakes += 1
            game = self._games[0] if self._games else UNREADABLE
            text = frame[:200] if isinstance(frame, str) else f"{len(frame)} bytes"
            self._host.puzzled(self._who, game, text, str(error))
            return
        self._mistakes = 0
        first, *rest = pieces(message)
        self._host.told(self._who, first, now)
        for piece in rest:
            await anyio.lowlevel.checkpoint()
            if not self._displaced:
                self._host.told(self._who, piece, now)

    def _meet(self, message: Message) -> None:
        """A game's first message; one that does not begin is asked for its actions: it knew us before.
        Raises Nonsense."""
        if message.game not in self._games:
            if len(self._games) >= MOST_GAMES:
                raise Nonsense(f"more than {MOST_GAMES} games on one connection")
            if (older := self._readers.get((self._who, message.game))) is not None:
                older._displace()
            self._readers[self._who, message.game] = self
            self._games.append(message.game)
            self._host.joined(self._who, message.game, self._session, self._send)
            if not isinstance(message.body, Startup):
                self._send("actions/reregister_all", {})
        if isinstance(message.body, Startup):
            session = {"sessionId": self._session, "characterId": self._who, "displayName": self._name}
            self._send("startup", {"session": session})

    def _send(self, command: str, data: Mapping[str, Any]) -> None:
        try:
            self._put(json.dumps({"command": command, "data": data} if data else {"command": command}))
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self.why = self.why or "it does not read what it is sent"
            self._drop()
