"""This machine: what it is, how fast its memory is, and how busy others kept it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

BLOCK = 96 << 20  # bytes a thread copies: three times a large cache
TRIES = 6
STATED = {"NVIDIA GB10": 273.0}  # GB/s of a GPU's memory, as NVIDIA states it: DGX Spark
LOOK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Speed:
    """A rate, and where it is from."""

    rate: float
    source: str


def words() -> str:
    """The machine on one line."""
    gpu = f", {name}" if (name := gpu_name()) else ", no GPU"
    memory = psutil.virtual_memory().total / 1e9
    return f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB{gpu}, {platform.system()}"


def processor() -> str:
    """The CPU's name as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()} {names[0]}" if names else platform.machine()


def gpu_name() -> str:
    """The first NVIDIA GPU's name; "" for none."""
    if shutil.which("nvidia-smi") is None:
        return ""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=LOOK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.splitlines()[0].strip() if said.returncode == 0 and said.stdout.strip() else ""


def bandwidth(gpu: str = "") -> Speed:
    """Bytes a second: of a GPU in STATED, else of this machine's memory as all cores together read it (which
    is what decoding does) or copy it (both ways counted, as McCalpin's STREAM does), the best of some."""
    if gpu:
        return Speed(STATED[gpu] * 1e9, f"stated for {gpu}")
    cores = os.cpu_count() or 1
    sources = [np.ones(BLOCK // 8, np.int64) for _ in range(cores)]
    targets = [np.zeros_like(each) for each in sources]
    with ThreadPoolExecutor(cores) as threads:

        def copy() -> None:
            list(threads.map(np.copyto, targets, sources))

        def read() -> None:
            list(threads.map(np.max, sources))

        rates = {"a copy": 2 * BLOCK * cores / _best(copy), "reading": BLOCK * cores / _best(read)}
    how = max(rates, key=lambda name: rates[name])
    return Speed(rates[how], f"measured: {how} on all cores")


def _best(work: Callable[[], object]) -> float:
    """Seconds of the quickest try."""
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


class Others:
    """How much of the machine's CPUs was used by whoever is not of this process's family."""

    def __init__(self) -> None:
        self._begun = self._busy(), self._own(), time.monotonic()

    def share(self) -> float:
        """Percent of all cores since the start; call it before the family's members end."""
        busy, own, begun = self._begun
        cores = (psutil.cpu_count() or 1) * max(time.monotonic() - begun, 1e-3)
        others = (self._busy() - busy) - (self._own() - own)
        return min(100.0, max(0.0, 100 * others / cores))  # the system counts in ticks of 10 ms

    @staticmethod
    def _busy() -> float:
        times = psutil.cpu_times()
        return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))

    @staticmethod
    def _own() -> float:
        total = 0.0
        me = psutil.Process()
        for each in [me, *me.children(recursive=True)]:
            try:
                used = each.cpu_times()
            except psutil.Error:
                continue
            total += used.user + used.system
        return total
