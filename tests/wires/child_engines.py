"""Engines as child processes that many tests talk to: nobody starts one afresh, however slow it gets."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from engines.process import NotReady, Spec
from tests.need import need_models

READY_SECONDS = 100.0  # of a machine that does other things too


@contextmanager
def serving(*engines: Spec) -> Iterator[list[subprocess.Popen[bytes]]]:
    """They run, and answer: their processes."""
    need_models(*(model for each in engines for model in each.models))
    processes = [subprocess.Popen(each.argv) for each in engines]
    try:
        for each, process in zip(engines, processes, strict=True):
            anyio.run(_until_ready, each, process)
        yield processes
    finally:
        for process in processes:
            process.terminate()
            process.send_signal(signal.SIGCONT)  # a test may have stopped it
        assert {process.wait(20) for process in processes} <= {0, -signal.SIGTERM}


async def _until_ready(engine: Spec, process: subprocess.Popen[bytes]) -> None:
    with anyio.fail_after(READY_SECONDS):
        while True:
            assert process.poll() is None, f"{engine.name} ended at its start"
            try:
                return await engine.ready()
            except NotReady:
                await anyio.sleep(0.05)
