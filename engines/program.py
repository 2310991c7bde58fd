"""A program that is run to its end: what it says is heard as it comes, and nothing of it is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence

from engines.options import die_with_parent

LONGEST = 300  # characters of its last line
WORDS = 200  # lines: what the other compilers say stands behind the reason
DAY = 86_400.0  # seconds
ASKED_SECONDS = 2.0  # from being asked to end to having to


class Failed(Exception):
    """It was `late` and had to be ended, or ended by itself with another `code` than 0; `words` are its last
    lines, `last` the last that said anything. The message tells it on one line; the cure is the caller's."""

    def __init__(self, late: bool, code: int, words: Sequence[str], within: float) -> None:
        last = words[-1] if words else ""
        said = last[:LONGEST] or f"exit {code}"
        long = f"{within:.0f} s" if within < DAY else f"{within / DAY:.0f} days"
        super().__init__(f"did not end within {long}" if late else f"failed ({said})")
        self.late, self.code, self.last, self.words = late, code, last, words


def run(argv: Sequence[str], within: float, hear: Callable[[str], object], **variables: str) -> str:
    """Run it for at most `within` seconds; `hear` is told each line. The last one that said anything. Raises
    Failed, and OSError where it cannot start."""
    words: deque[str] = deque(maxlen=WORDS)
    late = threading.Event()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | variables,
        start_new_session=True,  # it ends with all that it has started: one of them would hold the pipe open
        preexec_fn=die_with_parent,  # nothing goes on writing after a kill -9: the next run has its folder
    ) as child:
        timer = threading.Timer(within, _end, (child, late))
        timer.daemon = True  # hours long: an interrupted build would not end before it
        try:
            timer.start()
            assert child.stdout is not None
            for line in child.stdout:
                words.extend(filter(None, [line.strip()]))
                hear(line.strip())
            code = child.wait()
        finally:
            timer.cancel()
            _kill(child)
    if late.is_set() or code:
        raise Failed(late.is_set(), code, list(words), within)
    return words[-1] if words else ""


def _end(child: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    _kill(child)


def _kill(child: subprocess.Popen[str]) -> None:
    """Ask first: ninja keeps each compiler in a group of its own, and ends them when it is asked."""
    try:
        if child.poll() is None:
            _tell(child, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(ASKED_SECONDS)
    finally:
        _tell(child, signal.SIGKILL)


def _tell(child: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie's group
        os.killpg(child.pid, number)
