"""Between sockets and the show: events wait here; one that was taken off a socket is not lost on the way."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import anyio

from glue.events import Event

log = logging.getLogger(__name__)

WAITING = 2000  # events; beyond it the sockets wait
STUCK_S = 5.0


class Inlet:
    """`put()` by those who read, `events()` by the show."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Event](WAITING)

    async def put(self, event: Event) -> None:
        """Hand an event over, even where the reader is being cancelled."""
        try:
            self._send.send_nowait(event)
        except anyio.WouldBlock:
            with anyio.move_on_after(STUCK_S, shield=True) as scope:
                await self._send.send(event)
            if scope.cancelled_caught:
                log.error("the show takes no events: one was dropped")

    async def events(self) -> AsyncIterator[Event]:
        """What was put, for ever."""
        while True:
            yield await self._receive.receive()

    def close(self) -> None:
        """The show is over."""
        self._send.close()
        self._receive.close()
