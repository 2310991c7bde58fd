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
from glue.stage.console_page import Farewell, send_away

LARGEST = 16_000  # bytes: half a second
PATIENCE = 0.2  # seconds that a page may take to read what it is told
WAITING = 50  # messages that may wait for a slow server; then the oldest are lost: nobody wants those


class Microphones:
    """All microphone sockets; the port of the same name."""

    def __init__(self) -> None:
        self.wanted = False  # somebody listens: pages show the button
        self.lost = 0  # messages
        self._open: list[WebSocket] = []
        self._blocks: deque[Pcm] = deque(maxlen=WAITING)
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
        try:
            await self._tell(websocket, True)
            for other in others:
                await self._tell(other, False)
            if farewell := await self._read(websocket):
                await send_away(websocket, farewell, PATIENCE)
        finally:
            self._open.remove(websocket)
            if self._open:
                await self._tell(self._open[-1], True)

    async def _read(self, websocket: WebSocket) -> Farewell | None:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            data = message.get("bytes")
            if data is None or len(data) > LARGEST or len(data) % 2:
                return 1008, "expected samples: s16le, 16 kHz, at most half a second"
            if websocket is not self._open[-1] or not self.wanted or not data:
                continue
            self.lost += len(self._blocks) == WAITING
            self._blocks.append(np.frombuffer(data, "<i2").astype(np.int16))
            self._wake.set()
        return None

    async def _tell(self, websocket: WebSocket, heard: bool) -> None:
        try:
            with anyio.move_on_after(PATIENCE):
                await websocket.send_text(json.dumps({"kind": "mic", "heard": heard}))
        except (WebSocketDisconnect, RuntimeError):
            pass  # it is on its way out
