"""Several clients ask at the same time, each one after another, until all rounds are done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from engines.bench.errors import BenchFailed

C = TypeVar("C")
T = TypeVar("T")


async def together(clients: Sequence[C], rounds: int, once: Callable[[C, int], Awaitable[T]]) -> list[T]:
    """The results of once(client, round), `rounds` of them at least one a client, as they came.

    Raises the first BenchFailed; nothing is under way any more then."""
    numbers = iter(range(max(rounds, len(clients))))
    found: list[T] = []
    failed: list[BenchFailed] = []

    async def go_on(client: C) -> None:
        try:
            for number in numbers:
                found.append(await once(client, number))
        except BenchFailed as error:
            failed.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for client in clients:
            group.start_soon(go_on, client)
    if failed:
        raise failed[0]
    return found
