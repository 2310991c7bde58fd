"""One plugin's connection: every frame gets its answer, events come in between."""

from __future__ import annotations

import time

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from engines.avatar.puppet import Client, Puppet
from engines.avatar.requests import respond


async def serve(puppet: Puppet, websocket: WebSocket) -> None:
    """Answer for as long as it is there. Who does not read its answers is not asked for more."""
    client = Client()
    await websocket.accept()
    puppet.clients.add(client)
    try:
        async with anyio.create_task_group() as tg:
            tg.start_soon(_events, client, websocket)
            await _answers(puppet, client, websocket)
            tg.cancel_scope.cancel()
    except* WebSocketDisconnect:
        pass
    finally:
        puppet.clients.discard(client)


async def _answers(puppet: Puppet, client: Client, websocket: WebSocket) -> None:
    while (message := await websocket.receive())["type"] == "websocket.receive":
        frame = message.get("text")
        if frame is None:
            frame = message["bytes"]  # UTF-8 in a binary frame is allowed
        await websocket.send_text(respond(puppet, client, frame, time.monotonic()))


async def _events(client: Client, websocket: WebSocket) -> None:
    while True:
        await client.mail.wait()
        client.mail.clear()
        while client.outbox:
            await websocket.send_text(client.outbox.popleft())
