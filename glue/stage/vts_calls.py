"""Requests and replies over one WebSocket to VTube Studio: one reader, a waiting place for each request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from glue.errors import Refused, TooSlow, Unreachable
from glue.stage.vts_wire import ApiError, ApiEvent, Garbled, parse, request

PART = "avatar"
EVENTS_KEPT = 64  # the newest; whoever wants them reads in time


class Denied(Refused):
    """An APIError, with its number."""

    def __init__(self, kind: str, number: int, message: str) -> None:
        super().__init__(PART, f"{kind}: error {number} ({message})")
        self.number = number
        self.message = message


class Calls:
    """The requests of one connection. `read()` must run meanwhile."""

    def __init__(self, socket: ClientConnection, timeout: float) -> None:
        self.events: deque[ApiEvent] = deque(maxlen=EVENTS_KEPT)
        self._socket = socket
        self._timeout = timeout
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._kinds: dict[str, str] = {}
        self._numbers = count(1)

    async def read(self) -> None:
        """Hand every frame to whoever waits for it, for ever. Raises Unreachable when the line breaks."""
        try:
            while True:
                self._take(await self._socket.recv())
        except ConnectionClosed as error:
            broken = Unreachable(PART, f"the connection broke ({error})")
            for place in self._waiting.values():
                if not place.done():
                    place.set_exception(broken)
            raise broken from error

    def _take(self, frame: str | bytes) -> None:
        try:
            message = parse(frame)
        except Garbled:
            return  # whoever waits for it gives up in time
        if isinstance(message, ApiEvent):
            self.events.append(message)
            return
        place = self._waiting.get(message.id)
        if place is None or place.done():
            return  # it comes too late
        if isinstance(message, ApiError):
            place.set_exception(Denied(self._kinds[message.id], message.number, message.message))
        else:
            place.set_result(message.data)

    async def ask(
        self, kind: str, data: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> Mapping[str, Any]:
        """Send a request, wait for its reply's data. Raises Denied, TooSlow, Unreachable."""
        id = f"spark{next(self._numbers)}"
        seconds = self._timeout if timeout is None else timeout
        place: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[id], self._kinds[id] = place, kind
        try:
            async with asyncio.timeout(seconds):
                await self._socket.send(request(id, f"{kind}Request", data or {}))
                return await place
        except TimeoutError as error:
            raise TooSlow(PART, f"no answer to {kind} within {seconds:g} s") from error
        except ConnectionClosed as error:
            raise Unreachable(PART, f"the connection broke ({error})") from error
        finally:
            del self._waiting[id], self._kinds[id]
