"""Reads checkpoints in the safetensors format piece by piece, whole or in shards.

Nothing is memory-mapped: mapped pages count as this process's memory, and a checkpoint is larger than it.
Format: 8 bytes of header length (little endian), a JSON header, the tensors without a hole between them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import ml_dtypes
import numpy as np

from engines.bundle.errors import BundleError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
HEADER_LIMIT = 100_000_000  # bytes: the format's own bound
DTYPES: Mapping[str, np.dtype] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
FLOATS = ("BF16", "F16", "F32")  # what weights are published in


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: `at` bytes from the file's start, `size` bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    at: int
    size: int


def header(path: Path) -> dict[str, Tensor]:
    """The tensors of one file. Raises BundleError, naming file and tensor, for whatever is not whole."""
    try:
        whole = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if whole < 8 or not 2 <= length <= min(HEADER_LIMIT, whole - 8):
                raise _broken(path, "its header is cut short or damaged")
            raw = json.loads(stream.read(length))
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}; cure: fetch the checkpoint again") from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, "its header is not JSON") from error
    if not isinstance(raw, dict):
        raise _broken(path, "its header is not a table")
    start = 8 + length
    found = [_tensor(path, name, entry, start) for name, entry in raw.items() if name != "__metadata__"]
    expected = start
    for tensor in sorted(found, key=lambda tensor: (tensor.at, tensor.size)):
        if tensor.at != expected:
            raise _broken(path, f"{tensor.name} overlaps another tensor or leaves a hole")
        expected += tensor.size
    if expected != whole:
        raise _broken(path, f"it has {whole} bytes instead of {expected}")
    return {tensor.name: tensor for tensor in found}


def _tensor(path: Path, name: str, entry: object, start: int) -> Tensor:
    if not isinstance(entry, dict):
        raise _broken(path, f"{name} is not described by a table")
    dtype, shape, offsets = entry.get("dtype"), _sizes(entry.get("shape")), _sizes(entry.get("data_offsets"))
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise BundleError(f"{path}: {name} has the type {dtype}, which is not known here")
    if shape is None or offsets is None or len(offsets) != 2:
        raise _broken(path, f"{name} has no shape or no place")
    size = math.prod(shape) * DTYPES[dtype].itemsize
    if offsets[1] - offsets[0] != size:
        raise _broken(path, f"{name} has {offsets[1] - offsets[0]} bytes instead of {size}")
    return Tensor(name, dtype, shape, path, start + offsets[0], size)


def _sizes(value: object) -> tuple[int, ...] | None:
    """A list of sizes; None for anything else."""
    if isinstance(value, list) and all(type(each) is int and each >= 0 for each in value):
        return tuple(value)
    return None


def _broken(path: Path, why: str) -> BundleError:
    return BundleError(f"{path} is damaged: {why}; cure: fetch it again")


class Checkpoint:
    """Tensors in one file or several. A context manager; pieces may be read from any thread."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self._open: dict[Path, int] = {}

    @classmethod
    def of(cls, place: Path) -> Checkpoint:
        """The checkpoint in a folder, or in one file. Raises BundleError."""
        return cls(_tensors(place) if place.is_dir() else header(place))

    def __enter__(self) -> Checkpoint:
        for file in sorted({tensor.file for tensor in self.tensors.values()}):
            self._open[file] = os.open(file, os.O_RDONLY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def piece(self, tensor: Tensor, start: int, count: int) -> bytes:
        """`count` bytes of a tensor from byte `start` of it. Raises BundleError if the file has shrunk."""
        found = os.pread(self._open[tensor.file], count, tensor.at + start)
        if len(found) != count:
            raise _broken(tensor.file, f"{tensor.name} cannot be read whole")
        return found

    def rows(self, tensor: Tensor, start: int, count: int) -> np.ndarray:
        """Rows start ... start + count of a matrix, in the file's own type: [count, columns]."""
        width = tensor.shape[1] * DTYPES[tensor.dtype].itemsize
        raw = self.piece(tensor, start * width, count * width)
        return np.frombuffer(raw, DTYPES[tensor.dtype]).reshape(count, tensor.shape[1])

    def whole(self, tensor: Tensor) -> np.ndarray:
        """All of a (small) tensor, in the file's own type and shape."""
        raw = self.piece(tensor, 0, tensor.size)
        return np.frombuffer(raw, DTYPES[tensor.dtype]).reshape(tensor.shape)


def _tensors(folder: Path) -> dict[str, Tensor]:
    index = folder / INDEX
    if not index.exists():
        return header(folder / SINGLE)
    placed = read_json(index).get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise BundleError(f"{index} has no weight_map; cure: fetch it again")
    headers: dict[str, dict[str, Tensor]] = {}
    found = {}
    for name, file in placed.items():
        if not isinstance(file, str) or Path(file).name != file:
            raise BundleError(f"{index} places {name} in {file!r}, which is not a file beside it")
        if file not in headers:
            headers[file] = header(folder / file)
        if name not in headers[file]:
            raise BundleError(
                f"{folder / file} has no {name}, which the index places there; cure: fetch both"
            )
        found[name] = headers[file][name]
    return found


def read_json(path: Path) -> dict[str, object]:
    """A JSON file that holds a table. Raises BundleError."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}; cure: fetch the checkpoint again") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON; cure: fetch it again") from error
    if not isinstance(found, dict):
        raise BundleError(f"{path} does not hold a table; cure: fetch it again")
    return found
