"""One address to one file on the disk: resumed by ranges, given up quickly when nobody ever answered, and
waited for when somebody did."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from engines.addresses import SourceFailed
from engines.cache import ModelError

ANSWER_SECONDS = 3.0  # name, connection and first line of the answer, together
STALL_SECONDS = 10.0  # between two blocks of a file
RESUMES = 4  # in a row, of a host that has never given a byte
OUTAGE_SECONDS = 300.0  # since its last byte, of one that has: routers start anew, providers change addresses
PAUSE_SECONDS = 0.5  # before the second try, twice as long before each other
PAUSE_AT_MOST = 30.0
PASSING = (408, 429, 500, 502, 503, 504)  # statuses that a host under way has for a while
CHUNK = 1 << 18
PROXY = "the environment's proxy is of no use; cure: HTTPS_PROXY=http://HOST:PORT, and no ALL_PROXY (SOCKS)"

Advance = Callable[[int, int], None]  # bytes there, bytes in all
Say = Callable[[str], None]


class Silent(SourceFailed):
    """Nobody answered."""


class Refused(SourceFailed):
    """It answered, and not with the file."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.url.host}: {answer.status_code} {answer.reason_phrase}")
        self.status = answer.status_code
        self.headers = answer.headers


class Downloader:
    """Fetches files and remembers which hosts were silent, so that each is waited for only once.

    `headers` go with every request, a token only to the host that was asked and not where it redirects.
    `say` gets a line when one that was giving falls silent and is waited for."""

    def __init__(self, headers: Mapping[str, str] | None = None, say: Say = lambda _: None) -> None:
        """Raises ModelError for a proxy that cannot be used."""
        within = httpx.Timeout(STALL_SECONDS)
        try:
            self._client = httpx.Client(headers=headers, follow_redirects=True, timeout=within)
        except (ImportError, ValueError) as error:  # SOCKS wants a package; or a scheme that nobody knows
            raise ModelError(PROXY) from error
        self._silent: set[str] = set()
        self._answered: set[str] = set()
        self._gave: set[str] = set()  # bytes of a file
        self._say = say

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def download(self, address: str, target: Path, advance: Advance, size: int = 0, sha256: str = "") -> None:
        """Make `target` the whole of `address`, going on where an earlier try ended.

        `size` and `sha256`, where known, refuse a wrong file before its bytes are fetched (the hub tells the
        hash in a header). Raises SourceFailed; OSError for the disk."""
        parts = urlsplit(address)
        if parts.scheme == "file":
            _copy(Path(url2pathname(parts.path)), target, advance)
            return
        tries, last = 0, time.monotonic()
        while not self._over(parts.netloc, tries, time.monotonic() - last):
            if tries == RESUMES:
                minutes = f"{OUTAGE_SECONDS / 60:.0f} minutes"
                self._say(f"{parts.hostname} gives nothing any more: trying again for up to {minutes}")
            time.sleep(min(PAUSE_SECONDS * 2 ** (tries - 1), PAUSE_AT_MOST) if tries else 0.0)
            before = _length(target)
            if self._tried(address, target, advance, size, sha256):
                return
            tries += 1
            if _length(target) > before:
                tries, last = 0, time.monotonic()
        raise SourceFailed(f"{parts.hostname}: broke off at {_length(target)} bytes and gave no more")

    def _over(self, host: str, tries: int, seconds: float) -> bool:
        """Whether a host is given up after `tries` without a byte, the last of which came `seconds` ago."""
        if host not in self._gave:
            return tries >= RESUMES
        if seconds < OUTAGE_SECONDS:
            return False
        for known in (self._answered, self._gave):  # the next file does not wait for it as long again
            known.discard(host)
        self._silent.add(host)
        return True

    def _tried(self, address: str, target: Path, advance: Advance, size: int, sha256: str) -> bool:
        """_once(), where what passes with time is no failure. Raises SourceFailed."""
        host = urlsplit(address).netloc
        try:
            return self._once(address, target, advance, size, sha256)
        except Silent:
            if host not in self._answered:
                self._silent.add(host)
                raise
        except Refused as error:
            if host not in self._gave or error.status not in PASSING:
                raise
        except httpx.TransportError:  # it broke off: the next try goes on there
            pass
        return False

    def _once(self, address: str, target: Path, advance: Advance, size: int, sha256: str) -> bool:
        """One request; True when the file is complete. Raises SourceFailed, httpx.TransportError."""
        have = _length(target)
        answer = self._answer(address, have)
        try:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                if _total(answer, 0) == have > 0:
                    return True
                target.unlink(missing_ok=True)  # it was longer than the file: begin again
                return False
            if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                raise Refused(answer)
            start = have if _resumes(answer, have) else 0
            total = _total(answer, start)
            _refuse_wrong(answer, total, size, sha256)
            with target.open("r+b" if start else "wb") as stream:
                stream.seek(start)
                for block in answer.iter_raw():  # unbuffered: what came before a break is kept
                    self._gave.add(urlsplit(address).netloc)
                    stream.write(block)
                    start += len(block)
                    advance(start, total)
            return start == total or not total
        finally:
            answer.close()

    def _answer(self, address: str, have: int) -> httpx.Response:
        """The head of the answer, within ANSWER_SECONDS. Raises Silent."""
        host = urlsplit(address).netloc
        if host in self._silent:
            raise Silent(f"{urlsplit(address).hostname}: no answer before")
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        request = self._client.build_request("GET", address, headers=headers)
        try:
            answer = within(ANSWER_SECONDS, lambda: self._client.send(request, stream=True))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Silent(f"{urlsplit(address).hostname}: {str(error) or type(error).__name__}") from error
        self._answered.add(host)
        return answer


def within(seconds: float, work: Callable[[], httpx.Response]) -> httpx.Response:
    """Do `work` in a thread that may be left behind: looking up a name cannot be cancelled.

    Raises TimeoutError and what `work` raises."""
    outcome: queue.SimpleQueue[httpx.Response | Exception] = queue.SimpleQueue()

    def body() -> None:
        try:
            outcome.put(work())
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
            outcome.put(error)

    threading.Thread(target=body, daemon=True).start()
    try:
        result = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from None
    if isinstance(result, Exception):
        raise result
    return result


def _refuse_wrong(answer: httpx.Response, total: int, size: int, sha256: str) -> None:
    told = next(
        (old.headers["x-linked-etag"] for old in answer.history if "x-linked-etag" in old.headers), ""
    )
    told = told.strip('"')
    if sha256 and len(told) == len(sha256) and told != sha256:
        raise SourceFailed(f"{answer.url.host}: has another file (sha256 {told[:12]}...)")
    if size and total and total != size:
        raise SourceFailed(f"{answer.url.host}: has another file ({total} bytes instead of {size})")


def _resumes(answer: httpx.Response, have: int) -> bool:
    """Whether the answer goes on at `have`: a server may ignore a range and send everything."""
    return str(answer.headers.get("content-range", "")).startswith(f"bytes {have}-")


def _total(answer: httpx.Response, start: int) -> int:
    """Bytes of the whole file; 0 where the server does not say."""
    told = answer.headers.get("content-range", "").rpartition("/")[2]
    if told.isdigit():
        return int(told)
    length = answer.headers.get("content-length", "")
    return start + int(length) if length.isdigit() else 0


def _copy(source: Path, target: Path, advance: Advance) -> None:
    """An index in a folder of this machine (pip's find-links)."""
    if not source.is_file():
        raise SourceFailed(f"{source} is missing")
    total, done = source.stat().st_size, 0
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(CHUNK):
            write.write(block)
            done += len(block)
            advance(done, total)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
