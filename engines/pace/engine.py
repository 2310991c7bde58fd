"""The small engine behind the proxy: one prompt after the other, as long as nobody gets late by it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Engine:
    """Two prompts at once on two cores make both late; a large model's can wait: it is not due yet."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()

    @asynccontextmanager
    async def prompt(self, most: float) -> AsyncIterator[Callable[[], None]]:
        """Wait for one's turn, at most `most` seconds. Call what it yields when the prompt is evaluated."""
        held = False
        try:
            async with asyncio.timeout(most):
                held = await self._free.acquire()
        except TimeoutError:
            pass  # then both at once

        def evaluated() -> None:
            nonlocal held
            if held:
                held = False
                self._free.release()

        try:
            yield evaluated
        finally:
            evaluated()
