"""Where model files lie, and whether they are whole. Engines call locate(); fetch fills the place.

A file that was hashed once gets a stamp (hash, size, time of change), so that a warm start reads no file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from engines.folders import caches
from engines.manifest import MODELS
from engines.model import File, Model

STAMPS = ".stamps.json"
CHUNK = 1 << 20


class ModelError(Exception):
    """A model cannot be had; one line with the cure."""


def root() -> Path:
    """The cache: $SPARK_MODELS, or spark-vtuber/models in the user's cache folder."""
    if chosen := os.environ.get("SPARK_MODELS"):
        return Path(chosen)
    return caches() / "models"


def known(name: str) -> Model:
    """The manifest's entry. Raises ModelError with the choices."""
    if name not in MODELS:
        raise ModelError(f"no model '{name}'; the models are: {', '.join(MODELS)}")
    return MODELS[name]


def place(model: Model, file: File) -> Path:
    """Where a file lies, or would."""
    return root() / model.name / file.name


def locate(model: str, file: str) -> Path:
    """The path of a model's file. Raises ModelError when it is missing or its size is wrong.

    It reads no bytes: a file that is damaged inside is found by flaw(), when loading it fails."""
    entry = known(model)
    matching = [each for each in entry.files if each.name == file]
    if not matching:
        names = ", ".join(each.name for each in entry.files)
        raise ModelError(f"{model} has no file '{file}'; its files are: {names}")
    path = place(entry, matching[0])
    if not path.is_file():
        raise ModelError(f"{path} is missing; cure: python -m engines.fetch {model}")
    if path.stat().st_size != matching[0].size:
        raise ModelError(
            f"{path} is damaged ({path.stat().st_size} bytes instead of {matching[0].size});"
            f" cure: python -m engines.fetch {model}"
        )
    return path


def flaw(model: Model, file: File, advance: Callable[[int], None] = lambda _: None) -> str:
    """What is wrong with a cached file, by reading all of it; "" when nothing is. Keeps its stamp right."""
    path = place(model, file)
    if not path.is_file():
        return "missing"
    if path.stat().st_size != file.size:
        return f"{path.stat().st_size} bytes instead of {file.size}"
    if digest(path, advance) != file.sha256:
        _restamp(model, file, None)
        return "its sha256 is wrong"
    stamp(model, file)
    return ""


def stamped(model: Model, file: File) -> bool:
    """Whether the file is as it was when it was last hashed. Reads no bytes of it."""
    path = place(model, file)
    return path.is_file() and _stamps(model).get(file.name) == _mark(path, file)


def stamp(model: Model, file: File) -> None:
    """Remember that the file, as it is now, has the right hash."""
    _restamp(model, file, _mark(place(model, file), file))


def digest(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """The sha256 of a file; `advance` is told the bytes as they are read."""
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            running.update(block)
            advance(len(block))
    return running.hexdigest()


class alone:
    """Hold a lock file; `waiting` is told once where somebody else has it."""

    def __init__(self, path: Path, waiting: Callable[[], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path)
        self._waiting = waiting

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._waiting()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _mark(path: Path, file: File) -> list[object]:
    facts = path.stat()
    return [file.sha256, facts.st_size, facts.st_mtime_ns]


def _stamps(model: Model) -> dict[str, object]:
    try:
        stamps = json.loads((root() / model.name / STAMPS).read_text())
    except (OSError, ValueError):  # no stamps yet, or a torn write: the files are hashed again
        return {}
    return stamps if isinstance(stamps, dict) else {}


def _restamp(model: Model, file: File, mark: list[object] | None) -> None:
    stamps = _stamps(model)
    stamps.pop(file.name, None)
    if mark is not None:
        stamps[file.name] = mark
    target = root() / model.name / STAMPS
    fresh = target.with_name(f"{STAMPS}.{os.getpid()}")
    try:
        fresh.write_text(json.dumps(stamps, indent=1))
        fresh.replace(target)
    except OSError:  # a read-only or full disk: only the next start's speed suffers
        fresh.unlink(missing_ok=True)
