"""What Minecraft's tests share: npm's packages, questions to the body's pure parts, a game in a world."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.cache import ModelError
from engines.minecraft.exam import NAME, World
from engines.minecraft.node import find, modules
from engines.minecraft.options import OWN_VERSION
from engines.minecraft.table import Table
from engines.port import unused
from engines.process import running
from engines.specs import spec
from tests.need import need
from tests.waiting import eventually

HERE = Path(__file__).parent


def need_packages() -> None:
    """Node and the packages are here."""
    missing = ""
    try:
        find()
        modules()
    except ModelError as error:
        missing = str(error)
    need(not missing, f"Minecraft's packages ({missing})", "python -m engines.minecraft.node")


class Asked:
    """A Node process that answers questions to the pure parts."""

    def __init__(self) -> None:
        need_packages()
        self._process = subprocess.Popen(
            [str(find()), str(HERE / "minecraft_ask.cjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"NODE_PATH": str(modules())},
            text=True,
        )

    def __call__(self, what: str, *given: object) -> Any:
        """The answer; AssertionError with its message where it raised."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, *given]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["said"]

    def end(self) -> None:
        self._process.communicate(timeout=30)


@dataclass
class Game:
    """A body in a world of its own, and the hand that plays it."""

    table: Table
    world: World
    log: Path
    pids: dict[str, int] = field(default_factory=dict)
    port: int = 0  # of the world
    who: str = NAME
    address: str = ""  # where the body says how it stands

    async def until(self, found: Callable[[], Any], within: float = 60.0) -> Any:
        """Ask until the answer is true."""
        return await eventually(found, within)

    async def told(self, words: str, since: int = 0, within: float = 60.0) -> str:
        """A message with these words, after the first `since`."""
        return str(
            await self.until(lambda: next((s for s in self.table.said[since:] if words in s), ""), within)
        )

    async def seen(self, what: str, **more: object) -> bool:
        """Whether the world saw such an event of hers."""
        wanted = {"what": what, **more}
        return any(wanted.items() <= event.items() for event in (await self.world.told())["events"])

    async def sees(self, what: str, **more: object) -> None:
        """Until the world sees it: what she says of it takes another way, and may be here before."""
        async with asyncio.timeout(60):
            while not await self.seen(what, **more):  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.05)

    async def looks(self, words: str) -> None:
        """Until her body knows of what was done in the world, which an order would overtake."""
        async with asyncio.timeout(60):
            while words not in (await self.table.act("look", {}, 30)).said:  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.05)

    async def player(self) -> dict[str, Any]:
        """Her, as the world sees her."""
        found: dict[str, Any] = (await self.world.told())["players"][NAME]
        return found

    async def give(self, name: str, count: int) -> None:
        """Until she knows that she has it."""

        async def held() -> int:
            said = (await self.table.act("inventory", {}, 30)).said
            found = re.search(rf"\b(\d+) {name.replace('_', ' ')}[,.]", said)
            return int(found[1]) if found else 0

        wanted = await held() + count
        await self.world.do("give", who=self.who, name=name, count=count)
        async with asyncio.timeout(60):
            while await held() < wanted:  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.05)

    async def calm(self) -> dict[str, Any]:
        """Until nothing moves her: no job, no reflex, and the world sees her stand. Her, then."""
        before: object = None
        async with asyncio.timeout(60):
            while True:
                her, body = await self.player(), await self.world.standing()
                if her["position"] == before and not body["reflex"] and not body["doing"]:
                    return her
                before = her["position"]
                await asyncio.sleep(0.2)  # a server tells each move within 0.05 s

    async def here(self) -> None:
        """Until she is in the world."""
        async with asyncio.timeout(60):
            while NAME not in (await self.world.told())["players"]:  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.1)


@asynccontextmanager
async def playing(folder: Path, **options: object) -> AsyncIterator[Game]:
    """A body in a world, ready."""
    need_packages()
    table = Table()
    async with table.open() as url:
        port, truth, server = unused(), unused(), unused()
        ports = {"port": port, "truth": truth, "server_port": server}
        given = {"games": url, "idle": 0.0, "nice": 0, "seed": 1, "skills": str(folder), **ports, **options}
        async with running([spec("minecraft", given)], folder, within=90) as engines:
            await table.registered(30)
            address, log = f"http://127.0.0.1:{port}", folder / "minecraft.log"
            game = Game(table, World(truth, port), log, engines.pids, server, address=address)
            await game.here()
            yield game


@asynccontextmanager
async def joining(username: str, port: int, folder: Path) -> AsyncIterator[Game]:
    """Another body, in a world that is there."""
    table = Table()
    async with table.open() as url:
        where = {"server": "127.0.0.1", "server_port": port, "version": OWN_VERSION, "username": username}
        given = {"games": url, "idle": 0.0, "nice": 0, "skills": str(folder), "port": unused(), **where}
        async with running([spec("minecraft", given)], folder, within=90) as engines:
            await table.registered(30)
            yield Game(table, World(0), folder / "minecraft.log", engines.pids, port, username)
