"""Serves an ASGI application as our engines do: on loopback, quiet, and ended at once by a signal."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from engines import port
from engines.port import PortTaken


class Server(uvicorn.Server):
    """uvicorn without its signal handlers and access log; it ends at once, whatever is still open."""

    def __init__(self, application: ASGIApp, **more: Any) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                http="h11",
                server_header=False,
                timeout_graceful_shutdown=1,
                **more,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are until_signal()'s."""
        yield

    async def until_signal(self, listener: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT; who is connected is cut off without waiting."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.end)
        await self.serve([listener])

    def end(self) -> None:
        """Stop; answers that are being given are cut."""
        self.should_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()


@contextmanager
def listening(host: str, number: int) -> Iterator[socket.socket]:
    """A listening socket. Raises PortTaken. It names its protocol: asyncio turns Nagle's algorithm off for no
    other, and an answer of two writes then waits 40 ms for the other side's acknowledgement."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(64)
        except OSError as error:
            cure = f"port={port.instead(host, number)}"
            raise PortTaken(f"port {number} is taken{port.holder(number)}; cure: {cure}") from error
        yield listener
