"""Takes a matrix block by block of rows in threads: numpy computes without Python's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

BLOCK_VALUES = 1 << 18  # values a thread takes at a time: they and what is made of them stay in its cache
WAITING = 2  # blocks under way for each thread
T = TypeVar("T")


def workers() -> int:
    """Threads: as many as there are cores."""
    return os.cpu_count() or 1


def over(
    threads: ThreadPoolExecutor,
    shape: tuple[int, ...],
    part: Callable[[int, int], T],
    done: Callable[[T], None],
) -> None:
    """Call part(first row, rows) for each block of a matrix, in threads; done(result) here, in order.

    Nothing is under way any more when it returns or raises: what the blocks write to may then be closed."""
    rows, columns = shape
    step = max(1, BLOCK_VALUES // columns)
    waiting: deque[Future[T]] = deque()
    try:
        for start in range(0, rows, step):
            waiting.append(threads.submit(part, start, min(step, rows - start)))
            if len(waiting) > WAITING * workers():
                done(waiting.popleft().result())
        while waiting:
            done(waiting.popleft().result())
    finally:
        for each in waiting:
            each.cancel()
        wait(waiting)
