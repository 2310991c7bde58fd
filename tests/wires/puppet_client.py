"""A plain plugin and a plain page, for tests of the puppet's server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.puppet import ME, request

WITHIN = 30.0  # seconds


class Plugin:
    """One connection; events that come between are kept apart."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    async def ask(self, kind: str, **data: object) -> dict[str, Any]:
        """The data of the answer; of an APIError too."""
        await self.socket.send(request(kind, data))
        while (message := await self.next())["messageType"].endswith("Event"):
            self.events.append(message)
        return dict(message["data"])

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN):
            return dict(json.loads(await self.socket.recv()))

    async def inject(self, **values: float) -> None:
        listed = [{"id": name, "value": value} for name, value in values.items()]
        assert await self.ask("InjectParameterData", faceFound=True, parameterValues=listed) == {}

    @asynccontextmanager
    async def holding(self, **values: float) -> AsyncIterator[None]:
        """Inject the same at 50 Hz: what is not said again is let go. Nothing else may be asked meanwhile."""
        over = asyncio.Event()

        async def insist() -> None:
            while not over.is_set():
                await self.inject(**values)
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as tg:
            tg.create_task(insist())
            try:
                yield
            finally:
                over.set()


@asynccontextmanager
async def plugin(address: str, name: str = "Tester") -> AsyncIterator[Plugin]:
    """A plugin with a session."""
    async with connect(address, proxy=None) as socket:
        there, me = Plugin(socket), ME | {"pluginName": name}
        token = await there.ask("AuthenticationToken", **me)
        assert (await there.ask("Authentication", **me, **token))["authenticated"] is True
        yield there


class Page:
    """What a drawing page is told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.params: dict[str, float] = {}
        self.known: dict[str, Any] = {}

    def shows(self, name: str, value: float) -> bool:
        """Whether a parameter is drawn at this value."""
        return self.params.get(name) == value

    async def until(self, true: Callable[[], object]) -> None:
        """Take frames until something is so."""
        async with asyncio.timeout(WITHIN):
            while not true():
                frame = json.loads(await self.socket.recv())
                self.params |= frame.pop("params", {}) | frame.pop("p", {})
                self.known |= frame


@asynccontextmanager
async def page(address: str) -> AsyncIterator[Page]:
    """A page that has had its first frame."""
    async with connect(f"{address}/feed", origin="http://127.0.0.1:8020", proxy=None) as socket:  # type: ignore[arg-type]  # Origin is a NewType of str
        there = Page(socket)
        await there.until(lambda: there.params)
        yield there
