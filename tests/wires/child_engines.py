"""Engines as child processes that many tests talk to: nobody starts one afresh, however slow it gets."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import anyio

from engines.process import NotReady, Spec
from tests.need import need_models

READY_SECONDS = 100.0  # of a machine that does other things too


@contextmanager
def serving(*engines: Spec) -> Iterator[list[subprocess.Popen[bytes]]]:
    """They run, and answer: their processes."""
    need_models(*(model for each in engines for model in each.models))
    with ExitStack() as ending:
        processes = [ending.enter_context(_child(each)) for each in engines]
        for each, process in zip(engines, processes, strict=True):
            anyio.run(_until_ready, each, process)
        yield processes


@contextmanager
def _child(engine: Spec) -> Iterator[subprocess.Popen[bytes]]:
    """It runs; told to end it does, or is killed and fails the test."""
    with subprocess.Popen(engine.argv) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                assert process.wait(20) in (0, -signal.SIGTERM), engine.name
            finally:
                process.kill()


async def _until_ready(engine: Spec, process: subprocess.Popen[bytes]) -> None:
    with anyio.fail_after(READY_SECONDS):
        while True:
            assert process.poll() is None, f"{engine.name} ended at its start"
            try:
                return await engine.ready()
            except NotReady:
                await anyio.sleep(0.05)
