"""The sha256 of files and folders; a file that has not changed since it was hashed is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from engines import cache
from engines.bars import Bars

NOTES = ".hashes.json"  # in the model cache
KEPT = 5000
LONG = 200_000_000  # bytes: reading more takes seconds, and is shown


class Hashes:
    """Hashes by (path, size, time of change, inode), remembered between runs. Long files are shown in `bars`
    while they are read."""

    def __init__(self, bars: Bars | None = None) -> None:
        self._bars = bars
        self._file = cache.root() / NOTES
        self._known: dict[str, list[object]] = {}
        self._new = False
        with contextlib.suppress(OSError, ValueError):  # none yet, or torn: files are read again
            known = json.loads(self._file.read_text())
            self._known = known if isinstance(known, dict) else {}

    def of(self, path: Path) -> str:
        """The sha256 of a file. Raises OSError."""
        known = self._known.get(str(path.absolute()))
        if isinstance(known, list) and known[:3] == _mark(path) and len(known) == 4:
            return str(known[3])
        return self.read(path)

    def read(self, path: Path, advance: Callable[[int], None] | None = None) -> str:
        """The same by reading it in any case: a disk may lose bits and tell no time. Raises OSError."""
        mark = _mark(path)
        if advance is None:
            shown = self._bars.add(f"check {path.name}", mark[0]) if self._bars and mark[0] > LONG else None
            advance = shown.more if shown else lambda _: None
        found = cache.digest(path, advance)
        self._keep(path, mark, found)
        return found

    def learn(self, path: Path, found: str) -> None:
        """Remember a hash that was taken of the file under another name. Raises OSError."""
        self._keep(path, _mark(path), found)

    def _keep(self, path: Path, mark: list[int], found: str) -> None:
        self._known.pop(str(path.absolute()), None)
        self._known[str(path.absolute())] = [*mark, found]
        self._new = True

    def save(self) -> None:
        """Remember for the next run what is new; a disk that does not take it costs only time."""
        if not self._new:
            return
        newest = dict(list(self._known.items())[-KEPT:])
        fresh = self._file.with_name(f"{NOTES}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(newest))
            fresh.replace(self._file)


def _mark(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ino]


def files(folder: Path) -> list[Path]:
    """Every file below a folder, in a fixed order; what begins with a dot is not part of it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def table(folder: Path, paths: Iterable[Path], hashes: Hashes) -> dict[str, dict[str, object]]:
    """Size and hash of files, by their path inside `folder`."""
    return {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": hashes.of(path)}
        for path in paths
    }


def key(facts: Mapping[str, object]) -> str:
    """One hash of facts that JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
