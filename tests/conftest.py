"""Shared by all tests: ports that are free, engines that run."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything loads gRPC: its handlers abort, now and then, a child that is forked to be another program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from engines.process import Engines, running
from engines.specs import spec
from tests.need import need_models

settings.register_profile("spark", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("spark")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Of several processes that test, only one does while a test that is marked `alone` runs: the others end
    what they are at, and wait."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return (yield)
    with Path(tempfile.gettempdir(), f"spark-tests-{run}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        return (yield)


Start = Callable[..., AbstractAsyncContextManager[Engines]]


def free_port() -> int:
    """A port that nobody listens on now, from the system's own range."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`async with start(llm={"model": "smollm2"}, speech={}) as engines:` on ports of their own."""

    @asynccontextmanager
    async def started(**sections: dict[str, object]) -> AsyncIterator[Engines]:
        found = [spec(name, {"port": free_port()} | options) for name, options in sections.items()]
        need_models(*(model for each in found for model in each.models))
        async with running(found, tmp_path, within=60) as engines:
            yield engines

    return started
