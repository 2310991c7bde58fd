"""Checkpoints for the tests: read whole, cut anew, and compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engines.bundle.safetensors_read import INDEX, SINGLE, Checkpoint
from engines.bundle.safetensors_write import Slot, write, write_json
from engines.cache import digest

Raw = tuple[str, tuple[int, ...], bytes]  # type, shape, bytes
Changes = Mapping[str, Raw | None]


def contents(folder: Path) -> dict[str, Raw]:
    """Type, shape and bytes of every tensor."""
    with Checkpoint.of(folder) as found:
        return {
            name: (tensor.dtype, tensor.shape, found.piece(tensor, 0, tensor.size))
            for name, tensor in found.tensors.items()
        }


def arrays(folder: Path) -> dict[str, np.ndarray]:
    """Every tensor, in its own type."""
    with Checkpoint.of(folder) as found:
        return {name: found.whole(tensor) for name, tensor in found.tensors.items()}


def put(folder: Path, changes: Changes) -> None:
    """Replace, add or (None) remove tensors of a checkpoint in one file."""
    tensors: dict[str, Raw | None] = {**contents(folder), **changes}
    write(folder / SINGLE, [(Slot(n, t[0], t[1]), t[2]) for n, t in tensors.items() if t is not None])


def cut(folder: Path, parts: int, seed: int) -> None:
    """Cut a checkpoint in one file into shards, its tensors dealt out by chance."""
    numbers = np.random.default_rng(seed)
    placed: dict[str, str] = {}
    shards: dict[str, list[tuple[Slot, bytes]]] = {}
    for name, (dtype, shape, data) in contents(folder).items():
        file = f"model-{numbers.integers(parts) + 1:05d}-of-{parts:05d}.safetensors"
        placed[name] = file
        shards.setdefault(file, []).append((Slot(name, dtype, shape), data))
    (folder / SINGLE).unlink()
    for file, tensors in shards.items():
        write(folder / file, tensors)
    write_json(folder / INDEX, {"metadata": {}, "weight_map": placed})


def hashes(folder: Path) -> dict[str, str]:
    """The files of a checkpoint by their hashes; the journal, which names the source, is not part of it."""
    return {path.name: digest(path) for path in sorted(folder.iterdir()) if path.name[0] != "."}
