"""The console's sockets on bad days: who may not come in, frames that are none, pages that never read."""

from __future__ import annotations

import json
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from glue.stage.console import Console
from glue.stage.console_mic import LARGEST, WAITING
from glue.stage.console_sound import QUEUE
from tests.console_show import arrives, opened, origin, playing, told, tone, ws

pytestmark = pytest.mark.anyio
SOCKETS = ("ws", "audio", "mic")
GIANT = 300_000  # bytes, more than any message may have
CLAIM = json.dumps({"kind": "claim", "name": "x", "asked": True, "expects": 0.1}).encode()


@pytest.fixture
async def console(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Console]:
    """A console with its microphone on; no test may make it complain on the operator's terminal."""
    async with opened(tmp_path) as console:
        console.microphones.wanted = True
        yield console
    said = {record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING}
    assert said <= {"Invalid UTF-8 sequence received from client."}  # uvicorn's own, and harmless


async def closed(page: ClientConnection) -> int | None:
    """The code that the server closes with."""
    with anyio.fail_after(30):
        try:
            while True:
                await page.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None


async def well(console: Console) -> None:
    """The console serves a page as ever."""
    async with connect(ws(console)) as page:
        await told(page, kind="snapshot")


def framed(opcode: int, payload: bytes) -> bytes:
    """A whole frame as a page sends it, masked with noughts."""
    assert len(payload) < 126
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


def waits(console: Console) -> bool:
    """Whether something waits for a page that the system takes no more for."""
    assert console._server is not None
    connections = console._server.server_state.connections
    return any(each.transport.get_write_buffer_size() for each in connections)


@asynccontextmanager
async def raw(console: Console, path: str, then: bytes = b"") -> AsyncIterator[socket.socket]:
    """A page that shakes hands, sends `then` and never reads; its buffers are small."""
    target = console.url(path).split("/", 3)[3]
    hands = (
        f"GET /{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.socket() as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        page.settimeout(30)
        page.connect(("127.0.0.1", int(origin(console).rsplit(":", 1)[1])))
        page.sendall(hands.encode())
        assert b" 101 " in await anyio.to_thread.run_sync(page.recv, 64)
        page.sendall(then)
        yield page


async def ended(page: socket.socket) -> bytes:
    """All that is sent until the server has hung up."""
    heard = b""
    try:
        while piece := await anyio.to_thread.run_sync(page.recv, 65536):
            heard += piece
    except ConnectionResetError:
        pass
    return heard


@pytest.mark.parametrize("path", SOCKETS)
async def test_sockets_want_the_token_and_our_own_origin(console: Console, path: str) -> None:
    address = ws(console, path)
    async with connect(address, origin=origin(console)):  # type: ignore[arg-type]  # a NewType of str
        pass
    wrong = address.split("?")[0]
    for uri, other in [
        (address, "http://evil.example"),
        (address, origin(console).replace("127.0.0.1", "127.0.0.1.evil.example")),
        (address, "null"),
        (wrong, None),
        (wrong, origin(console)),
        (f"{wrong}?token=wrong", None),
        (f"{wrong}?token=", None),
        (f"{wrong}?token=%ff%00", None),
    ]:
        with pytest.raises(InvalidStatus) as refused:
            await connect(uri, origin=other)  # type: ignore[arg-type]  # a NewType of str
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "nonsense", ["{", "[]", '{"kind": "chat"}', '{"kind": "button", "text": "x"}', "[" * 90_000]
)
async def test_nonsense_is_answered_and_then_closed(console: Console, nonsense: str) -> None:
    async with connect(ws(console)) as page:
        await page.send(nonsense)
        assert (await told(page, kind="error"))["text"]
        for _ in range(9):
            await page.send(nonsense)
        assert await closed(page) == 1008


FRAMES: list[tuple[str, str | bytes, int]] = [
    ("ws", b"\x00\x01", 1003),
    ("audio", b"\x00" * 100, 1008),
    ("audio", "nonsense", 1008),
    ("audio", "", 1008),
    ("audio", "[" * 90_000, 1008),
    ("audio", '{"kind": "position", "sample": 1}', 1008),
    ("mic", "nonsense", 1008),
    ("mic", "", 1008),
    ("mic", '{"kind": "mic", "heard": true}', 1008),
    ("mic", b"\x00" * 33, 1008),
    ("mic", b"\x00" * (LARGEST + 2), 1008),
    *((path, "x" * GIANT, 1009) for path in SOCKETS),
    *((path, b"x" * GIANT, 1009) for path in SOCKETS),
]


