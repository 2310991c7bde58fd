"""Waiting for what tells nobody when it changes: another process, a thread, a peer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import anyio
import psutil

Answer = TypeVar("Answer")


async def eventually(found: Callable[[], Answer], within: float = 30.0) -> Answer:
    """Ask until the answer is true."""
    with anyio.fail_after(within):
        while not (answer := found()):  # noqa: ASYNC110  # there is no event to wait for
            await anyio.sleep(0.01)
    return answer


def wait(until: Callable[[], bool], seconds: float = 100.0) -> None:
    """Look again and again; fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def gone(family: Sequence[psutil.Process]) -> bool:
    """Nobody of it lives; a zombie that nobody reaps does not live."""
    living = [each for each in family if each.is_running()]
    return all(_dead(each) for each in living)


def _dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
