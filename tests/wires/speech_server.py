"""Our servers on the Riva wire as child processes, for the tests that talk to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from engines.cache import ModelError, locate
from engines.port import unused

REPOSITORY = Path(__file__).parents[2]
READY_WITHIN = 90.0  # seconds
ENDS_WITHIN = 10.0  # seconds: who lets calls end by themselves, or must be killed, takes longer


def need(model: str, file: str) -> Path:
    """A model's file; without it the test skips, on CI it fails."""
    try:
        return locate(model, file)
    except ModelError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def steady(folder: Path) -> str:
    """An option for a voice without chance, described in `folder`: a text is the same sound each time, so
    that what a recogniser makes of it is no matter of luck ("trying to" is one way to hear a "train to")."""
    voice = need("piper-joe", "voice.onnx")
    (folder / voice.name).symlink_to(voice)
    described = json.loads(Path(f"{voice}.json").read_text(encoding="utf-8"))
    described["inference"] |= {"noise_scale": 0.0, "noise_w": 0.0}
    (folder / f"{voice.name}.json").write_text(json.dumps(described), encoding="utf-8")
    return f"model={folder / voice.name}"


def start(port: int, *options: str, engine: str = "speech") -> subprocess.Popen[bytes]:
    """Start it without waiting."""
    command = [sys.executable, "-m", f"engines.{engine}", f"port={port}", *options]
    return subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE)


def await_ready(port: int) -> None:
    """Wait until it serves."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=READY_WITHIN)


def end(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Ask it to end, which it does at once; its exit code, and what it logged."""
    process.send_signal(signal.SIGTERM)
    try:
        _, log = process.communicate(timeout=ENDS_WITHIN)
    finally:
        process.kill()
    return process.returncode, log.decode()


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
