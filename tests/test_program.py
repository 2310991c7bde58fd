"""A program that is run to its end takes along all that it has started, in time or late."""

from __future__ import annotations

import fcntl
import sys
import threading
from pathlib import Path

import pytest

from engines.program import Failed, run

# Tells when it runs, and holds the lock until somebody ends it, or long after the test.
HELPER = """
import fcntl, sys, time
file = open(sys.argv[1], "a+")
fcntl.flock(file, fcntl.LOCK_EX)
print("up", flush=True)
time.sleep(60)
file.write("lived")
"""
STARTS = """
import subprocess, sys
helper = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], stdout={out}, stderr={out})
{then}
"""


def left(lock: Path) -> str:
    """What the helper wrote; waits until nobody holds its lock."""
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return file.read()


@pytest.mark.parametrize("then", ["", "helper.wait()"], ids=["orphaned", "waited for"])
def test_a_helper_that_holds_the_pipe_is_ended_when_it_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    said, up = list[str](), threading.Event()

    class Late(threading.Timer):
        """Its time is over when the helper is up."""

        def run(self) -> None:
            if self.interval == 4.0 and up.wait(60):
                self.function(*self.args)

    def hear(line: str) -> None:
        said.append(line)
        up.set()

    monkeypatch.setattr(threading, "Timer", Late)
    code = STARTS.format(out="None", then=then)
    with pytest.raises(Failed, match=r"^did not end within 4 s$") as failed:
        run([sys.executable, "-c", code, str(tmp_path / "lock"), HELPER], 4.0, hear)
    assert failed.value.late and said == ["up"] and left(tmp_path / "lock") == ""


def test_a_helper_that_is_left_behind_is_ended(tmp_path: Path) -> None:
    said: list[str] = []
    code = STARTS.format(out="subprocess.PIPE", then="print(helper.stdout.readline().decode())")
    last = run([sys.executable, "-c", code, str(tmp_path / "lock"), HELPER], 60.0, said.append)
    assert last == "up" and left(tmp_path / "lock") == ""


@pytest.mark.parametrize(
    ("code", "why", "last"),
    [
        ("print('one'); print('two'); print(); exit(3)", r"^failed \(two\)$", "two"),
        ("exit(3)", r"^failed \(exit 3\)$", ""),
        ("print('x' * 999); exit(3)", r"^failed \(x{300}\)$", "x" * 999),
    ],
)
def test_one_that_fails_is_told_by_its_last_words(code: str, why: str, last: str) -> None:
    with pytest.raises(Failed, match=why) as failed:
        run([sys.executable, "-c", code], 60.0, print)
    assert (failed.value.late, failed.value.code, failed.value.last) == (False, 3, last)


def test_a_signal_at_its_very_start_leaves_neither_it_nor_its_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build hung then until the clock of hours had run out."""

    class Interrupted(threading.Timer):
        def start(self) -> None:
            super().start()
            clocks.append(self)
            raise KeyboardInterrupt

    clocks: list[threading.Timer] = []
    monkeypatch.setattr(threading, "Timer", Interrupted)
    (tmp_path / "lock").touch()
    argv = [sys.executable, "-c", HELPER, str(tmp_path / "lock")]
    with pytest.raises(KeyboardInterrupt):
        run(argv, 3600.0, print)
    clocks[0].join(30)
    assert not clocks[0].is_alive() and left(tmp_path / "lock") == ""
