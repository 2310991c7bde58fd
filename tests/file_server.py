"""A web server with bad days, for the tests of fetching: the path says which one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

BLOCK = 20_000
# Half of a file comes; then, until the gate is set, this status or (0) a connection that is hung up.
OUTAGES = {"outage": 0, "unwell": 503}
AWAY = {"away": 0, "busy": 503}  # the same from the file's first byte on


class Handler(BaseHTTPRequestHandler):
    """Files with ranges, in blocks; what is asked for where is do_GET()'s."""

    protocol_version = "HTTP/1.1"

    @property
    def wanted(self) -> str:
        """The Range header, or ""."""
        return self.headers.get("Range", "")

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """A short answer."""
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def send(self, content: bytes, start: int, block: int, goes_on: Callable[[int], bool]) -> None:
        """`content` from `start`; before each block `goes_on` is asked, and may wait or hang up."""
        total = len(content)
        if start and start >= total:
            self.answer(416, {"Content-Range": f"bytes */{total}"})
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(total - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        for at in range(start, total, block):
            if not goes_on(at):
                self.close_connection = True
                return
            self.wfile.write(content[at : at + block])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def offset(wanted: str) -> int:
    """Where a Range header begins."""
    return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is part of the tests."""


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server on a free port of this machine."""
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


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


class _Ways(Handler):
    """/WAY/NAME serves a file in one of the ways below."""

    files: ClassVar[FileServer]

    def do_GET(self) -> None:
        self.files.asked.append((self.path, self.wanted))
        _, way, name = self.path.split("/", 2)
        content = self.files.files.get(name)
        if content is None:
            self.answer(404, {})
        elif way == "hub":  # as the hub does: a redirect that tells the file's hash
            self.answer(302, {"Location": f"/whole/{name}", "X-Linked-Etag": '"' + "0" * 64 + '"'})
        elif way == "hang":
            time.sleep(60)
        elif way in AWAY and not self.files.gate.is_set():
            if status := AWAY[way]:
                self.answer(status, {})
            self.close_connection = True
        elif way in OUTAGES and self.wanted and not self.files.gate.is_set():
            if status := OUTAGES[way]:
                self.answer(status, {})
            self.close_connection = True
        else:
            start = offset(self.wanted) if way != "norange" else 0
            self.send(content, start, BLOCK, lambda at: self._goes_on(way, start, at, len(content) // 2))

    def _goes_on(self, way: str, start: int, at: int, half: int) -> bool:
        if way == "breaks":  # one block for each request
            return at == start
        if way in OUTAGES and not start and at > half:
            return False
        if way == "mute":
            return False
        if way == "stalls" and not start and at > half:
            time.sleep(4)
            return False
        if way == "gated" and at > half + BLOCK:
            self.files.gate.wait(60)
        return True


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[FileServer]:
    """A server of files."""

    class Ways(_Ways):
        """With files of its own: tests may run several servers."""

    with running(Ways) as address:
        Ways.files = FileServer(address, files)
        yield Ways.files
