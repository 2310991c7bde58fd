"""Ctrl-C while a model is fetched: quiet, at once, and the next start goes on where it was."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.file_server import serving

ROOT = Path(__file__).parent.parent
CONTENT = os.urandom(1 << 20)


def alone(process: int) -> None:
    os.kill(process, signal.SIGINT)


def terminal(process: int) -> None:
    os.killpg(process, signal.SIGINT)


@pytest.mark.parametrize("send", [alone, terminal])
def test_ctrl_c_while_a_model_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, send: Callable[[int], None]
) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path))
    part = tmp_path / "toy" / ".parts" / "model.bin.0"
    with serving({"model.bin": CONTENT}) as server:
        words = [sys.executable, "-m", "tests.toy_fetch", f"{server.address}/gated/model.bin"]
        words += [str(len(CONTENT)), hashlib.sha256(CONTENT).hexdigest()]
        with subprocess.Popen(
            words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as child:
            while not part.exists() or part.stat().st_size < 100_000:
                assert child.poll() is None
                time.sleep(0.02)
            send(child.pid)
            _, said = child.communicate(timeout=30)  # before the gate lets the rest come
        assert child.returncode == 130 and "Traceback" not in said
        server.gate.set()
        subprocess.run(words, cwd=ROOT, stderr=subprocess.DEVNULL, timeout=60, check=True)
        assert server.asked[-1][1], "it began again"
    assert (tmp_path / "toy" / "model.bin").read_bytes() == CONTENT
