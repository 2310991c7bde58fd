"""The environment is made by uv: what it is asked for, and Ctrl-C while it works. The uv here is a script."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engines import bootstrap

ROOT = Path(__file__).parent.parent
WORDS = ["-m", "engines.bootstrap", "this"]
NUMBERS = itertools.count()
QUICK = """#!/bin/sh
echo "$@" >> "$0.asked"
"""
GATED = QUICK + 'while [ ! -e "$0.gate" ]; do sleep 0.05; done\n'
SLOW = """#!/bin/sh
{before}
sleep {seconds} &
echo "$@" >> "$0.asked"
wait
"""


def uv(folder: Path, script: str) -> Path:
    """A uv on a PATH of its own; what it was asked lies beside it."""
    folder.mkdir()
    found = folder / "uv"
    found.write_text(script)
    found.chmod(0o755)
    return found


def asked(there: Path) -> list[str]:
    log = there.with_name("uv.asked")
    return log.read_text().splitlines() if log.exists() else []


def environment_of(tmp_path: Path, there: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != bootstrap.ENTERED}
    return kept | {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "made"), "PATH": f"{there.parent}:/usr/bin:/bin"}


def test_an_environment_of_uv_run_gets_the_extras_once(tmp_path: Path) -> None:
    """`uv run launch.py` makes the environment without them and starts us in it."""
    there = uv(tmp_path / "bin", QUICK)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "made"], check=True)
    python, environment = tmp_path / "made" / "bin" / "python", environment_of(tmp_path, there)
    for _ in range(2):
        done = subprocess.run(
            [python, *WORDS],
            cwd=ROOT,
            env=environment | {"UV_RUN_RECURSION_DEPTH": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "The Zen of Python" in done.stdout
    (sync,) = asked(there)
    assert sync.startswith("sync ") and "--all-extras" in sync and "--inexact" in sync


def alone(process: int) -> None:
    os.kill(process, signal.SIGINT)


def terminal(process: int) -> None:
    os.killpg(process, signal.SIGINT)


def ended(process: int) -> None:
    os.kill(process, signal.SIGTERM)


def closed(process: int) -> None:
    os.kill(process, signal.SIGHUP)


def listening() -> None:
    """In the child: the tests themselves may run under nohup, whose deafness is handed down."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def at_work(making: subprocess.Popen[Any], there: Path) -> None:
    """Wait until uv was asked, and has begun."""
    while not asked(there):
        assert making.poll() is None
        time.sleep(0.02)


def nobody_left(seconds: str) -> None:
    """Long before they would have ended by themselves."""
    began = time.monotonic()
    while [each for each in psutil.process_iter(["cmdline"]) if seconds in (each.info["cmdline"] or [])]:
        assert time.monotonic() - began < 20, "somebody is left"
        time.sleep(0.05)


@pytest.mark.parametrize("before", ["", "trap '' INT TERM HUP"], ids=["willing", "stubborn"])
@pytest.mark.parametrize("send", [alone, terminal, ended, closed])
def test_ctrl_c_while_the_environment_is_made_leaves_nobody(
    tmp_path: Path, send: Callable[[int], None], before: str
) -> None:
    seconds = f"60.{os.getpid()}{next(NUMBERS)}"  # by which its child is known
    there = uv(tmp_path / "bin", SLOW.format(before=before, seconds=seconds))
    with subprocess.Popen(
        [sys.executable, *WORDS],
        cwd=ROOT,
        env=environment_of(tmp_path, there),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listening,
    ) as making:
        at_work(making, there)
        send(making.pid)
        _, said = making.communicate(timeout=30)
        assert making.returncode == 130 and "Traceback" not in said
        nobody_left(seconds)
    assert not (tmp_path / "made" / bootstrap.STAMP.name).exists()


def test_under_nohup_a_closed_terminal_ends_nothing(tmp_path: Path) -> None:
    there = uv(tmp_path / "bin", GATED)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "made"], check=True)
    with subprocess.Popen(
        ["nohup", sys.executable, *WORDS],
        cwd=ROOT,
        env=environment_of(tmp_path, there),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as making:
        at_work(making, there)
        closed(making.pid)
        there.with_name("uv.gate").touch()
        told, said = making.communicate(timeout=60)
    assert making.returncode == 0 and "The Zen of Python" in told, said


@pytest.mark.skipif(sys.platform != "linux", reason="a child cannot ask to end with its parent")
def test_a_kill_leaves_no_uv(tmp_path: Path) -> None:
    seconds = f"60.{os.getpid()}{next(NUMBERS)}"
    there = uv(tmp_path / "bin", f"{QUICK}exec sleep {seconds}\n")
    with subprocess.Popen(
        [sys.executable, *WORDS],
        cwd=ROOT,
        env=environment_of(tmp_path, there),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as making:
        at_work(making, there)
        making.kill()
    nobody_left(seconds)
