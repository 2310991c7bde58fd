"""The sha256 of files and folders; a file that has not changed since it was hashed is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from engines import cache

NOTES = ".hashes.json"  # in the model cache
KEPT = 5000


class Hashes:
    """Hashes by (path, size, time of change, inode), remembered between runs."""

    def __init__(self) -> None:
        self._file = cache.root() / NOTES
        self._known: dict[str, list[object]] = {}
        with contextlib.suppress(OSError, ValueError):  # none yet, or torn: files are read again
            known = json.loads(self._file.read_text())
            self._known = known if isinstance(known, dict) else {}

    def of(self, path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
        """The sha256 of a file. Raises OSError."""
        facts = path.stat()
        mark = [facts.st_size, facts.st_mtime_ns, facts.st_ino]
        key = str(path.absolute())
        known = self._known.get(key)
        if isinstance(known, list) and known[:3] == mark and len(known) == 4:
            advance(facts.st_size)
            return str(known[3])
        found = cache.digest(path, advance)
        self._known.pop(key, None)
        self._known[key] = [*mark, found]
        return found

    def save(self) -> None:
        """Remember for the next run; a disk that does not take it costs only time."""
        newest = dict(list(self._known.items())[-KEPT:])
        fresh = self._file.with_name(f"{NOTES}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(newest))
            fresh.replace(self._file)


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
