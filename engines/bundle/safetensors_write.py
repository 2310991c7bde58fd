"""Writes safetensors files whose tensors arrive in pieces; a file under its own name is whole."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines import room
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import DTYPES
from engines.cache import digest

PART = ".part"


@dataclass(frozen=True, slots=True)
class Slot:
    """A tensor to come."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


class Draft:
    """A file under way, beside its final place. put() may be called from any thread, in any order."""

    def __init__(self, path: Path, slots: Iterable[Slot]) -> None:
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._at, head, self._size = _layout(slots)
        self._file = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._write(head, 0)

    def put(self, name: str, start: int, data: bytes | memoryview) -> None:
        """Bytes of a tensor, from byte `start` of it. Raises BundleError when the disk is full."""
        self._write(data, self._at[name] + start)

    def _write(self, data: bytes | memoryview, at: int) -> None:
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        try:
            while view:
                done = os.pwrite(self._file, view, at)
                view, at = view[done:], at + done
        except OSError as error:
            raise full(error, self._path.parent) from error

    def finish(self) -> str:
        """Put the file in its place, on the disk; the SHA-256 of what is there."""
        try:
            os.ftruncate(self._file, self._size)  # the last tensor may be empty
            os.fsync(self._file)
        except OSError as error:
            raise full(error, self._path.parent) from error
        found = digest(self._part)
        self._part.replace(self._path)
        settle(self._path.parent)
        return found

    def close(self) -> None:
        """Let go of the file; what was not finished is left as a part."""
        os.close(self._file)


def _layout(slots: Iterable[Slot]) -> tuple[dict[str, int], bytes, int]:
    """Where each tensor begins, the file's head, and its size. Wide types first, so that all are aligned."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    places: dict[str, int] = {}
    end = 0
    for slot in sorted(slots, key=lambda slot: -DTYPES[slot.dtype].itemsize):
        places[slot.name] = end
        offsets = [end, end + slot.size]
        entries[slot.name] = {"dtype": slot.dtype, "shape": list(slot.shape), "data_offsets": offsets}
        end += slot.size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    return {name: len(head) + at for name, at in places.items()}, head, len(head) + end


def write(path: Path, tensors: Sequence[tuple[Slot, bytes]]) -> str:
    """A small file in one go; its SHA-256."""
    draft = Draft(path, [slot for slot, _ in tensors])
    try:
        for slot, data in tensors:
            draft.put(slot.name, 0, data)
        return draft.finish()
    finally:
        draft.close()


def write_json(path: Path, content: object) -> None:
    """A JSON file that is whole or not there. Raises BundleError when the disk is full."""
    part = path.with_name(path.name + PART)
    try:
        with part.open("w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=4)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        settle(path.parent)
    except OSError as error:
        raise full(error, path.parent) from error


def settle(folder: Path) -> None:
    """See that a folder's names are on the disk: a rename is not, before that."""
    there = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(there)
    finally:
        os.close(there)


def full(error: OSError, folder: Path) -> BundleError:
    """What a failed write means."""
    if room.full(error):
        return BundleError(f"no room in {folder}; cure: free some and start again (what is done is kept)")
    return BundleError(f"{folder}: {error.strerror or error}; cure: see that you may write there")
