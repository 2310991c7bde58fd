"""Holds a port's iterator so that it is closed for certain: closing it is what makes its server stop."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TypeVar, cast

T = TypeVar("T")


def closing(iterator: AsyncIterator[T]) -> aclosing[AsyncGenerator[T, None]]:
    """`async with closing(port.stream(...)) as pieces: async for piece in pieces`.

    Ports promise an iterator and adapters write generators; only generators can be closed."""
    return aclosing(cast(AsyncGenerator[T, None], iterator))
