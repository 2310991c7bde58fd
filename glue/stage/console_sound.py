"""The pages that can play sound: who of them plays, their sockets, and when what was sent is heard.

The wire of /audio. To the page, binary: 16 bytes of header, little endian (u32 kind: 1 play, 2 flush; u32
running number; f64 first sample's index), then mono s16le samples. A sample's index is its place on the
show's clock, `at * rate`, so that silence between two packets needs no words. Both ways, JSON text:
page -> {"kind": "sync", "sent": t}, answered {"kind": "sync", "sent": t, "now": show clock};
page -> {"kind": "claim", "name": str, "asked": bool, "expects": seconds of latency} and {"kind": "release"}:
it can play, or no more;
page -> {"kind": "position", "sample": index, "heard_at": show clock}, ten times a second while it plays;
to all -> {"kind": "player", "name": str, "you": bool}.
"""

import json
import struct
from collections import deque
from collections.abc import Callable

import anyio
from starlette.websockets import WebSocket

from glue.ports import Pcm
from glue.stage.console_page import Farewell

PLAY, FLUSH = 1, 2
QUEUE = 200  # packets of 10 ms; a page that is further behind loses the oldest
JUMP = 0.003  # seconds; reports scatter by 0.1 ms: what moved further did move
SMOOTH = 0.2  # weight of a new report
MOST = 5.0  # seconds; a report beyond it is a broken clock


class Listener:
    """One page's audio socket."""

    def __init__(self, socket: WebSocket, rate: int, patience: float) -> None:
        self.name = ""
        self.latency = 0.0  # seconds between play() and the sound; as expected until the first report
        self.lost = 0  # packets
        self._socket = socket
        self._rate = rate
        self._patience = patience
        self._packets: deque[bytes] = deque()
        self._notes: deque[str] = deque(maxlen=32)
        self._number = 0
        self._wake = anyio.Event()

    def play(self, index: int, pcm: Pcm) -> None:
        """Queue samples; `index` is the first one's place on the show's clock."""
        if len(self._packets) >= QUEUE:
            self._packets.popleft()
            self.lost += 1
        self._packets.append(self._header(PLAY, index) + pcm.astype("<i2").tobytes())
        self._wake.set()

    def flush(self) -> None:
        """Drop what waits here, and tell the page to drop what waits there."""
        self._packets.clear()
        self._packets.append(self._header(FLUSH, 0))
        self._wake.set()

    def tell(self, **note: object) -> None:
        """Queue a JSON message; sound goes first."""
        self._notes.append(json.dumps(note))
        self._wake.set()

    def _header(self, kind: int, index: int) -> bytes:
        self._number = (self._number + 1) & 0xFFFFFFFF
        return struct.pack("<IId", kind, self._number, index)

    def heard(self, sample: float, heard_at: float) -> None:
        """The page says: the sample at this index is heard at this time (show clock)."""
        latency = heard_at - sample / self._rate
        if not 0 < latency < MOST:
            return
        moved = abs(latency - self.latency) > JUMP
        self.latency = latency if moved else self.latency + SMOOTH * (latency - self.latency)

    async def write(self) -> None:
        """Send for ever. Raises TimeoutError for a page that does not read."""
        while True:
            if not self._packets and not self._notes:
                self._wake = anyio.Event()
                await self._wake.wait()
            with anyio.fail_after(self._patience):
                if self._packets:
                    await self._socket.send_bytes(self._packets.popleft())
                elif self._notes:
                    await self._socket.send_text(self._notes.popleft())

    async def read(self, players: "Players") -> Farewell | None:
        """Take in what the page says until it goes, or says what is no message of this wire."""
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            if not self._take(message.get("text"), players):
                return 1008, "not a message of this wire"
        return None

    def _take(self, text: str | None, players: "Players") -> bool:
        now = anyio.current_time()
        try:
            message = json.loads(text or "", parse_int=float)  # an int of 400 digits fits no float
        except (ValueError, RecursionError):
            return False
        match message:
            case {"kind": "sync", "sent": float(sent)}:
                self.tell(kind="sync", sent=sent, now=now)
            case {"kind": "position", "sample": float(sample), "heard_at": float(at)}:
                self.heard(sample, at)
            case {"kind": "claim", "name": str(name), "asked": bool(asked), "expects": float(expects)}:
                self.name = name[:40]
                self.latency = expects if 0 < expects < MOST else 0.0
                players.claim(self, asked)
            case {"kind": "release"}:
                players.release(self)
            case _:
                return False
        return True


class Players:
    """All audio sockets. Of those that can play, the one that asked last does; the others wait behind it."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        """`changed` is told the name of the page that plays from now on, "" for none."""
        self.wired = False
        self._open: list[Listener] = []
        self._able: list[Listener] = []
        self._changed = changed

    @property
    def player(self) -> Listener | None:
        """The page that plays."""
        return self._able[-1] if self._able else None

    def wire(self, wired: bool) -> None:
        """A speaker feeds the pages from now on, or no longer."""
        self.wired = wired
        self._tell_pages()

    def joins(self, listener: Listener) -> None:
        """A page has opened its audio socket."""
        self._open.append(listener)
        self._announce()

    def leaves(self, listener: Listener) -> None:
        """A page has gone."""
        self._open.remove(listener)
        self.release(listener)

    def claim(self, listener: Listener, asked: bool) -> None:
        """A page can play. Where somebody `asked` for it it does now; else only if no other page does."""
        before = self.player
        if listener in self._able:
            self._able.remove(listener)
        self._able.insert(len(self._able) if asked else 0, listener)
        self._hand_over(before)

    def release(self, listener: Listener) -> None:
        """A page cannot play any more: switched off, or its audio clock was suspended."""
        before = self.player
        if listener in self._able:
            self._able.remove(listener)
        self._hand_over(before)

    def _hand_over(self, before: Listener | None) -> None:
        if before is self.player:
            return
        if before is not None and before in self._open:
            before.flush()
        self._announce()
        self._tell_pages()

    def _tell_pages(self) -> None:
        self._changed(self.player.name if self.player else "")

    def _announce(self) -> None:
        player = self.player
        for listener in self._open:
            listener.tell(kind="player", name=player.name if player else "", you=listener is player)
