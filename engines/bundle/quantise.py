"""Quantises a checkpoint to NVFP4, weights only (W4A16) with an FP8 key-value cache, streamed.

Peak memory does not depend on the model: a thread holds one block of rows and what is made
of it (rows.BLOCK_VALUES, 30 bytes a value: 8 MB), a copy 4 MB, Python and numpy some 60 MB.
The result equals ModelOpt's export of `general/ptq/nvfp4_weight_only-kv_fp8_cast`, byte by byte: without
calibration the FP8 cache's scales are 1, which both leave out of the file.
`python -m engines.bundle.quantise SOURCE TARGET` does it by hand; `--bench` measures the arithmetic.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console

from engines.bars import Bars
from engines.bundle import nvfp4, quantise_bench, quantise_config, rows
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import DTYPES, FLOATS, Checkpoint, Tensor, read_json
from engines.bundle.safetensors_shards import SHARD_BYTES, Piece, copy_rest, fingerprint, planned, write
from engines.bundle.safetensors_write import Draft, Slot, write_json

COPY_BYTES = 1 << 22
LINEAR = re.compile(r"^model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)\.weight$")
PLAIN = re.compile(r"^(model\.embed_tokens|lm_head|model\.norm|model\.layers\.\d+\..*norm)\.weight$|\.bias$")
FUSED = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))  # computed as one: one weight_scale_2
Progress = Callable[[int, int], None]


def quantise(source: Path, target: Path, progress: Progress, weight_only: bool = True) -> None:
    """Quantise the checkpoint in `source` into `target`. `progress` gets bytes read so far and in all.

    What a killed run has finished is kept. Raises BundleError, naming the tensor, with the cure."""
    if not weight_only:
        raise BundleError(
            "activations cannot be quantised without running the model; cure: quantise weights only,"
            " or use ModelOpt with the recipe general/ptq/nvfp4_default-kv_fp8_cast"
        )
    config = read_json(source / "config.json")
    quantise_config.check(config, source)
    with Checkpoint.of(source) as checkpoint, ThreadPoolExecutor(rows.workers()) as threads:
        pieces = [_piece(tensor) for tensor in _wanted(checkpoint, config)]
        shards = planned(pieces, SHARD_BYTES)
        job = _Job(
            checkpoint, threads, sum(checkpoint.tensors[piece.source].size for piece in pieces), progress
        )
        write(target, shards, f"nvfp4 {SHARD_BYTES} {fingerprint(checkpoint)}", job.fill, job.passed)
    copy_rest(source, target)
    write_json(target / "config.json", quantise_config.changed(config))
    write_json(target / "hf_quant_config.json", quantise_config.described())


def _wanted(checkpoint: Checkpoint, config: Mapping[str, object]) -> Iterator[Tensor]:
    tied = config.get("tie_word_embeddings") is True
    for tensor in checkpoint.tensors.values():
        if not (tied and tensor.name == "lm_head.weight"):  # a tied head is the embedding, saved twice
            yield tensor


def _piece(tensor: Tensor) -> Piece:
    """What a tensor becomes. Raises BundleError for one that this quantiser does not know."""
    if tensor.dtype not in FLOATS:
        raise BundleError(
            f"{tensor.name} is {tensor.dtype}, not one of {', '.join(FLOATS)};"
            " cure: start from the published weights"
        )
    if not LINEAR.match(tensor.name):
        if not PLAIN.search(tensor.name):
            raise BundleError(
                f"{tensor.name} is not part of a dense Llama or Qwen; cure: quantise with ModelOpt"
            )
        return Piece(tensor.name, (Slot(tensor.name, tensor.dtype, tensor.shape),))
    if len(tensor.shape) != 2 or tensor.shape[1] % nvfp4.BLOCK or 0 in tensor.shape:
        raise BundleError(
            f"{tensor.name} has the shape {list(tensor.shape)}: NVFP4 needs a matrix with a multiple"
            f" of {nvfp4.BLOCK} columns; cure: choose another model"
        )
    outputs, columns = tensor.shape
    slots = (
        Slot(tensor.name, "U8", (outputs, columns // 2)),
        Slot(f"{tensor.name}_scale", "F8_E4M3", (outputs, columns // nvfp4.BLOCK)),
        Slot(f"{tensor.name}_scale_2", "F32", ()),
    )
    return Piece(tensor.name, slots)


class _Job:
    """One run: reads pieces of the checkpoint, in threads, into drafts."""

    def __init__(
        self, checkpoint: Checkpoint, threads: ThreadPoolExecutor, total: int, progress: Progress
    ) -> None:
        self._checkpoint = checkpoint
        self._threads = threads
        self._total = total
        self._progress = progress
        self._read = 0
        self._largest: dict[str, float] = {}

    def passed(self, piece: Piece) -> None:
        """Count a piece that is done."""
        self._read += self._checkpoint.tensors[piece.source].size
        self._progress(self._read, self._total)

    def fill(self, piece: Piece, draft: Draft) -> None:
        """Make one piece."""
        tensor = self._checkpoint.tensors[piece.source]
        if len(piece.slots) == 1:
            self._copy(tensor, draft)
            return
        fused = [self._checkpoint.tensors[name] for name in self._group(tensor)]
        scale_2 = nvfp4.tensor_scale(max(map(self._amax, fused)))

        def part(start: int, count: int) -> int:
            values = nvfp4.widened(self._checkpoint.rows(tensor, start, count))
            packed, scales = nvfp4.quantised(values, scale_2)
            draft.put(tensor.name, start * packed.shape[1], packed.tobytes())
            draft.put(f"{tensor.name}_scale", start * scales.shape[1], scales.tobytes())
            return count * tensor.shape[1] * DTYPES[tensor.dtype].itemsize

        rows.over(self._threads, tensor.shape, part, self._advance)
        draft.put(f"{tensor.name}_scale_2", 0, np.float32(scale_2).tobytes())

    def _copy(self, tensor: Tensor, draft: Draft) -> None:
        for start in range(0, tensor.size, COPY_BYTES):
            data = self._checkpoint.piece(tensor, start, min(COPY_BYTES, tensor.size - start))
            draft.put(tensor.name, start, data)
            self._advance(len(data))

    def _group(self, tensor: Tensor) -> list[str]:
        """The tensors that share the scale of this one."""
        before, name, after = tensor.name.rsplit(".", 2)
        for fused in FUSED:
            if name in fused:
                names = [f"{before}.{each}.{after}" for each in fused]
                return [each for each in names if each in self._checkpoint.tensors]
        return [tensor.name]

    def _amax(self, tensor: Tensor) -> float:
        """The largest magnitude; read once. Raises BundleError for NaN and inf."""
        if tensor.name not in self._largest:
            found: list[float] = []

            def part(start: int, count: int) -> float:
                return nvfp4.amax(nvfp4.widened(self._checkpoint.rows(tensor, start, count)))

            rows.over(self._threads, tensor.shape, part, found.append)
            largest = float(np.max(found))  # unlike max(), lets no NaN be overlooked
            if not math.isfinite(largest):
                raise BundleError(f"{tensor.name} holds NaN or inf; cure: fetch the checkpoint again")
            self._largest[tensor.name] = largest
        return self._largest[tensor.name]

    def _advance(self, size: int) -> None:
        self._read += size
        self._progress(self._read, self._total)


def main() -> None:
    """The command line: SOURCE TARGET, or --bench. Exit 1 with one line when it fails."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.bundle.quantise", description="Quantise to NVFP4."
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="SOURCE TARGET")
    parser.add_argument("--bench", action="store_true", help="measure the arithmetic on this machine")
    asked = parser.parse_args()
    console = Console(stderr=True)
    if asked.bench:
        quantise_bench.show(console)
        return
    if len(asked.folders) != 2:
        parser.error("two folders are needed: SOURCE TARGET")
    try:
        with Bars(console) as bars:
            size = sum(path.stat().st_size for path in asked.folders[0].glob("*.safetensors"))
            bar = bars.add("quantise", size)
            quantise(asked.folders[0], asked.folders[1], lambda done, total: bar.at(done))
    except BundleError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
