"""A server that listens and does not what it should: errors, garbage, silence, an answer without an end."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PAUSE = 0.1  # seconds between two bytes of an answer that drips


def http(status: int, body: bytes, length: int | None = None) -> bytes:
    """One whole answer."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body


ANSWERS = {
    "500": http(500, b"it broke"),
    "400": http(400, b'{"error": "no"}'),
    "401": http(401, b""),
    "garbage": http(200, b"\xff\xfe<html>"),
    "empty": http(200, b'{"data": []}'),
    "shape": http(200, b'{"data": 5}'),
    "deep": http(200, b"[" * 100_000),
    "cut": http(200, b'{"da', length=4000),
    "noise": bytes(range(256)) * 4,
    "hangs up": b"",
    "good": http(200, json.dumps({"data": [{"id": "a-model"}]}).encode()),
}
WAYS = [*ANSWERS, "silent", "drips", "endless"]


class _Handler(socketserver.BaseRequestHandler):
    way = ""
    over: threading.Event

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            if self.way in ANSWERS:
                self.request.recv(4096)
                self.request.sendall(ANSWERS[self.way])
            elif self.way == "silent":
                self.over.wait(20)
            else:
                self.request.recv(4096)
                self.request.sendall(http(200, b"", length=10**12))
                while not self.over.wait(PAUSE if self.way == "drips" else 0):
                    self.request.sendall(b" " * (1 if self.way == "drips" else 65536))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


@contextmanager
def serving(way: str) -> Iterator[int]:
    """A server of one of WAYS; its port."""
    over = threading.Event()
    handler = type("Handler", (_Handler,), {"way": way, "over": over})
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield int(server.server_address[1])
        over.set()
        server.shutdown()


@contextmanager
def closed() -> Iterator[int]:
    """A port that refuses: bound and not listened on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
