"""Puts the puppet on its port: takes it, serves, lets what was injected grow old, ends at once."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import anyio

from engines.avatar import discovery, subscriptions
from engines.avatar.models import MODELS, Wardrobe
from engines.avatar.options import Discovery, Options
from engines.avatar.puppet import Puppet
from engines.avatar.tokens import Tokens, state_folder
from engines.avatar.web import application
from engines.uvicorn_server import Server, listening

PATIENCE_S = 20.0  # for an answer to a WebSocket ping
AGEING_S = 0.05  # between two looks at what is older than a second


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken."""
    with listening(options.host, options.port) as listener:
        now, port = time.monotonic(), listener.getsockname()[1]
        tokens = Tokens(state_folder(options.state_folder) / "puppet-tokens.json")
        puppet = Puppet(Wardrobe(MODELS[options.model], now), tokens, port, now)
        server = Server(application(puppet, options.page), **web_socket(options.max_frame))
        async with anyio.create_task_group() as tg:
            tg.start_soon(_age, puppet)
            tg.start_soon(_tick, puppet)
            if options.discovery is Discovery.always:
                tg.start_soon(discovery.broadcast, port)
            sys.stderr.write(f"avatar: {options.model} is on http://{options.host}:{port}/\n")
            await server.until_signal(listener)
            tg.cancel_scope.cancel()


def web_socket(max_frame: int) -> dict[str, Any]:
    """uvicorn's words for our WebSockets."""
    return {
        "ws": "websockets-sansio",
        "ws_max_size": max_frame,
        "ws_ping_interval": PATIENCE_S,
        "ws_ping_timeout": PATIENCE_S,
        "ws_per_message_deflate": False,  # it costs more than it saves on loopback
    }


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
