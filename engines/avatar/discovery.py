"""Tells the network where the API is, as VTube Studio does: UDP broadcast on 47779 every two seconds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid

from engines.avatar.wire import answer

EVERYBODY, EVERY_S = ("255.255.255.255", 47779), 2.0
KIND = "VTubeStudioAPIStateBroadcast"


async def broadcast(port: int, to: tuple[str, int] = EVERYBODY) -> None:
    """Say it for ever; a machine without a network says nothing."""
    data = {"active": True, "port": port, "instanceID": uuid.uuid4().hex, "windowTitle": "Spark VTuber"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setblocking(False)
        while True:
            with contextlib.suppress(OSError):
                sender.sendto(answer(KIND, KIND, data).encode(), to)
            await asyncio.sleep(EVERY_S)
