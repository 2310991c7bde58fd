"""Keeps a part of the show alive: back off, tell, try again; a required part that stays down ends the show.

A PortError is the world's fault and is tried again; anything else is a bug and ends the show loudly.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from glue.errors import PortError
from glue.events import Event, PartDegraded, PartRecovered

Emit = Callable[[Event], None]
Works = Callable[[], None]  # what a part calls when it has connected and is of use


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait between tries and what counts as back to health. Seconds."""

    first: float = 0.2
    most: float = 10.0
    settled: float = 1.0  # a run that works for so long is healthy again
    required_within: float | None = None  # a required part that is down for so long ends the show


async def supervise(
    part: str, run: Callable[[Works], Awaitable[None]], emit: Emit, patience: Patience | None = None
) -> None:
    """Run `run` until it returns by itself. Raises its PortError when a required part stays down."""
    p = patience or Patience()
    wait, down_since = p.first, None
    while True:
        async with anyio.create_task_group() as tg:
            works, healed = anyio.Event(), anyio.Event()
            if down_since is not None:
                tg.start_soon(_announce, part, p.settled, works, healed, emit)
            try:
                await run(works.set)
                return
            except PortError as error:
                if healed.is_set():
                    wait, down_since = p.first, None
                now = anyio.current_time()
                if down_since is None:
                    down_since = now
                    emit(PartDegraded(now, part, error.why))
                if p.required_within is not None and now - down_since > p.required_within:
                    raise
            finally:
                tg.cancel_scope.cancel()
        await anyio.sleep(wait * random.uniform(0.8, 1.2))
        wait = min(wait * 2, p.most)


async def _announce(part: str, settled: float, works: anyio.Event, healed: anyio.Event, emit: Emit) -> None:
    await works.wait()
    await anyio.sleep(settled)
    healed.set()
    emit(PartRecovered(anyio.current_time(), part))
