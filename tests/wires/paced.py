"""The pacing proxy as a child process, before the small model's server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from engines.keeper import NotReady
from engines.pace.options import Options, Pace
from engines.pace.probe import ready
from engines.port import unused
from tests.wires.llm_server import ROOT

ROUTES = {
    "main": {"model": "big", "first_token_ms": 120, "prefill": 800, "decode": 20},
    "opener": {"model": "small", "first_token_ms": 40, "prefill": 8000, "decode": 40},
}


def begin(port: int, upstream: str) -> subprocess.Popen[str]:
    options = (f"port={port}", f"upstream={upstream}", f"routes={json.dumps(ROUTES)}")
    return subprocess.Popen(
        [sys.executable, "-m", "engines.pace", *options], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


async def until_paces(port: int) -> None:
    options = Options(port=port, routes={"main": Pace(), "opener": Pace()})
    with anyio.fail_after(60):
        while True:
            try:
                return await ready(options)
            except NotReady:
                await anyio.sleep(0.05)


@contextmanager
def pacing(engine: str) -> Iterator[str]:
    """It serves: its address."""
    port = unused()
    process = begin(port, engine)
    try:
        anyio.run(until_paces, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0 and len(log.splitlines()) == 1, log
