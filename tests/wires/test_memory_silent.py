"""A Milvus that takes every call and answers none: its process is stopped, and goes on later."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from subprocess import Popen
from typing import TypeVar

import anyio
import numpy as np
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream

from glue.errors import Unreachable
from glue.events import Event, LineArrived, PartDegraded, PartRecovered
from glue.memory.entry import Entry, Kind
from glue.memory.index import Index
from glue.memory.serving import Servers as Opens
from glue.memory.shares import share
from glue.memory.wanted import Wanted
from tests.wires.memory_servers import Servers, milvus, remembering

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Popen[bytes]]]:
    """A Milvus Lite that nobody else needs: its address, and its process."""
    with milvus(tmp_path_factory.mktemp("own")) as found:
        yield found


@contextmanager
def stopped(process: Popen[bytes]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def test_every_call_to_a_silent_milvus_ends(own: tuple[str, Popen[bytes]]) -> None:
    uri, process = own
    index = Index(uri, "", "calls", 8, 20.0)
    await index.open()
    entry = Entry("1", Kind.VIEWER, "main", "mira", "mira has a cat", 1.0)
    vectors = np.ones((1, 8), np.float32)
    await index.add([entry], vectors)
    await index.search("cat", vectors, Wanted(frozenset({"main"}), "mira"), 2)
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
    with stopped(process):
        for number, call in enumerate(calls):
            with anyio.move_on_after(30) as waited, pytest.raises(Unreachable):
                await call()
            assert not waited.cancelled_caught, number
    index._within = 20.0
    assert set(await index.ids()) <= {"1"}  # what it was asked meanwhile it may yet do
    await index.close()


async def test_a_milvus_that_falls_silent_is_told_and_used_again_when_it_answers(
    at: Servers, own: tuple[str, Popen[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Opens, "opened", partialmethod(Opens.opened, within=3.0))
    told, events = anyio.create_memory_object_stream[Event](100)
    asked, (uri, process) = ("mira", "what is my cat called?"), own
    async with told, events:
        there = replace(at, milvus=uri)
        async with remembering(there, tmp_path, told=told.send_nowait) as show:
            show.say("mira", "my cat is called Biscuit")
            assert await show.recalled(*asked)
            with stopped(process):
                show.memory.show(LineArrived(0.0, show.line("mira", "do you know my cat?")))
                assert "Milvus" in (await until(events, PartDegraded)).why
            await until(events, PartRecovered)
            assert await show.recalled(*asked)


Told = TypeVar("Told", PartDegraded, PartRecovered)


async def until(events: MemoryObjectReceiveStream[Event], kind: type[Told]) -> Told:
    with anyio.fail_after(60):
        while not isinstance(event := await events.receive(), kind):
            pass
    return event
