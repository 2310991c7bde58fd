"""Writes a PEFT adapter as a bundle holds it for trtllm-serve: its two files, the weights in bf16.

What a training leaves beside them (an optimiser's state is twice as large) stays where it is.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import ml_dtypes
import numpy as np

from engines.bundle.adapters import CHUNK, CONFIG, WEIGHTS, AdapterFacts
from engines.bundle.nvfp4 import widened
from engines.bundle.safetensors_read import DTYPES, Checkpoint
from engines.bundle.safetensors_write import Draft, Slot

BF16 = "BF16"


def convert(facts: AdapterFacts, target: Path) -> None:
    """Write the adapter into the folder `target`. Raises BundleError, OSError."""
    target.mkdir(parents=True)
    shutil.copyfile(facts.folder / CONFIG, target / CONFIG)
    if facts.dtype == BF16:
        shutil.copyfile(facts.folder / WEIGHTS, target / WEIGHTS)
        return
    with Checkpoint.of(facts.folder / WEIGHTS) as weights:
        draft = Draft(target / WEIGHTS, [Slot(t.name, BF16, t.shape) for t in weights.tensors.values()])
        try:
            _fill(weights, draft)
            draft.finish()
        finally:
            draft.close()


def _fill(weights: Checkpoint, draft: Draft) -> None:
    narrow = DTYPES[BF16].itemsize
    for tensor in weights.tensors.values():
        wide = DTYPES[tensor.dtype]
        for start in range(0, tensor.size, CHUNK):
            raw = weights.piece(tensor, start, min(CHUNK, tensor.size - start))
            values = widened(np.frombuffer(raw, wide)).astype(ml_dtypes.bfloat16)
            draft.put(tensor.name, start // wide.itemsize * narrow, values.tobytes())
