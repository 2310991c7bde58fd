"""Sockets on which our servers listen."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from engines.uvicorn_server import listening
from glue.stage.console import _bound


def of_an_engine(stack: ExitStack) -> socket.socket:
    return stack.enter_context(listening("127.0.0.1", 0))


def of_the_console(stack: ExitStack) -> socket.socket:
    return stack.enter_context(_bound("127.0.0.1", 0))


@pytest.mark.parametrize("of", [of_an_engine, of_the_console])
def test_an_answer_of_two_writes_does_not_wait_for_the_other_side(
    of: Callable[[ExitStack], socket.socket],
) -> None:
    async def delays() -> list[int]:
        found: list[int] = []

        async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own = writer.get_extra_info("socket")
            found.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with ExitStack() as stack:
            listener = of(stack)
            port = listener.getsockname()[1]
            async with await asyncio.start_server(accepted, sock=listener):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.wait_for(reader.read(), 30)  # its end: it was accepted
                writer.close()
        return found

    assert asyncio.run(delays()) == [1]
