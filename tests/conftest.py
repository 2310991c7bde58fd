"""Shared by all tests: ports that are free, engines that run."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # comes with omegaconf
from anyio._backends._asyncio import TestRunner
from hypothesis import HealthCheck, settings

# Before anything loads gRPC: its handlers abort, now and then, a child that is forked to be another program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from engines.port import unused
from engines.process import Engines, running
from engines.specs import spec
from tests.need import need_models

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytest_plugins = ["tests.longest_first"]

yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # hundreds of configs are composed here

# how long an example takes, or its making, is the machine's business
settings.register_profile("spark", deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def passed_over(report: Callable[..., None]) -> Callable[..., None]:
    """anyio's report of errors in callbacks, without one of gRPC's: its poller hands the last events of an
    earlier test's loop, which is closed, to the loop of this one, which has nothing to do with them."""

    def exception_handler(runner: object, loop: object, context: dict[str, object]) -> None:
        if "PollerCompletionQueue._handle_events" not in repr(context.get("handle")):
            report(runner, loop, context)

    return exception_handler


TestRunner._exception_handler = passed_over(TestRunner._exception_handler)  # type: ignore[method-assign]

Start = Callable[..., AbstractAsyncContextManager[Engines]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Real time; a module in virtual time has one of its own."""
    return "asyncio"


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """The system's Chromium; who needs it with other flags defines it."""
    from tests.chromium import chromium  # playwright, which most tests need not load

    async with chromium() as browser:
        yield browser


@pytest.fixture
def port() -> int:
    return unused()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`async with start(llm={"model": "smollm2"}, speech={}) as engines:` on ports of their own."""

    @asynccontextmanager
    async def started(**sections: dict[str, object]) -> AsyncIterator[Engines]:
        found = [spec(name, {"port": unused()} | options) for name, options in sections.items()]
        need_models(*(model for each in found for model in each.models))
        async with running(found, tmp_path, within=60) as engines:
            yield engines

    return started
