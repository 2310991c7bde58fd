"""The other end of the game wire, for the exam: says what is to be done, and takes what the body claims."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


@dataclass
class Claim:
    """What the body says came of an action."""

    success: bool
    said: str
    seconds: float


@dataclass
class Table:
    """One game's seat. `on_the_way` hears of each step that the body claims while it is at work."""

    on_the_way: Callable[[str], None] = lambda said: None
    actions: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)  # how it stood with her, each time that she told it
    forced: list[list[str]] = field(default_factory=list)  # what it proposed to do, each time that it asked
    chat: list[tuple[str, str]] = field(default_factory=list)  # players, and what they wrote
    _socket: ServerConnection | None = None
    _numbers: Any = field(default_factory=lambda: count(1))
    _news: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    _there: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Yields the address."""
        async with serve(self._serve, "127.0.0.1", 0, compression=None) as server:
            yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

    async def registered(self, within: float) -> None:
        """Until the body has told what it can do. Raises TimeoutError."""
        await asyncio.wait_for(self._there.wait(), within)

    async def act(self, name: str, data: dict[str, object], within: float) -> Claim:
        """Choose an action; what the body claims came of it. Raises TimeoutError."""
        began = time.monotonic()
        while not self._news.empty():
            self._news.get_nowait()
        id = await self.choose(name, data)
        async with asyncio.timeout(within):
            while True:
                message = await self._news.get()
                told = self._claim(message, id)
                if told is not None:
                    return Claim(*told, time.monotonic() - began)

    async def choose(self, name: str, data: dict[str, object]) -> str:
        """Choose an action, and leave it at that; its id."""
        assert self._socket is not None
        id = f"exam-{next(self._numbers)}"
        asked = {"id": id, "name": name, "data": json.dumps(data)}
        await self._socket.send(json.dumps({"command": "action", "data": asked}))
        return id

    async def wish(self, text: str) -> None:
        """A viewer said this."""
        assert self._socket is not None
        await self._socket.send(json.dumps({"command": "spark/wish", "data": {"text": text}}))

    def _claim(self, message: dict[str, Any], id: str) -> tuple[bool, str] | None:
        data = message.get("data") or {}
        said = str(data.get("message", ""))
        if message["command"] == "action/result" and data.get("id") == id and said:
            return bool(data["success"]), said
        outcome = data.get("spark") or {}
        if message["command"] == "context" and outcome.get("of") == id:
            return bool(outcome["success"]), said
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        try:
            async for frame in socket:
                self._take(json.loads(frame))
        except ConnectionClosed:
            pass  # the body went

    def _take(self, message: dict[str, Any]) -> None:
        data = message.get("data") or {}
        if message["command"] == "actions/register":
            self.actions |= {each["name"]: each for each in data["actions"]}
            self._there.set()
        if message["command"] == "actions/unregister":
            for name in data["action_names"]:
                self.actions.pop(name, None)
        if message["command"] == "actions/force":
            self.forced.append(list(data["action_names"]))
        match data.get("spark"):
            case {"standing": True}:
                self.standing.append(data["message"])
                return
            case {"player": str(player), "text": str(text)}:
                self.chat.append((player, text))
        if "message" in data:
            self.said.append(data["message"])
            if message["command"] == "context" and data.get("silent"):
                self.on_the_way(data["message"])
        self._news.put_nowait(message)
