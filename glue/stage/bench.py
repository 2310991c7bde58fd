"""What a tick costs: `python -m glue.stage.bench [ws://host:port]`; with an address, an injection too."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from random import Random

import anyio
import anyio.lowlevel
import numpy as np

from glue.ports import Speech
from glue.stage.face import Attention, Face
from glue.stage.lipsync import MouthTrack
from glue.stage.performer import Performer
from glue.stage.vtube_studio import VTubeStudio

log = logging.getLogger("bench")
RATE = 24000
ROUNDS = 500


class Nobody:
    """An avatar that is not there."""

    def pose(self, values: Mapping[str, float]) -> None:
        """Let it pass."""

    async def express(self, name: str, active: bool) -> None:
        """Let it pass."""


def cost(what: str, work: Callable[[int], object]) -> None:
    """Log the median and the 95th percentile of `work(n)`, in microseconds."""
    found = []
    for n in range(ROUNDS):
        begun = time.perf_counter()
        work(n)
        found.append((time.perf_counter() - begun) * 1e6)
    log.info("%-32s p50 %7.0f us   p95 %7.0f us", what, *np.percentile(found, [50, 95]))


async def ticks() -> None:
    """The parts, then a tick with all of them."""
    hiss = np.random.default_rng(1).integers(-8000, 8000, RATE // 10, dtype=np.int16)
    track = MouthTrack(RATE)
    cost("add 100 ms of sound", lambda n: track.add(n / 10, 0.0, Speech(hiss)))
    cost("ask for the mouth", lambda n: track.at(n / 10))
    head = iter(np.arange(0.0, 1e6, 1 / 60))
    performer = Performer("main", Nobody(), lambda: float(next(head)), log.debug, Face(Random(1)), RATE)
    performer.enter("t1")
    performer.begin_clause("t1", 0, "The quick brown fox jumps over the lazy dog, twice a day.", 0.0)
    for n in range(100):
        performer.add(0, 0.0, n / 10, Speech(hiss))
    begun = anyio.current_time()
    cost("a whole tick", lambda n: performer.tick(begun + n / 60))


async def injections(address: str) -> None:
    """Pose as fast as the server answers; a token is asked for and kept as in a show."""
    async with VTubeStudio(address) as avatar, anyio.create_task_group() as tg:
        tg.start_soon(avatar.run)
        pose = Face(Random(1)).pose(0.0, MouthTrack(RATE).at(0.0), Attention.IDLE)
        found: list[float] = []
        while len(found) < ROUNDS:
            before = avatar.injected
            begun = time.perf_counter()
            avatar.pose(pose)
            while avatar.injected == before:  # its answer wakes nobody else
                await anyio.lowlevel.checkpoint()
            found.append((time.perf_counter() - begun) * 1e6)
        log.info("%-32s p50 %7.0f us   p95 %7.0f us", "an injection", *np.percentile(found[50:], [50, 95]))
        tg.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    anyio.run(ticks)
    if sys.argv[1:]:
        anyio.run(injections, sys.argv[1])
