"""A VTube Studio that behaves badly on demand: denies, hangs, talks nonsense, knows no such parameter."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TOKEN = "t" * 64
Answer = tuple[str, dict[str, Any]]


def no(number: int, message: str) -> Answer:
    return "APIError", {"errorID": number, "message": message}


@dataclass
class Studio:
    """What it does; and what it was asked, with the loop's time."""

    denies: bool = False
    hangs: bool = False
    pops_up: asyncio.Event | None = None  # its user's click, for which a new plugin waits
    noise: tuple[str | bytes, ...] = ()  # sent before every answer
    unknown: frozenset[str] = frozenset()  # parameters
    takes: float = 0.0  # seconds to answer an injection
    port: int = 0
    asked: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    injected: dict[str, float] = field(default_factory=dict)
    sockets: set[ServerConnection] = field(default_factory=set)
    at_once: int = 0  # injections without an answer, at most
    _open: int = 0

    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.asked]

    def injections(self) -> list[float]:
        return [at for at, kind, _ in self.asked if kind == "InjectParameterDataRequest"]

    async def until(self, count: int, kind: str = "InjectParameterDataRequest", within: float = 30.0) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(within):
            while self.kinds().count(kind) < count:  # noqa: ASYNC110  # a list is watched
                await asyncio.sleep(0.005)

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as tg:
                async for frame in socket:
                    tg.create_task(self._one(socket, json.loads(frame)))
        except* ConnectionClosed:
            pass

    async def _one(self, socket: ServerConnection, message: dict[str, Any]) -> None:
        self.asked.append((asyncio.get_running_loop().time(), message["messageType"], message["data"]))
        if self.hangs:
            return
        self._open += 1
        self.at_once = max(self.at_once, self._open)
        if message["messageType"] == "InjectParameterDataRequest":
            await asyncio.sleep(self.takes)
        if message["messageType"] == "AuthenticationTokenRequest" and self.pops_up is not None:
            await self.pops_up.wait()
        for frame in self.noise:
            await socket.send(frame)
        kind, data = self._answer(message["messageType"], message["data"])
        self._open -= 1
        envelope = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "timestamp": 1, "more": None}
        reply = envelope | {"requestID": message["requestID"], "messageType": kind, "data": data}
        await socket.send(json.dumps(reply))

    def _answer(self, kind: str, data: dict[str, Any]) -> Answer:
        match kind:
            case "AuthenticationTokenRequest":
                denied = no(50, "user denied")
                return (
                    denied if self.denies else ("AuthenticationTokenResponse", {"authenticationToken": TOKEN})
                )
            case "AuthenticationRequest":
                right = data["authenticationToken"] == TOKEN
                return "AuthenticationResponse", {"authenticated": right, "reason": ""}
            case "InjectParameterDataRequest":
                values = {p["id"]: p["value"] for p in data["parameterValues"]}
                if self.unknown & values.keys():
                    return no(453, "a parameter does not exist")
                self.injected.update(values)
                return "InjectParameterDataResponse", {}
            case "ExpressionStateRequest":
                file = {"name": "Happy", "file": "Happy.exp3.json", "active": False}
                return "ExpressionStateResponse", {"modelLoaded": True, "expressions": [file]}
            case _:
                return kind.replace("Request", "Response"), {}


@asynccontextmanager
async def studio(**does: Any) -> AsyncIterator[Studio]:
    """It serves, on a port of its own."""
    made = Studio(**does)
    async with serve(made.serve, "127.0.0.1", made.port) as server:
        made.port = next(iter(server.sockets)).getsockname()[1]
        yield made


async def _alone(port: int) -> None:
    async with studio(port=port):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":  # a process of its own, to be killed
    asyncio.run(_alone(int(sys.argv[1])))
