"""Our servers on the Riva wire as child processes, for the tests that talk to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from engines.cache import ModelError, locate
from engines.port import unused

REPOSITORY = Path(__file__).parents[2]
READY_WITHIN = 60.0  # seconds


def need(model: str, file: str) -> Path:
    """A model's file; without it the test skips, on CI it fails."""
    try:
        return locate(model, file)
    except ModelError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def start(port: int, *options: str, engine: str = "speech") -> subprocess.Popen[bytes]:
    """Start it without waiting."""
    command = [sys.executable, "-m", f"engines.{engine}", f"port={port}", *options]
    return subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE)


def await_ready(port: int) -> None:
    """Wait until it serves."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=READY_WITHIN)


def end(process: subprocess.Popen[bytes]) -> tuple[int, float, str]:
    """Ask it to end; its exit code, the seconds it took, and what it logged."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    return process.returncode, time.monotonic() - begun, log.decode()


@contextmanager
def serving(
    *options: str, model: str = "piper-joe", file: str = "voice.onnx", engine: str = "speech"
) -> Iterator[int]:
    """A server that is ready; yields its port."""
    need(model, file)
    port = unused()
    process = start(port, *options, engine=engine)
    try:
        await_ready(port)
        yield port
    finally:
        process.kill()
        process.communicate()
