"""What the drawing pages are told, over `/feed`, in JSON text frames.

First how everything is: {"model", "palette", "expressions": {name: seconds to fade in}, "params": {...}};
only expressions that are active are listed. Then what changed: {"p": {...}, "injected": true}, at once when
a plugin injects; {"injected": false} when none has for a second; {"expressions": {...}}, all of them;
{"model", "palette"}; {"position"} when a plugin moved the model.

A page has no queue: its next frame is the difference between how things are and what it was sent. One that
does not read is told nothing more and costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from engines.avatar.models import Position
from engines.avatar.puppet import Puppet
from engines.avatar.subscriptions import position

APART_S = 0.012  # seconds between two rounds: a little less than a frame, so that jitter does not delay one


class Page:
    """One page, and what it knows."""

    def __init__(self, puppet: Puppet) -> None:
        self._puppet = puppet
        self._params: dict[str, float] = {}
        self._look = {"model": "", "palette": ""}
        self._expressions: dict[str, float] = {}
        self._position = {"position": position(Position())}
        self._injected = False
        self.news = asyncio.Event()

    def first(self, now: float) -> dict[str, object]:
        """How everything is."""
        self._params = self._values(now)
        self._look = self._looks()
        self._expressions = dict(self._puppet.wardrobe.active)
        return {**self._look, "expressions": self._expressions, "params": self._params}

    def next(self, now: float) -> Iterator[dict[str, object]]:
        """The frames that bring the page up to date."""
        wardrobe = self._puppet.wardrobe
        if (look := self._looks()) != self._look:
            self._look = look
            yield {**look}
        if wardrobe.active != self._expressions:
            self._expressions = dict(wardrobe.active)
            yield {"expressions": self._expressions}
        if (moved := {"position": position(wardrobe.position)}) != self._position:
            self._position = moved
            yield {**moved}
        injected = self._puppet.parameters.injected(now)
        if injected:
            values, known = self._values(now), self._params
            self._params = values
            yield {"p": {k: v for k, v in values.items() if known.get(k) != v}, "injected": True}
        elif self._injected:
            yield {"injected": False}
        self._injected = injected

    def _looks(self) -> dict[str, str]:
        wardrobe = self._puppet.wardrobe
        return {"model": wardrobe.model.name if wardrobe.model else "", "palette": wardrobe.palette}

    def _values(self, now: float) -> dict[str, float]:
        parameters = self._puppet.parameters
        values = parameters.values(now)
        return {made.name: round(made.clamped(values[made.name]), 4) for made in parameters.all()}


async def serve(puppet: Puppet, websocket: WebSocket) -> None:
    """Tell a page everything for as long as it is there."""
    page = Page(puppet)
    await websocket.accept()
    puppet.pages.add(page.news)
    page.news.set()
    try:
        async with anyio.create_task_group() as tg:
            tg.start_soon(_until_gone, websocket, tg.cancel_scope)
            await _tell(page, websocket)
    except* WebSocketDisconnect:
        pass
    finally:
        puppet.pages.discard(page.news)


async def _tell(page: Page, websocket: WebSocket) -> None:
    await websocket.send_text(json.dumps(page.first(time.monotonic()), separators=(",", ":")))
    last = float("-inf")
    while True:
        await page.news.wait()
        if (early := last + APART_S - time.monotonic()) > 0:
            await asyncio.sleep(early)
        page.news.clear()
        last = time.monotonic()
        for frame in page.next(last):
            await websocket.send_text(json.dumps(frame, separators=(",", ":")))


async def _until_gone(websocket: WebSocket, scope: anyio.CancelScope) -> None:
    """A page has nothing to say; what it says all the same is let pass."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel()
