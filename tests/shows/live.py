"""A whole show as its user starts it: launch.py as a process, small models, ports and a home of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from engines.port import unused
from tests.need import need_models

ROOT = Path(__file__).parent.parent.parent
PORTS = ("llm.engine.port", "speech.engine.port", "avatar.engine.port", "console.port")
ENDS_WITHIN = 20.0  # seconds after Ctrl-C: 3 are the goal, see tests.shows.table; a hang takes longer


@dataclass
class Live:
    """A running show. `said` is what it printed so far; its journal is read from the run folder."""

    process: subprocess.Popen[str]
    run_dir: Path
    ports: dict[str, int]
    said: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _journal: list[dict[str, Any]] = field(default_factory=list)
    _read_to: int = 0

    def __post_init__(self) -> None:
        self.reader = Thread(target=self._read, daemon=True)

    def journal(self) -> list[dict[str, Any]]:
        """The events so far, each read once; a last line that is still being written is left for later."""
        path = self.run_dir / "journal.jsonl"
        if path.exists():
            with path.open("rb") as file:
                file.seek(self._read_to)
                rows, end, _ = file.read().rpartition(b"\n")
            self._read_to += len(rows + end)
            self._journal += map(json.loads, rows.splitlines())
        return self._journal

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.journal() if event["event"] == name]

    def until(self, found: Callable[[], Any], within: float = 60.0) -> Any:
        """Ask until the answer is true."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if answer := found():
                return answer
            assert self.process.poll() is None, f"the show ended: {self.said}"
            time.sleep(0.05)
        raise AssertionError(f"not within {within} s; the show said: {self.said[-20:]}")

    def type(self, line: str) -> None:
        """A line in the terminal."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def url(self) -> str:
        """The console page's address, as it is printed."""
        found = (re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line) for line in self.said)
        return next((match.group() for match in found if match), "")

    def fates(self) -> dict[str, str]:
        return {event["line_id"]: event["fate"] for event in self.events("LineClosed")}

    def pids(self) -> dict[str, int]:
        """The engines' processes, by name."""
        found = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            words = ""
            with suppress(psutil.NoSuchProcess):  # it was a short one
                words = " ".join(child.cmdline())
            if match := re.search(r"-m engines\.(\w+)", words):
                found[match.group(1)] = child.pid
        return found

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())


# a small model rambles: its minutes are not the show's
SMALL = ("llm=smollm2", "cast.main.blocked=[]", "cast.main.max_tokens=30")


@contextmanager
def launched(
    tmp_path: Path,
    *overrides: str,
    ports: dict[str, int] | None = None,
    small: bool = True,
    before: Sequence[str] = (),
) -> Iterator[Live]:
    """launch.py with SmolLM2 (or the usual model) and Piper; ended by Ctrl-C, with all its processes.
    `before`: words that stand before the command and become it."""
    need_models("smollm2" if small else "qwen-1.5b", "piper-joe")
    words = (*(SMALL if small else ()), *overrides)
    there = ports or {key: unused() for key in PORTS}
    with shown(tmp_path, *words, ports=there, before=before) as live:
        yield live


@contextmanager
def shown(
    tmp_path: Path,
    *overrides: str,
    ports: dict[str, int],
    environment: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> Iterator[Live]:
    """launch.py with whatever models its overrides name; ended likewise."""
    run_dir = tmp_path / "run"
    words = [f"{key}={value}" for key, value in ports.items()]
    words.append("director.greets=never")  # who looks at answers counts no other words of hers
    process = subprocess.Popen(
        [*before, sys.executable, "launch.py", f"hydra.run.dir={run_dir}", *words, *overrides],
        cwd=ROOT,
        env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")} | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    live = Live(process, run_dir, ports)
    live.reader.start()
    try:
        yield live
    finally:
        end(live)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.stdout.close()


def end(live: Live) -> float:
    """Ctrl-C; seconds until all is gone, and what it said is read. Whatever is left is killed, and fails the
    test."""
    engines = live.pids().values() if live.process.poll() is None else ()
    began = time.monotonic()
    live.process.send_signal(signal.SIGINT)
    try:
        live.process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(live.process.pid, signal.SIGKILL)
        raise
    live.reader.join(5)
    left = [pid for pid in engines if psutil.pid_exists(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "engines outlived their show"
    return time.monotonic() - began
