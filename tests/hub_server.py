"""A small hub: the listing, files behind a redirect with ranges, gates, and bad days."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from tests.file_server import Handler, offset, running

COMMIT = "c0ffee" + "0" * 34
BLOCK = 10_000
LARGE = 1000  # bytes: larger files have an LFS hash, as on the hub


@dataclass
class Hub:
    """`files` of the one repository owner/name. `token`: gated; `names`: what the listing says instead."""

    address: str
    files: dict[str, bytes]
    token: str = ""
    open_to_nobody: bool = False
    breaks: bool = False  # one block a request
    damaged: str = ""  # this file comes with other bytes
    listing: object = None  # said instead of the right one
    revisions: set[str] = field(default_factory=lambda: {"main"})  # all the same commit
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # path, Range, Authorization
    gate: threading.Event | None = None  # large files stop in the middle until it is set


class _Pages(Handler):
    hub: ClassVar[Hub]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        said = self.headers.get("Authorization", "")
        self.hub.asked.append((path, self.wanted, said))
        if path.startswith("/cdn/"):
            self._file(path.removeprefix("/cdn/"))
        elif self.hub.token and (self.hub.open_to_nobody or said != f"Bearer {self.hub.token}"):
            self.answer(403 if said else 401, {"X-Error-Code": "GatedRepo"})
        elif path in {f"/api/models/owner/name/revision/{each}" for each in self.hub.revisions}:
            listing = self.hub.listing if self.hub.listing is not None else self._listing()
            self.answer(200, {}, json.dumps(listing).encode())
        elif path.startswith(f"/owner/name/resolve/{COMMIT}/"):
            name = path.split("/", 5)[5]
            told = hashlib.sha256(self.hub.files[name]).hexdigest()
            etag = {"X-Linked-Etag": f'"{told}"'} if len(self.hub.files[name]) > LARGE else {}
            self.answer(302, {"Location": f"/cdn/{name}", **etag})
        else:
            self.answer(404, {"X-Error-Code": "RepoNotFound"})

    def _listing(self) -> object:
        return {
            "sha": COMMIT,
            "siblings": [
                {"rfilename": name, "size": len(content)} | _hashes(content)
                for name, content in self.hub.files.items()
            ],
        }

    def _file(self, name: str) -> None:
        content = self.hub.files[name]
        if name == self.hub.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start, half = offset(self.wanted), len(content) // 2
        self.send(content, start, BLOCK, lambda at: self._goes_on(start, at, half))

    def _goes_on(self, start: int, at: int, half: int) -> bool:
        if self.hub.gate and at > half + BLOCK:
            self.hub.gate.wait(60)
        return at == start or not self.hub.breaks


def _hashes(content: bytes) -> dict[str, object]:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if len(content) <= LARGE:
        return {"blobId": blob}
    return {"blobId": "0" * 40, "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}}


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Hub]:
    """A hub on a free port of this machine."""

    class Pages(_Pages):
        """With a hub of its own."""

    with running(Pages) as address:
        Pages.hub = Hub(address, files)
        yield Pages.hub
