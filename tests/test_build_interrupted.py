"""Ctrl-C and SIGTERM while a bundle is built: exit 130, no traceback, no tool left, and it goes on after."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from engines.bundle import modelopt, pipeline, tiny, words
from engines.environment import STAMP
from tests.hub_server import BLOCK, serving

ROOT = Path(__file__).parent.parent
WAYS: dict[str, Callable[[int], None]] = {
    "Ctrl-C": lambda pid: os.killpg(pid, signal.SIGINT),  # a terminal tells the whole group
    "SIGINT": lambda pid: os.kill(pid, signal.SIGINT),
    "SIGTERM": lambda pid: os.kill(pid, signal.SIGTERM),
}
# In place of an environment's Python. As long as `hangs` is there, it starts a tool of its own, says so, and
# stays; after that it has a checkpoint ready.
TOOL = """#!/bin/sh
if [ -e {hangs} ]; then sleep 600 & echo "quantise: $$ $! are up"; wait; fi
cp -r {ready}/checkpoint/. "$3"
"""
# No read of a source ends by itself before the test does.
BUILD = "from engines import build, download; download.STALL_SECONDS = 100.0; build.main()"


def build(folder: Path, *said: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, "bundle=tiny-llama", *said, f"root={folder / 'bundles'}"],
        cwd=ROOT,
        env=os.environ | {"SPARK_MODELS": str(folder / "models"), "COLUMNS": "200"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(running: subprocess.Popen[str], within: float = 60.0) -> str:
    """What it said until it was over."""
    _, said = running.communicate(timeout=within)
    return said


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle."""
    folder = tmp_path_factory.mktemp("ready")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_MODELS", str(folder / "models"))
        pipeline.build(words.read("tiny-llama"), folder / "tiny-llama", Console(quiet=True))
    return folder / "tiny-llama"


@pytest.fixture
def tool(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ModelOpt's environment, with TOOL for its Python; `hangs`."""
    hangs, env = tmp_path / "hangs", tmp_path / "env"
    hangs.touch()
    (env / "bin").mkdir(parents=True)
    python = env / "bin" / "python"
    python.write_text(TOOL.format(hangs=hangs, ready=ready))
    python.chmod(0o755)
    (env / STAMP).write_text(hashlib.sha256(modelopt.REQUIREMENTS.read_bytes()).hexdigest())
    monkeypatch.setenv("SPARK_QUANTISE_ENV", str(env))
    return hangs


@pytest.mark.parametrize("way", WAYS)
def test_while_a_tool_works_it_ends_with_all_that_the_tool_started(
    tmp_path: Path, tool: Path, way: str
) -> None:
    running = build(tmp_path, "quantise=modelopt")
    assert running.stderr is not None
    up = next(line for line in running.stderr if line.endswith("are up\n"))
    tools = [psutil.Process(int(pid)) for pid in up.split()[:2]]
    WAYS[way](running.pid)
    said = ended(running)
    assert running.returncode == 130 and "Traceback" not in said, said
    _, alive = psutil.wait_procs(tools, timeout=30)  # left alone they sleep for 600 s
    for each in alive:
        each.kill()
    assert len(tools) == 2 and not alive
    assert not (tmp_path / "bundles" / "tiny-llama").exists()
    tool.unlink()
    again = build(tmp_path, "quantise=modelopt")
    said = ended(again)
    assert again.returncode == 0 and "1/4 fetch: done before" in said, said


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM"])
def test_while_it_fetches_it_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    tiny.make(tmp_path / "source")
    files = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}
    with serving(files) as hub:
        hub.gate = threading.Event()
        said = ("source=owner/name", f"hub={hub.address}")
        running = build(tmp_path, *said)
        part = wait_for(tmp_path / "models", "*.part", len(files["model.safetensors"]) // 2)
        WAYS[way](running.pid)
        told = ended(running, 30.0)  # before the gate lets the rest come
        assert running.returncode == 130 and "Traceback" not in told, told
        there = part.stat().st_size
        hub.gate.set()
        again = build(tmp_path, *said)
        told = ended(again)
        assert again.returncode == 0, told
    ranges = [wanted for path, wanted, _ in hub.asked if path == "/cdn/model.safetensors"]
    assert ranges == ["", f"bytes={there}-"] and there > BLOCK


def wait_for(folder: Path, name: str, size: int) -> Path:
    """The file below a folder, once it is so large."""
    beat = threading.Event()
    for _ in range(6000):
        for path in folder.rglob(name):
            if path.stat().st_size >= size:
                return path
        beat.wait(0.01)
    raise AssertionError(f"no {name} of {size} bytes in {folder}")
