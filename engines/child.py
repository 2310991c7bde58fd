"""One child process in a group of its own: started with a log, and gone for certain when it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import anyio
from anyio.abc import Process

ROOT = Path(__file__).parent.parent
GENTLE_SECONDS = 1.0  # between SIGTERM and SIGKILL
TAIL_LINES = 4


class Child:
    """A running process. Make one with start(); end() it in every case."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its id, which is also its group's."""
        return self._process.pid

    @property
    def exited(self) -> bool:
        """Whether it is over."""
        return self._process.returncode is not None

    async def wait(self) -> str:
        """Wait until it is over; how it ended and its last words, on one line."""
        code = await self._process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        words = " | ".join(tail(self._log))
        return f"exit {code}: {words}" if words else f"exit {code}"

    async def end(self) -> None:
        """SIGTERM to the group, SIGKILL after GENTLE_SECONDS; returns when the process is reaped.

        Not interrupted by a cancellation: that is when it is needed most."""
        with anyio.CancelScope(shield=True):
            self._signal(signal.SIGTERM)
            with anyio.move_on_after(GENTLE_SECONDS):
                await self._process.wait()
            self._signal(signal.SIGKILL)  # also what the leader has left behind
            await self._process.aclose()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie's group
            os.killpg(self.pid, number)


async def start(argv: Sequence[str], log: Path) -> Child:
    """Start a program from the repository's root; what it prints is added to `log`."""
    environment = os.environ | {
        "PYTHONUNBUFFERED": "1",
        "SPARK_PARENT": str(os.getpid()),
        "SPARK_RUN": str(log.parent.absolute()),  # where what it leaves behind belongs
    }
    with log.open("ab") as stream:
        process = await anyio.open_process(
            argv,
            stdin=None,
            stdout=stream,
            stderr=stream,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
    return Child(process, log)


def tail(log: Path) -> list[str]:
    """The last lines of a log that say anything."""
    try:
        text = log.read_bytes()[-8192:].decode(errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()][-TAIL_LINES:]
