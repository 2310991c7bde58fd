"""Puts the puppet on its port: takes it, serves, lets what was injected grow old, ends at once."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import uvicorn

from engines.avatar import discovery, subscriptions
from engines.avatar.models import MODELS, Wardrobe
from engines.avatar.options import Discovery, Options
from engines.avatar.puppet import Puppet
from engines.avatar.tokens import Tokens, state_folder
from engines.avatar.web import application

PATIENCE_S = 20.0  # for an answer to a WebSocket ping
AGEING_S = 0.05  # between two looks at what is older than a second


class PortTaken(Exception):
    """Somebody listens there already; one line with the cure."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers and access log; it ends at once, whatever is still open."""

    def __init__(self, puppet: Puppet, max_frame: int, page: str = "") -> None:
        super().__init__(
            uvicorn.Config(
                application(puppet, page),
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                http="h11",
                ws="websockets-sansio",
                ws_max_size=max_frame,
                ws_ping_interval=PATIENCE_S,
                ws_ping_timeout=PATIENCE_S,
                ws_per_message_deflate=False,  # it costs more than it saves on loopback
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are serve()'s."""
        yield

    def end(self) -> None:
        """Stop; who is connected is cut off without waiting until it has read what it was sent."""
        self.should_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ending.set)
    with _listener(options) as listener:
        now, port = time.monotonic(), listener.getsockname()[1]
        tokens = Tokens(state_folder(options.state_folder) / "puppet-tokens.json")
        puppet = Puppet(Wardrobe(MODELS[options.model], now), tokens, port, now)
        server = Server(puppet, options.max_frame, options.page)
        async with anyio.create_task_group() as tg:
            tg.start_soon(server.serve, [listener])
            tg.start_soon(_age, puppet)
            tg.start_soon(_tick, puppet)
            if options.discovery is Discovery.always:
                tg.start_soon(discovery.broadcast, port)
            sys.stderr.write(f"avatar: {options.model} is on http://{options.host}:{port}/\n")
            await ending.wait()
            server.end()
            await asyncio.sleep(0.2)  # uvicorn looks ten times a second
            tg.cancel_scope.cancel()


async def _age(puppet: Puppet) -> None:
    """Notice when what was injected is too old; asleep while there is nothing."""
    while True:
        await puppet.injected.wait()
        puppet.injected.clear()
        while puppet.parameters.expire(time.monotonic()):
            subscriptions.tracking(puppet, time.monotonic())
            await asyncio.sleep(AGEING_S)
        subscriptions.tracking(puppet, time.monotonic())
        puppet.changed()


async def _tick(puppet: Puppet) -> None:
    while True:
        await asyncio.sleep(1.0)
        subscriptions.test(puppet, time.monotonic())


@contextmanager
def _listener(options: Options) -> Iterator[socket.socket]:
    kind = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(kind, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((options.host, options.port))
            listener.listen(64)
        except OSError as error:
            where = f"{options.host}:{options.port}"
            raise PortTaken(
                f"avatar: {where} is taken; stop what listens there or give port=NUMBER"
            ) from error
        yield listener
