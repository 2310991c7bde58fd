"""Background work gives way: it runs only while no reply is being written, and starts again after it.

On two cores a background prefill of 400 words takes a reply's first token from 0.26 s to 5 s. Cancelling a
request closes its connection; llama.cpp notices between two small batches if the request streams progress.
What is begun between a preparation and the reply that it is for costs that reply a batch: the lane rests a
little before it goes on.
"""

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio

from glue.errors import TooSlow

T = TypeVar("T")
REST = 0.3  # seconds of quiet before background work goes on
MOST_TRIES = 50  # of one job; a show that never pauses for it has no use for its answer


class Lane:
    """One background job at a time; `gave_way` counts how often one had to start again."""

    def __init__(self) -> None:
        self.gave_way = 0
        self._speaking = 0
        self._rested = -math.inf  # when REST is over
        self._quiet = anyio.Event()
        self._quiet.set()
        self._one = anyio.Lock()
        self._working: anyio.CancelScope | None = None

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """A reply is being written: background work stops now and waits."""
        self._speaking += 1
        if self._speaking == 1:
            self._quiet = anyio.Event()
        if self._working is not None:
            self._working.cancel()
        try:
            yield
        finally:
            self._speaking -= 1
            if not self._speaking:
                self._rested = anyio.current_time() + REST
                self._quiet.set()

    async def run(self, job: Callable[[], Awaitable[T]]) -> T:
        """Run `job` in the background lane, as often as it takes. Raises what it raises, or TooSlow."""
        async with self._one:
            for _ in range(MOST_TRIES):
                await self._free()
                with anyio.CancelScope() as self._working:
                    try:
                        return await job()
                    finally:
                        self._working = None
                self.gave_way += 1
        raise TooSlow("llm", "the background lane was never free for long enough")

    async def _free(self) -> None:
        while self._speaking or (rest := self._rested - anyio.current_time()) > 0:
            if self._speaking:
                await self._quiet.wait()
            else:
                await anyio.sleep(rest)
