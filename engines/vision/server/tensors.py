"""The tensors of the wire: what a model takes and gives. KServe v2's types, without a server.

A tensor without rows cannot leave PyTriton 0.7 (its shared memory takes no zeros in a shape), so every list
has at least one row, and `count` [1] says how many of its rows are meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]
ANY = -1


@dataclass(frozen=True, slots=True)
class Slot:
    """A tensor's name, type (numpy's; bytes for text) and shape, -1 for any length."""

    name: str
    dtype: Any
    shape: tuple[int, ...]
    optional: bool = False


class Unit(Protocol):
    """A model of the wire: its pre-processing, its networks and its post-processing."""

    name: str
    inputs: Sequence[Slot]
    outputs: Sequence[Slot]
    providers: Sequence[str]  # of its networks, as ONNX Runtime says that it uses them

    def infer(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """Answer one request. Raises ValueError with words for the client."""
        ...


IMAGE = Slot("image", np.uint8, (ANY, ANY, 3))
COUNT = Slot("count", np.int32, (1,))


def listed(**columns: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """`columns` of as many rows each, and their `count`; a row of zeros or empty text where there is none."""
    count = len(next(iter(columns.values())))
    padded = {name: column if count else _blank(column) for name, column in columns.items()}
    return {"count": np.array([count], np.int32), **padded}


def words(texts: Sequence[str]) -> NDArray[Any]:
    """Text as the wire's BYTES [n]."""
    return np.array([text.encode() for text in texts], dtype=object)


def _blank(column: NDArray[Any]) -> NDArray[Any]:
    shape = (1, *column.shape[1:])
    return np.full(shape, b"", dtype=object) if column.dtype == object else np.zeros(shape, column.dtype)
