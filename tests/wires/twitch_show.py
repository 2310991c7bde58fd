"""The Twitch adapter under the show's supervisor, as app runs it, and what it tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from glue.chat_events import LinesRemoved
from glue.closing import closing
from glue.events import ChatLine, Event, LineArrived, PartDegraded, PartRecovered
from glue.senses.twitch import Twitch
from glue.supervise import Patience, supervise
from tests.wires.twitch_peer import Peer

PATIENCE = Patience(first=0.05, most=0.2, settled=0.1)


@dataclass
class Heard:
    """Everything that a sense and its parts told."""

    events: list[Event] = field(default_factory=list)

    @property
    def lines(self) -> list[ChatLine]:
        return [event.line for event in self.events if isinstance(event, LineArrived)]

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    @property
    def removed(self) -> list[str]:
        return [id for event in self.events if isinstance(event, LinesRemoved) for id in event.line_ids]

    def down(self, part: str = "twitch") -> list[str]:
        return [e.why for e in self.events if isinstance(e, PartDegraded) and e.part == part]

    def back(self, part: str = "twitch") -> int:
        return sum(isinstance(e, PartRecovered) and e.part == part for e in self.events)


@asynccontextmanager
async def supervised(adapter: Any) -> AsyncIterator[Heard]:
    heard = Heard()

    async def listen() -> None:
        async with closing(adapter.events()) as events:
            async for event in events:
                heard.events.append(event)

    async with adapter, anyio.create_task_group() as tg:
        for part, run in adapter.runs().items():
            tg.start_soon(partial(supervise, part, run, heard.events.append, PATIENCE))
        tg.start_soon(listen)
        yield heard
        tg.cancel_scope.cancel()


def twitch(peer: Peer, **options: Any) -> Twitch:
    """The adapter, at the peer's addresses."""
    there: dict[str, Any] = {
        "channel": "Spark",
        "irc": peer.irc,
        "eventsub": peer.events.socket,
        "helix": f"{peer.events.http}/helix",
        "auth": f"{peer.events.http}/oauth2",
        "timeout_s": 10.0,
        "connections": 1,
    }
    return Twitch(**(there | options))
