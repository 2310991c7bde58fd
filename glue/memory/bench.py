"""Recall's times: embedding and search of chat lines among ROWS entries, in a collection of its own."""

from __future__ import annotations

import itertools
import platform
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np

from glue.memory.entry import Entry, Kind
from glue.memory.index import Index
from glue.memory.shares import share
from glue.memory.vectors import Embeddings, Vectors
from glue.memory.wanted import Wanted
from glue.spread import spread

LOOKUPS = 200
BATCH = 1000
WARM = 20
MOST = 4
TICK = 1 / 60  # seconds
NOUNS = "cat dog tuba boat kettle rocket garden piano lemon castle bridge comet violin tractor mirror".split()


async def bench(section: dict[str, Any], rows: int, folder: Path) -> str:
    """A table, as text; `folder`: where Milvus Lite keeps its index. Entries have vectors by chance (their
    meaning does not change the work); lines are embedded really. The floor is the search by vector alone.
    Beside it all a tick of 60 Hz runs."""
    size = section["dimensions"]
    name = f"bench_{rows}"
    index = Index(section["uri"], section["token"], name, size, 60.0)
    vectors = Embeddings(section["embeddings"], section["model"], size, 5.0, section["key"])
    slips: list[float] = []
    try:
        await index.again()
        await fill(index, rows, size)
        weighs = await anyio.to_thread.run_sync(_megabytes, folder / "collections" / name)
        async with anyio.create_task_group() as tg:
            tg.start_soon(_tick, slips)
            times = await _look(index, vectors)
            calm, began = len(slips), time.perf_counter()
            await _forget(index)
            forgot = time.perf_counter() - began
            tg.cancel_scope.cancel()
    finally:
        await index.drop()
        await vectors.close()
        await index.close()
    head = f"{rows} entries, {LOOKUPS} lookups, {platform.machine()}, Python {platform.python_version()}"
    lines = [head, *(_row(name, took) for name, took in times.items())]
    lines.append(_row("60 Hz tick late, recalls", slips[:calm]))
    lines.append(_row("60 Hz tick late, forget", slips[calm:]))
    lines.append(f"index in its files: {f'{weighs:.1f} MB' if weighs else 'not on this machine'}")
    lines.append(f"forgetting one viewer and one joke: {forgot:.1f} s in the background")
    return "\n".join(lines) + "\n"


def _megabytes(folder: Path) -> float:
    """10^6 bytes of all files in it; 0 where it is not there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _row(name: str, took: list[float]) -> str:
    found = spread(took or [0.0])
    return f"{name:28} p50 {found.p50:6.1f} ms   p95 {found.p95:6.1f} ms   max {found.max:6.1f} ms"


async def _tick(slips: list[float]) -> None:
    due = anyio.current_time()
    while True:
        due += TICK
        await anyio.sleep_until(due)
        slips.append((anyio.current_time() - due) * 1000)
        due = max(due, anyio.current_time() - TICK)


async def _forget(index: Index) -> None:
    """A viewer's facts and one thing that all know, out of searches and files."""
    for each in (entry(0), entry(4)):
        await index.remove({each.id: share(each)})
        await index.purge([share(each)])


async def fill(index: Index, rows: int, size: int) -> None:
    """So many entries with vectors by chance."""
    chance = np.random.default_rng(1)
    for start in range(0, rows, BATCH):
        numbers = range(start, min(start + BATCH, rows))
        made = chance.normal(size=(len(numbers), size)).astype(np.float32)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        await index.add([entry(n) for n in numbers], made)
    await index.flush()


def entry(n: int) -> Entry:
    """The n-th of them."""
    one, two = NOUNS[n % len(NOUNS)], NOUNS[n // 7 % len(NOUNS)]
    kind = (Kind.VIEWER, Kind.VIEWER, Kind.VIEWER, Kind.EPISODE, Kind.JOKE)[n % 5]
    viewer = f"viewer{n % 500}"
    return Entry(f"b{n}", kind, "main", viewer, f"{viewer} has a {one} next to the {two} since {n}", float(n))


async def _look(index: Index, vectors: Embeddings) -> dict[str, list[float]]:
    names = ("recall", "- embedding", "- search", "search by vector (floor)")
    times: dict[str, list[float]] = {name: [] for name in names}
    for n in range(-WARM, LOOKUPS):
        text = f"do you remember my {NOUNS[n % len(NOUNS)]}, the one by the {NOUNS[n * 3 % len(NOUNS)]}?"
        wanted = Wanted(frozenset({"main"}), f"viewer{n % 500}")
        marks = [time.perf_counter()]
        vector: Vectors = await vectors.embed([text])
        marks.append(time.perf_counter())
        await index.search(text, vector, wanted, MOST)
        marks.append(time.perf_counter())
        await index.search("", vector, wanted, MOST)
        marks.append(time.perf_counter())
        embedding, search, floor = ((b - a) * 1000 for a, b in itertools.pairwise(marks))
        if n >= 0:
            for name, took in zip(names, (embedding + search, embedding, search, floor), strict=True):
                times[name].append(took)
    return times
