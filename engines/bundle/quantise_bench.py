"""Measures the quantiser's arithmetic on this machine, against copying the same memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
from rich.console import Console

from engines.bundle import nvfp4, rows

ROWS, COLUMNS = 4096, 8192  # 67 MB: a fourth of one of 70B's smaller matrices
SIZE = ROWS * COLUMNS * 2  # bytes
ROUNDS = 3
SEVENTY_BYTES = 141e9  # Llama 3.1 70B in bf16
SPARK_CORES = 20


def rates(threads: int) -> dict[str, float]:
    """Bytes of bf16 a second: copied, and quantised (both passes), by this many threads."""
    numbers = np.random.default_rng(0)
    weights = numbers.normal(0, 0.02, (ROWS, COLUMNS)).astype(np.float32).astype(ml_dtypes.bfloat16)
    target = np.empty_like(weights)
    scale_2 = nvfp4.tensor_scale(0.12)

    def copy(start: int, count: int) -> None:
        target[start : start + count] = weights[start : start + count]

    def quantise(start: int, count: int) -> None:
        block = weights[start : start + count]
        nvfp4.amax(nvfp4.widened(block))
        packed, scales = nvfp4.quantised(nvfp4.widened(block), scale_2)
        packed.tobytes()
        scales.tobytes()

    with ThreadPoolExecutor(threads) as pool:
        return {"copy": _rate(pool, copy), "quantise": _rate(pool, quantise)}


def _rate(pool: ThreadPoolExecutor, part: Callable[[int, int], None]) -> float:
    """The best of ROUNDS, bytes a second."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        rows.over(pool, (ROWS, COLUMNS), part, lambda _: None)
        best = max(best, SIZE / (time.perf_counter() - start))
    return best


def show(console: Console) -> None:
    """A line for one thread and one for all, and what that means for 70B."""
    counts = sorted({1, rows.workers()})
    found = {count: rates(count) for count in counts}
    for count, rate in found.items():
        console.print(
            f"{count:2} threads: {rate['quantise'] / 1e6:6.0f} MB/s of bf16 quantised,"
            f" {rate['copy'] / 1e6:6.0f} MB/s copied (x{rate['copy'] / rate['quantise']:.0f})",
            highlight=False,
            soft_wrap=True,
        )
    one = found[1]["quantise"]
    share = found[counts[-1]]["quantise"] / one / counts[-1]
    seconds = SEVENTY_BYTES / (one * SPARK_CORES * share)
    console.print(
        f"70B (141 GB) on {SPARK_CORES} such cores: {seconds / 60:.1f} minutes of arithmetic,"
        f" if each gives {share:.0%} of what it gives alone, as here; the disk comes on top",
        highlight=False,
        soft_wrap=True,
    )
