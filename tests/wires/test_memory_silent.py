"""A Milvus that takes every call and answers none: its process is stopped, and goes on later."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from subprocess import DEVNULL

import anyio
import numpy as np
import pytest
from anyio.abc import Process

from engines.keeper import NotReady
from engines.specs import spec
from glue.errors import Unreachable
from glue.events import Event, LineArrived, PartDegraded, PartRecovered
from glue.memory.entry import Entry, Kind
from glue.memory.index import Index
from glue.memory.serving import Servers as Opens
from glue.memory.shares import share
from glue.memory.wanted import Wanted
from tests.wires.memory_servers import Servers, free, remembering

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def milvus(folder: Path) -> AsyncIterator[tuple[str, Process]]:
    """A Milvus Lite that nobody starts afresh while it hangs: its address, and its process."""
    made = spec("memory", {"port": free(), "folder": str(folder / "index")})
    command = [sys.executable, "-m", "engines.memory", f"port={made.port}", f"folder={folder / 'index'}"]
    async with await anyio.open_process(command, stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            with anyio.fail_after(60):
                await _ready(made.ready)
            yield f"http://127.0.0.1:{made.port}", process
        finally:
            process.kill()


async def _ready(ready: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await ready()
        except NotReady:
            await anyio.sleep(0.1)


async def test_every_call_to_a_silent_milvus_ends(tmp_path: Path) -> None:
    async with milvus(tmp_path) as (uri, process):
        index = Index(uri, "", "memory", 8, 20.0)
        await index.open()
        entry = Entry("1", Kind.VIEWER, "main", "mira", "mira has a cat", 1.0)
        vectors = np.ones((1, 8), np.float32)
        await index.add([entry], vectors)
        await index.search("cat", vectors, Wanted(frozenset({"main"}), "mira"), 2)
        process.send_signal(signal.SIGSTOP)
        index._within = 0.2
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: index.search("cat", vectors, Wanted(frozenset({"main"}), "mira"), 2),
            lambda: index.near(entry, vectors[0], 0.5),
            lambda: index.add([entry], vectors),
            lambda: index.remove({"1": share(entry)}),
            lambda: index.purge(()),
            index.ids,
            index.flush,
            index.open,
            index.drop,
        ]
        for number, call in enumerate(calls):
            with anyio.move_on_after(8) as waited, pytest.raises(Unreachable):
                await call()
            assert not waited.cancelled_caught, number
        process.send_signal(signal.SIGCONT)
        index._within = 20.0
        assert list(await index.ids()) == ["1"]
        await index.close()


async def test_a_milvus_that_falls_silent_is_told_and_used_again_when_it_answers(
    at: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Opens, "opened", partialmethod(Opens.opened, within=3.0))
    told, events = anyio.create_memory_object_stream[Event](100)
    asked = ("mira", "what is my cat called?")
    async with told, events, milvus(tmp_path) as (uri, process):
        there = replace(at, milvus=uri)
        async with remembering(there, tmp_path / "files", told=told.send_nowait) as show:
            show.say("mira", "my cat is called Biscuit")
            assert await show.recalled(*asked)
            process.send_signal(signal.SIGSTOP)
            show.memory.show(LineArrived(0.0, show.line("mira", "do you know my cat?")))
            with anyio.fail_after(30):
                degraded = await events.receive()
            assert isinstance(degraded, PartDegraded) and "Milvus" in degraded.why
            process.send_signal(signal.SIGCONT)
            with anyio.fail_after(60):
                assert isinstance(await events.receive(), PartRecovered)
            assert await show.recalled(*asked)
