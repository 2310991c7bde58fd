"""Merges a LoRA adapter into a checkpoint, streamed: W + scale * B @ A, for engines that take no adapter."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from engines.bundle import adapters, rows
from engines.bundle.adapters import AdapterFacts
from engines.bundle.errors import BundleError
from engines.bundle.nvfp4 import Floats, widened
from engines.bundle.safetensors_read import DTYPES, FLOATS, Checkpoint, Tensor, read_json
from engines.bundle.safetensors_shards import SHARD_BYTES, Piece, copy_rest, fingerprint, planned, write
from engines.bundle.safetensors_write import Draft, Slot
from engines.cache import digest

COPY_BYTES = 1 << 22


def merge(checkpoint: Path, adapter: Path, out: Path, progress: Callable[[int, int], None]) -> None:
    """Write `checkpoint` with `adapter` in its weights to `out`. `progress` gets bytes done and in all.

    The sum is taken in f32 and rounded once to the weights' own type. Raises BundleError."""
    config = read_json(checkpoint / "config.json")
    facts = adapters.read(adapter, config)
    with (
        Checkpoint.of(checkpoint) as base,
        Checkpoint.of(adapter / adapters.WEIGHTS) as lora,
        ThreadPoolExecutor(rows.workers()) as threads,
    ):
        _fits(base, facts, config)
        pieces = [
            Piece(each.name, (Slot(each.name, each.dtype, each.shape),)) for each in base.tensors.values()
        ]
        job = _Job(base, lora, facts, threads, progress)
        key = f"merge {SHARD_BYTES} {fingerprint(base)} {digest(adapter / adapters.WEIGHTS)} {facts.scale}"
        write(out, planned(pieces, SHARD_BYTES), key, job.fill, job.passed)
    copy_rest(checkpoint, out)


def _fits(base: Checkpoint, facts: AdapterFacts, config: dict[str, object]) -> None:
    for module in facts.modules:
        tensor = base.tensors.get(f"{module}.weight")
        if tensor is None or tensor.shape != adapters.shape(config, module) or tensor.dtype not in FLOATS:
            raise BundleError(
                f"the base's {module}.weight is {'missing' if tensor is None else tensor.dtype}"
                f"{'' if tensor is None else f' {list(tensor.shape)}'}: nothing to merge into;"
                " cure: merge into the published weights, before they are quantised"
            )


class _Job:
    """One run: reads pieces of the base, adds to them what the adapter says."""

    def __init__(
        self,
        base: Checkpoint,
        lora: Checkpoint,
        facts: AdapterFacts,
        threads: ThreadPoolExecutor,
        progress: Callable[[int, int], None],
    ) -> None:
        self._base = base
        self._lora = lora
        self._facts = facts
        self._changed = {f"{module}.weight": module for module in facts.modules}
        self._threads = threads
        self._progress = progress
        self._total = sum(tensor.size for tensor in base.tensors.values())
        self._done = 0

    def passed(self, piece: Piece) -> None:
        """Count a piece that is done."""
        self._advance(piece.size)

    def fill(self, piece: Piece, draft: Draft) -> None:
        """Make one piece."""
        tensor = self._base.tensors[piece.source]
        if tensor.name in self._changed:
            self._add(tensor, draft)
            return
        for start in range(0, tensor.size, COPY_BYTES):
            data = self._base.piece(tensor, start, min(COPY_BYTES, tensor.size - start))
            draft.put(tensor.name, start, data)
            self._advance(len(data))

    def _add(self, tensor: Tensor, draft: Draft) -> None:
        down, up = (self._side(self._changed[tensor.name], side) for side in "AB")
        scale = np.float32(self._facts.scale)
        dtype = DTYPES[tensor.dtype]

        def part(start: int, count: int) -> int:
            values = widened(self._base.rows(tensor, start, count))
            values += scale * (up[start : start + count] @ down)
            merged = values.astype(dtype).tobytes()
            draft.put(tensor.name, start * tensor.shape[1] * dtype.itemsize, merged)
            return len(merged)

        rows.over(self._threads, tensor.shape, part, self._advance)

    def _side(self, module: str, side: str) -> Floats:
        return widened(self._lora.whole(self._lora.tensors[adapters.tensor_name(module, side)]))

    def _advance(self, size: int) -> None:
        self._done += size
        self._progress(self._done, self._total)
