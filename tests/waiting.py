"""Waiting for what tells nobody when it changes: another process, a thread, a peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio

Answer = TypeVar("Answer")


async def eventually(found: Callable[[], Answer], within: float = 30.0) -> Answer:
    """Ask until the answer is true."""
    with anyio.fail_after(within):
        while not (answer := found()):  # noqa: ASYNC110  # there is no event to wait for
            await anyio.sleep(0.01)
    return answer
