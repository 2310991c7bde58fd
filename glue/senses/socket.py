"""A WebSocket to a chat service: its failures as ours, its silence noticed, one line handed on to the next.

When a service asks to be connected to anew, the old connection is read until the new one has taken over, so
that nothing is lost between them; what both bring is for the reader to tell apart.
"""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import anyio
import httpx
from anyio.abc import TaskGroup
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidURI

from glue.errors import ConfigError, PortError, TooSlow, Unreachable, first

MOST_DELAY_S = 0.3  # not everybody comes back at once
MOST_PAUSE_S = 5.0  # between two tries to take over
LINGER_S = 2.0  # the old connection is read when the new one has taken over
PROXY = "the environment's proxy is of no use; cure: HTTPS_PROXY=http://HOST:PORT, and no ALL_PROXY (SOCKS)"
Works = Callable[[], None]


class Wire(Protocol):
    """An open connection."""

    async def send(self, text: str) -> None:
        """Raises Unreachable."""

    async def receive(self, within: float) -> str | bytes:
        """The next frame. Raises TooSlow after `within` seconds without one, Unreachable."""


@dataclass(frozen=True, slots=True)
class Frames:
    """One of `part`, over a WebSocket. Frames above the largest that it was opened for break it."""

    part: str
    socket: ClientConnection

    async def send(self, text: str) -> None:
        """As in Wire."""
        try:
            await self.socket.send(text)
        except ConnectionClosed as error:
            raise Unreachable(self.part, hung_up(error)) from error

    async def receive(self, within: float) -> str | bytes:
        """As in Wire."""
        try:
            with anyio.fail_after(within):
                return await self.socket.recv()
        except TimeoutError as error:
            raise TooSlow(self.part, f"it sent nothing for {within:.0f} s") from error
        except ConnectionClosed as error:
            raise Unreachable(self.part, hung_up(error)) from error


@asynccontextmanager
async def wire(part: str, url: str, timeout: float, largest: int, ca_file: str = "") -> AsyncIterator[Wire]:
    """Connect; `ca_file` as in certificates(). Raises Unreachable."""
    where = url.partition("?")[0]
    try:
        socket = await connect(
            url,
            ssl=certificates(ca_file) if url.startswith("wss:") else None,
            compression=None,
            max_size=largest,
            open_timeout=timeout,
            close_timeout=0.2,
            ping_interval=None,
        )
    except (OSError, InvalidHandshake, TimeoutError) as error:
        raise Unreachable(part, f"{where} cannot be reached ({error or 'no answer'})") from error
    except (InvalidURI, ValueError) as error:  # its words have all of the address in them
        raise Unreachable(part, f"{where} is no address ({type(error).__name__})") from error
    except (InvalidProxy, ImportError) as error:  # its words have a password in them
        raise Unreachable(part, f"{where} cannot be reached: {PROXY}") from error
    try:
        yield Frames(part, socket)
    finally:
        with anyio.move_on_after(0.2, shield=True):
            await socket.close()


def client(timeout: float) -> httpx.AsyncClient:
    """A service's HTTP side, asked through the environment's proxy where it names one. Raises ConfigError."""
    try:
        return httpx.AsyncClient(timeout=timeout)
    except (ImportError, ValueError) as error:  # SOCKS wants a package; or a scheme that nobody knows
        raise ConfigError(f"chat: {PROXY}") from error


@cache
def certificates(ca_file: str = "") -> ssl.SSLContext:
    """The system's, and those in a PEM file; read once: they take many milliseconds of the show. Raises
    ConfigError."""
    context = ssl.create_default_context()
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise ConfigError(f"ca_file: {ca_file} has no certificate in PEM ({error})") from error
    return context


def hung_up(error: ConnectionClosed) -> str:
    """Why a connection ended, without the other side's free text."""
    frame = error.rcvd or error.sent
    return f"it hung up (code {frame.code})" if frame else "the connection broke"


class Reader(Protocol):
    """Reads one connection to its end: calls `joined` when it is of use; `handover(url)` when the service
    wants it replaced, and goes on reading."""

    def __call__(self, url: str, joined: Works, handover: Callable[[str], None]) -> Awaitable[None]: ...


async def relay(url: str, read: Reader, works: Works) -> None:
    """Read a connection and those that take over from it, for ever. Raises the PortError that ended it."""
    try:
        async with anyio.create_task_group() as tg:
            tg.start_soon(Relay(read, tg).one, url, works)
    except* PortError as group:
        raise first(group) from group


@dataclass(frozen=True, slots=True)
class Relay:
    """Connections that take over from one another, in one task group."""

    read: Reader
    tg: TaskGroup

    async def one(self, url: str, joined: Works) -> None:
        """A connection, to its end. Raises PortError where none was to take over from it."""
        over, scope, replaced = anyio.Event(), anyio.CancelScope(), False

        def last() -> None:  # what is still under way on the old line
            scope.deadline = min(scope.deadline, anyio.current_time() + LINGER_S)

        def handover(next_url: str) -> None:
            nonlocal replaced
            if not replaced:
                replaced = True
                self.tg.start_soon(self._next, next_url or url, last, over)

        try:
            with scope:
                await self.read(url, joined, handover)
        except PortError:
            if not replaced:
                raise
        finally:
            over.set()

    async def _next(self, url: str, joined: Works, over: anyio.Event) -> None:
        """The one that takes over: tried until it does, for as long as the old line is read. Raises
        PortError."""
        joins, pause = anyio.Event(), MOST_DELAY_S

        def took() -> None:
            joins.set()
            joined()

        while True:
            with anyio.move_on_after(random.uniform(pause / 3, pause)):
                await over.wait()
            last_try = over.is_set()
            try:
                await self.one(url, took)
                return
            except PortError:
                if joins.is_set() or last_try:
                    raise
            pause = min(2 * pause, MOST_PAUSE_S)
