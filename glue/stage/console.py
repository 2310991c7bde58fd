"""SOUND -> AUDIENCE: the operator's page and the stage page; the ports Viewer and Desk, on loopback."""

import json
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self

import anyio
from starlette.websockets import WebSocket

from glue.desk_events import TurnAsked
from glue.desk_ports import DeskMessage
from glue.errors import ConfigError
from glue.events import CaptionShown, Event, to_json
from glue.ports import Whose
from glue.stage.console_guard import LOOPBACK, Guard, kept_token, token_path
from glue.stage.console_mic import Microphones
from glue.stage.console_page import Page, both
from glue.stage.console_recent import Json, Recent
from glue.stage.console_sound import Listener, Players
from glue.stage.console_web import Carrier, Look, Server, application

log = logging.getLogger(__name__)
DESK = 1024  # messages that may wait for the senses; then the sockets wait


class Console:
    """Serves `/` (operator), `/stage` (OBS), `/ws` (events, buttons), `/audio`, `/mic` in the show's loop."""

    def __init__(
        self,
        rate: int = 24000,
        host: str = "127.0.0.1",
        port: int = 8020,
        token_file: str = "",
        avatar_url: str = "",
        patience_s: float = 5.0,
        names: Sequence[str] = (),
        asked: bool = False,
    ) -> None:
        """`rate` Hz; `token_file` empty: in the user's state folder; `avatar_url`: the page that draws her,
        embedded in ours, empty for none; `patience_s`: a page that reads nothing for so long is closed;
        `names`: hosts that a tunnel with TLS serves the pages under; `asked`: the stage shows the line that
        is answered."""
        self.rate = rate
        self.players = Players(self._plays)
        self.microphones = Microphones()
        self.looks: Mapping[str, Look] = {}  # what a page may ask for, by name
        self.carrier: Carrier | None = None  # of her memory, out to a page and in again
        self._host, self._port = host, port
        self._token_file = token_path(token_file)
        self._avatar_url = avatar_url
        self._patience = patience_s
        self._names = names
        self._asked = asked
        self._token = ""
        self._recent = Recent()
        self._pages: list[Page] = []
        self._stack = AsyncExitStack()
        self._server: Server | None = None

    @staticmethod
    def precheck(host: str) -> None:
        """Before an engine is loaded for it. Raises ConfigError."""
        if host not in LOOPBACK:
            raise ConfigError(f"console.host: '{host}' is not loopback; use ssh -L from another PC")

    async def __aenter__(self) -> Self:
        """Open the port. Raises ConfigError where it is taken, not ours, or the token cannot be kept."""
        self.precheck(self._host)
        self._token = kept_token(self._token_file)
        listener = _bound(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._send, self._receive = anyio.create_memory_object_stream[DeskMessage](DESK)
        self._stack.enter_context(self._send)
        self._stack.enter_context(self._receive)
        guard = Guard(self._token, self._port, self._names)
        sockets = {"ws": self._page, "audio": self._audio, "mic": self.microphones.serve}
        looks, carrier = (lambda name: self.looks.get(name)), (lambda: self.carrier)
        pages = application(guard, self._avatar_url, sockets, looks, carrier)
        self._server = Server(pages, self._patience)
        await self._stack.enter_async_context(self._server.serving(listener))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def url(self, page: str = "") -> str:
        """The address of a page ("" the operator's, "stage"), with the token."""
        return f"http://{self._host}:{self._port}/{page}?token={self._token}"

    def show(self, event: Event) -> None:
        """The Viewer port."""
        if isinstance(event, TurnAsked):
            return  # long, and only of use to who opens the reply
        self._recent.note(event)
        caption = f"{event.who} {event.turn} {event.index}" if isinstance(event, CaptionShown) else ""
        self._tell(to_json(event), caption)

    def forget(self, ids: Sequence[str], whose: Whose | None) -> None:
        """Pages that open later are told nothing of these lines and of all that are `whose()`."""
        self._recent.forget(ids, whose)

    async def received(self) -> AsyncIterator[DeskMessage]:
        """The Desk port."""
        async for message in self._receive:
            yield message

    def _tell(self, message: Json, instead_of: str = "") -> None:
        if self._pages:
            text = json.dumps(message)
            for page in self._pages:
                page.put(text, instead_of)

    def _plays(self, name: str) -> None:
        self._tell({"kind": "player", "name": name, "sound": self.players.wired})

    def _snapshot(self) -> Json:
        player = self.players.player
        return {
            "kind": "snapshot",
            "now": anyio.current_time(),
            "rate": self.rate,
            "sound": self.players.wired,
            "avatar": self._avatar_url,
            "asked": self._asked,
            "player": player.name if player else "",
            "mic": self.microphones.wanted,
            "events": self._recent.events(),
        }

    async def _page(self, websocket: WebSocket) -> None:
        page = Page(websocket, self._snapshot, self._patience)
        self._pages.append(page)
        try:
            reads = await both(websocket, partial(page.read, self._send.send), page.write, self._patience)
        finally:
            self._pages.remove(page)
        self._part(websocket, reads)

    async def _audio(self, websocket: WebSocket) -> None:
        listener = Listener(websocket, self.rate, self._patience)
        self.players.joins(listener)
        try:
            reads = await both(
                websocket, partial(listener.read, self.players), listener.write, self._patience
            )
        finally:
            self.players.leaves(listener)
        self._part(websocket, reads)

    def _part(self, websocket: WebSocket, reads: bool) -> None:
        if not reads and self._server:
            log.warning("a page does not read what it is sent and was closed")
            self._server.drop(websocket.client)


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens for us alone. Raises ConfigError."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: without Nagle's algorithm
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise ConfigError(f"console.port: {port} cannot be opened ({error.strerror})") from error
    return listener


def welcome(console: Console, avatar_port: int = 8023, user: str = "user", machine: str = "host") -> str:
    """What to print at the start: where the page is, and how another PC gets there."""
    port = console.url().split("?")[0].rsplit(":", 1)[1].rstrip("/")
    tunnel = f"ssh -L {port}:127.0.0.1:{port} -L {avatar_port}:127.0.0.1:{avatar_port} {user}@{machine}"
    return f"console  {console.url()}\nfrom another PC first: {tunnel}"
