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
# Weights in pages of 2 MB, which glibc asks for if it is told before it starts: each token reads all of them.
# Qwen 31.4 instead of 33.8 ms a token on an EPYC, 72 instead of 85 on a Xeon; Piper 8 % sooner there.
HUGE_PAGES = "glibc.malloc.hugetlb=1"
CRASHES = {signal.SIGILL, signal.SIGSEGV}
CRASHED = "; cure, if it was compiled for another CPU: build it again, or llm.engine.bundle=none"
TAIL_LINES, TAIL_BYTES = 4, 65_536


class Child:
    """A running process. Make one with start(); end() it in every case."""

    def __init__(self, process: Process, log: Path, began: int) -> None:
        self._process = process
        self._log = log
        self._began = began  # bytes: what is before them was said by an earlier start

    @property
    def pid(self) -> int:
        """Its id, which is also its group's."""
        return self._process.pid

    async def wait(self) -> str:
        """Wait until it is over; how it ended and its last words, on one line."""
        code = await self._process.wait()
        if code < 0:
            named = signal.Signals(-code)
            return f"killed by {named.name}" + (CRASHED if named in CRASHES else "")
        said = tail(self._log, self._began)
        # its own clear line first: a library's log may have come behind it, all of it on a busy machine
        words = next((line for line in reversed(said) if "cure: " in line), " | ".join(said[-TAIL_LINES:]))
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
        "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", HUGE_PAGES),
        "SPARK_PARENT": str(os.getpid()),
        "SPARK_RUN": str(log.parent.absolute()),  # where what it leaves behind belongs
    }
    with log.open("ab") as stream:
        began = stream.tell()
        process = await anyio.open_process(
            argv,
            stdin=None,
            stdout=stream,
            stderr=stream,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
    return Child(process, log, began)


def tail(log: Path, began: int) -> list[str]:
    """The lines that say anything in the last TAIL_BYTES of a log, from the byte `began` on."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(began, log.stat().st_size - TAIL_BYTES))
            text = stream.read(TAIL_BYTES).decode(errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
