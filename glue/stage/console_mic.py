"""The pages' microphones: one socket at a time is heard.

The wire of /mic. Page -> show, binary: mono s16le samples at 16 kHz as they come, at most `LARGEST` bytes a
message. Show -> page, JSON text: {"kind": "mic", "heard": bool}: whether this page is the one that is
listened to; the page that opened last is.
"""

import json
from collections import deque

import anyio
import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from glue.ports import Pcm

LARGEST = 16_000  # bytes: half a second
WAITING = 50  # messages that may wait for a slow server; then the newest are lost


class Microphones:
    """All microphone sockets; the port of the same name."""

    def __init__(self) -> None:
        self.wanted = False  # somebody listens: pages show the button
        self.lost = 0  # messages
        self._open: list[WebSocket] = []
        self._blocks: deque[Pcm] = deque()
        self._wake = anyio.Event()

    async def heard(self) -> Pcm:
        """The port: the next block of what the page that is listened to hears."""
        while not self._blocks:
            self._wake = anyio.Event()
            await self._wake.wait()
        return self._blocks.popleft()

    async def serve(self, websocket: WebSocket) -> None:
        """One page, until it goes or sends what is no sound."""
        others, self._open = self._open, [*self._open, websocket]
        await self._tell(websocket, True)
        for other in others:
            await self._tell(other, False)
        try:
            await self._read(websocket)
        finally:
            self._open.remove(websocket)
            if self._open:
                await self._tell(self._open[-1], True)

    async def _read(self, websocket: WebSocket) -> None:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            data = message.get("bytes")
            if data is None or len(data) > LARGEST or len(data) % 2:
                await websocket.close(1008, "expected samples: s16le, 16 kHz, at most half a second")
                return
            if websocket is not self._open[-1] or not self.wanted:
                continue
            if len(self._blocks) >= WAITING:
                self.lost += 1
                continue
            self._blocks.append(np.frombuffer(data, "<i2").astype(np.int16))
            self._wake.set()

    async def _tell(self, websocket: WebSocket, heard: bool) -> None:
        try:
            with anyio.move_on_after(0.2):
                await websocket.send_text(json.dumps({"kind": "mic", "heard": heard}))
        except (WebSocketDisconnect, RuntimeError):
            pass  # it is on its way out
