"""A web server with bad days, for the tests of fetching: the path says which one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

BLOCK = 20_000


class FileServer:
    """`files` by name; what was asked stands in `asked` as (path, Range header or "")."""

    def __init__(self, address: str, files: dict[str, bytes]) -> None:
        self.address = address
        self.files = files
        self.asked: list[tuple[str, str]] = []
        self.gate = threading.Event()  # /gated/ sends the first half, and the rest when this is set

    def ranges(self, path: str) -> list[str]:
        """The Range headers of the requests for a path, in order."""
        return [wanted for asked, wanted in self.asked if asked == path]


class _Handler(BaseHTTPRequestHandler):
    """/WAY/NAME serves a file in one of the ways below."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[FileServer]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.files.asked.append((self.path, wanted))
        _, way, name = self.path.split("/", 2)
        content = self.files.files.get(name)
        if content is None:
            self.send_error(404)
            return
        if way == "hub":  # as the hub does: a redirect that tells the file's hash
            self.send_response(302)
            self.send_header("Location", f"/whole/{name}")
            self.send_header("X-Linked-Etag", '"' + "0" * 64 + '"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if way == "hang":
            time.sleep(6)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and way != "norange" else 0
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(way, content, start)

    def _send(self, way: str, content: bytes, start: int) -> None:
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        for at in range(start, len(content), BLOCK):
            if way == "breaks" and at > start:  # one block for each request
                self.close_connection = True
                return
            if way == "stalls" and not start and at > len(content) // 2:
                time.sleep(4)
                self.close_connection = True
                return
            self.wfile.write(content[at : at + BLOCK])
            if way == "gated" and at > len(content) // 2:
                self.files.gate.wait(20)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is part of the tests."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[FileServer]:
    """A server on a free port of this machine."""

    class Handler(_Handler):
        """With files of its own: tests may run several servers."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        Handler.files = FileServer(f"http://127.0.0.1:{server.server_address[1]}", files)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield Handler.files
        server.shutdown()
