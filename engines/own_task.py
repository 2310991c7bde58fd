"""gRPC's awaits and cancellation: cancelled in the middle of one, grpc.aio raises a CancelledError of its own
making, which its caller's scope does not know for its own. It ended all engines of a show, without a word."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import ParamSpec

from engines.process import NotReady

P = ParamSpec("P")
Probe = Coroutine[object, object, None]


def own_task(probe: Callable[P, Probe]) -> Callable[P, Probe]:
    """A probe that awaits gRPC, in a task of its own: who gives it up is cancelled, and nobody else."""

    @functools.wraps(probe)
    async def apart(*args: P.args, **kwargs: P.kwargs) -> None:
        task = asyncio.ensure_future(probe(*args, **kwargs))
        task.add_done_callback(_looked_at)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if task.cancelled():
            raise NotReady("gRPC gave the call up")
        task.result()

    return apart


def _looked_at(task: asyncio.Future[None]) -> None:
    """An error that nobody waits for any more is nobody's."""
    if not task.cancelled():
        task.exception()
