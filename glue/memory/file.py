"""An append-only file of JSON lines that survives kill -9, a cut cable and a full disk."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from glue.errors import ConfigError, Refused
from glue.memory.spots import Spots

PART = "memory"
VERSION = 1
DRAFT = ".new"  # a file's name while it is written again
GAP = b"{}"  # what is left of a line that was struck, and spaces
READ = 65536  # bytes that are read at once
BREATH = 500  # lines that a rewriting handles before it lets the show's own thread on: 2 ms
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class LineFile:
    """Lines are handed to the system at once (kill -9 loses none) and to the disk by sync().

    keep(), strike() and sync() may run in other threads than append()."""

    def __init__(self, path: Path) -> None:
        """Opens or makes it, for this process alone. Raises ConfigError: locked, or another version's."""
        self.path = path
        self._unsynced = False
        self._spots = Spots()
        self._one = threading.Lock()  # of the descriptor and the size, for moments
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = self._opened()
            path.with_suffix(DRAFT).unlink(missing_ok=True)  # of a kill: it may hold what was to be forgotten
            self._size = self._whole()
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; cure: memory.adapter.folder=FOLDER") from error

    def _opened(self) -> int:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(fd)
            cure = "end the other show, or memory.adapter.folder=ANOTHER"
            raise ConfigError(f"{self.path} is in use by another show; cure: {cure}") from error
        return fd

    def _whole(self) -> int:
        """The size up to the last whole line; what a cut left behind it is dropped."""
        head = (json.dumps({"spark_memory": VERSION}) + "\n").encode()
        size = os.fstat(self._fd).st_size
        if size == 0:
            os.pwrite(self._fd, head, 0)
            return len(head)
        first = os.pread(self._fd, 200, 0).split(b"\n")[0]
        try:
            version = json.loads(first)["spark_memory"]
        except (ValueError, KeyError, TypeError, RecursionError):
            version = "no"
        if version != VERSION:
            cure = f"move it away, or use the program that wrote it (export there, import here: {VERSION})"
            os.close(self._fd)
            raise ConfigError(f"{self.path} has {version} version that is known here; cure: {cure}")
        with self.path.open("rb") as file:
            end = size
            while end > 0:
                start = max(0, end - 65536)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    end = start + found + 1
                    break
                end = start
        os.ftruncate(self._fd, end)
        return end

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    def read(self) -> Iterator[bytes]:
        """Every line but the first, in order."""
        with self.path.open("rb") as file:
            file.readline()
            yield from file

    def append(self, line: str) -> None:
        """Add a line, all of it or nothing. Raises Refused where there is no room."""
        data = (line + "\n").encode("utf-8", "replace")
        with self._one:
            try:
                written = os.pwrite(self._fd, data, self._size)
                if written < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, self._size)
                raise _refusal(self.path, error) from error
            self._size += len(data)
            self._unsynced = True

    def sync(self) -> None:
        """See that all of it is on the disk. Raises Refused."""
        with self._one:
            if not self._unsynced:
                return
            self._unsynced = False
            fd = os.dup(self._fd)  # keep() may close the other one meanwhile
        try:
            os.fsync(fd)
        except OSError as error:
            raise _refusal(self.path, error) from error
        finally:
            os.close(fd)

    def strike(self, ids: Collection[str]) -> None:
        """Write over the lines with these ids, on the disk as well: each leaves a gap until
        keep() is called. Lines may be appended meanwhile. Raises Refused: then it may be tried again."""
        try:
            with self.path.open("r+b", buffering=READ) as file:
                self._spots.read_on(file, self._size)
                found = list(self._spots.find(file, ids))
                for at, length in found:
                    os.pwrite(file.fileno(), GAP.ljust(length - 1) + b"\n", at)
                if found:
                    os.fsync(file.fileno())
        except OSError as error:
            raise _refusal(self.path, error) from error

    def keep(self, wanted: Callable[[bytes], bool]) -> int:
        """Leave only the wanted lines, on the disk as well; returns how many went. Lines may be appended
        meanwhile. Raises Refused: then nothing has changed."""
        end = self._size
        with self._draft() as file:
            gone = _copied(_until(self.read(), end), wanted, file)
            file.flush()
            os.fsync(file.fileno())
            with self._one:  # what came meanwhile
                late = os.pread(self._fd, self._size - end, end)
                gone += _copied(late.splitlines(keepends=True), wanted, file)
                file.flush()
                self._replace(Path(file.name))
        return gone

    def rewrite(self, lines: Iterable[str]) -> None:
        """These lines in the place of all others; a kill leaves either the old or the new ones. Nobody may
        append meanwhile. Raises Refused: then nothing has changed."""
        with self._draft() as file:
            file.writelines((line + "\n").encode("utf-8", "replace") for line in lines)
            file.flush()
            os.fsync(file.fileno())
            with self._one:
                self._replace(Path(file.name))

    @contextlib.contextmanager
    def _draft(self) -> Iterator[IO[bytes]]:
        """A file beside this one, which is to take its place."""
        draft = self.path.with_suffix(DRAFT)
        try:
            with draft.open("wb") as file:
                os.chmod(draft, 0o600)  # noqa: PTH101  # by the open file would need the same
                file.write((json.dumps({"spark_memory": VERSION}) + "\n").encode())
                yield file
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _refusal(self.path, error) from error
        folder = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _replace(self, draft: Path) -> None:
        fd = os.open(draft, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.replace(self.path)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._size, self._unsynced = fd, os.fstat(fd).st_size, True
        self._spots = Spots()

    def close(self) -> None:
        """Put it on the disk and let go of it."""
        try:
            self.sync()
        finally:
            os.close(self._fd)


def _until(lines: Iterator[bytes], end: int) -> Iterator[bytes]:
    """The lines of a file whose first one is left out, up to its byte `end`."""
    at = len(json.dumps({"spark_memory": VERSION})) + 1
    for line in lines:
        if at >= end:
            return
        at += len(line)
        yield line


def _copied(lines: Iterable[bytes], wanted: Callable[[bytes], bool], file: IO[bytes]) -> int:
    """Copy the wanted lines; returns how many were not. In small steps: the show goes on."""
    gone = 0
    for number, line in enumerate(lines, 1):
        if line.rstrip() == GAP:
            pass
        elif wanted(line):
            file.write(line)
        else:
            gone += 1
        if number % BREATH == 0:
            time.sleep(0.001)
    return gone


def _refusal(path: Path, error: OSError) -> Refused:
    if error.errno in NO_ROOM:
        return Refused(PART, f"no room for {path}; cure: free some, or memory.adapter.folder=ANOTHER")
    return Refused(PART, f"{path}: {error.strerror}")