@pytest.mark.parametrize("stays", [True, False])
async def test_frames_that_are_none_close_with_a_code(console: Console, stays: bool) -> None:
    for path, frame, code in FRAMES:
        async with connect(ws(console, path), max_size=None) as page:
            await page.send(frame)
            if stays:
                assert await closed(page) == code, (path, frame[:50])
            else:
                page.transport.abort()  # while it is being answered
        await well(console)


@pytest.mark.parametrize(
    ("junk", "code"),
    [
        (framed(1, b"\xff\xfe"), 1007),  # a text that is no UTF-8
        (b"\xff" * 64, 1002),
        (bytes([0x81, 2]) + b"{}", 1002),  # not masked
        (framed(3, b"what?"), 1002),
        (bytes([0x82, 0xFF]) + (2**62).to_bytes(8) + bytes(4), 1009),  # so many bytes are to come
    ],
    ids=["no UTF-8", "noise", "unmasked", "unknown", "giant"],
)
async def test_what_is_no_frame_is_hung_up_on(console: Console, junk: bytes, code: int) -> None:
    for path in SOCKETS:
        async with raw(console, path, junk) as page:
            assert struct.pack(">H", code) in await ended(page), path
        await well(console)


async def test_a_microphones_samples_are_heard_and_a_flood_of_them_is_bounded(console: Console) -> None:
    microphones = console.microphones
    async with connect(ws(console, "mic")) as page:
        await told(page, kind="mic", heard=True)
        for sound in (b"", np.array([1, -2, 32767], "<i2").tobytes()):
            await page.send(sound)
        with anyio.fail_after(30):
            assert (await microphones.heard()).tolist() == [1, -2, 32767]
            for number in range(WAITING + 20):
                await page.send(np.full(LARGEST // 2, number, "<i2").tobytes())
            await page.send("that was all")
            assert await closed(page) == 1008
        kept = [int(block[0]) for block in microphones._blocks]
        assert kept == list(range(20, WAITING + 20)) and microphones.lost == 20, "the newest"


async def test_a_microphone_that_was_sent_away_gives_way_to_the_one_before(console: Console) -> None:
    async with connect(ws(console, "mic")) as first, connect(ws(console, "mic")) as second:
        await told(second, kind="mic", heard=True)
        await told(first, kind="mic", heard=False)
        await second.send(b"odd")
        assert await closed(second) == 1008
        await told(first, kind="mic", heard=True)


@pytest.mark.parametrize("flood", [False, True])
async def test_a_page_that_never_reads_is_dropped_and_harms_nobody(tmp_path: Path, flood: bool) -> None:
    async with opened(tmp_path, patience_s=0.5) as console, connect(ws(console)) as page:
        await told(page, kind="snapshot")
        async with raw(console, "ws"):
            number = 0
            with anyio.fail_after(30):
                while len(console._pages) > 1:
                    number += 1
                    arrives(console, number, "mika", "x" * (4000 if flood else 10))
                    await told(page, event="LineArrived")


@pytest.mark.parametrize("flood", [0, 100])
async def test_a_page_that_plays_and_never_reads_is_dropped_and_the_next_one_plays(
    tmp_path: Path, flood: int
) -> None:
    """What waits for it is bounded and then gone; the sound goes on, and the page behind it has it."""
    async with opened(tmp_path, patience_s=0.5) as console, playing(console) as mixer:
        track = mixer.track()
        async with raw(console, "audio", framed(1, CLAIM)) as lost, connect(ws(console, "audio")) as other:
            await other.send(CLAIM.replace(b"true", b"false").decode())
            await told(other, kind="player", name="x", you=False)
            deaf = console.players.player
            assert deaf is not None
            with anyio.fail_after(30):
                while console.players.player is deaf:
                    for _ in range(flood):
                        deaf.play(0, tone(0.1))
                    await track.write(tone(0.1))
                    assert len(deaf._packets) <= QUEUE
                await track.write(tone(0.1))
                while not isinstance(await other.recv(), bytes):
                    pass
                await ended(lost)
            other.transport.abort()  # a farewell would wait behind sound that nobody reads
        assert bool(deaf.lost) == bool(flood)


async def test_shutting_down_does_not_wait_for_pages(tmp_path: Path) -> None:
    async with AsyncExitStack() as lost:
        async with opened(tmp_path, patience_s=60.0) as console:
            assert console._server is not None
            console._server.config.timeout_graceful_shutdown = 60
            pages = [await connect(ws(console, path)) for path in SOCKETS]
            for path in SOCKETS:
                await lost.enter_async_context(raw(console, path))
            number = 0
            while not waits(console):
                number += 1
                arrives(console, number, "mika", "x" * 4000)
                await told(pages[0], event="LineArrived")
            before = anyio.current_time()
        assert anyio.current_time() - before < 30, "as long as a page is waited for that never reads"
        for page in pages:
            await page.close()
