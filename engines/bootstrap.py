"""From a bare Python to the locked environment: standard library only, and readable for an old Python.

`enter()` starts the program again inside the project's environment and makes that first, where it is missing.
`python3 -m engines.bootstrap MODULE ARG...` runs a module in there; `--uv` prints where uv is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / ".synced"  # the lock's hash: the next start needs neither uv nor the network
ENTERED = "SPARK_ENTERED"  # set for the program that was started again: it never tries a second time
VERSIONS = ("3.12", "3.11")
MAKING_SECONDS = 1800.0  # another start is waited for so long
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # prctl(2)
ENDING_SECONDS = 1.0  # for uv to leave things in order, when it is interrupted


def enter(words: list[str]) -> None:
    """Return inside the locked environment; elsewhere become `python WORDS` inside it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no child is left behind
    inside = Path(sys.prefix).resolve() == ENVIRONMENT.resolve()
    if inside and (_synced() or ENTERED in os.environ):  # what `uv run` made lacks the extras
        return
    if not _synced():
        with _alone():
            if not _synced():
                _sync(find_uv())
    os.environ[ENTERED] = "1"
    os.execv(PYTHON, [str(PYTHON), *words])


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Another first start that makes the environment is waited for: two at once would break each other's."""
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    with ENVIRONMENT.with_name(f"{ENVIRONMENT.name}.lock").open("w") as lock:
        until, told = time.monotonic() + MAKING_SECONDS, False
        while not _taken(lock):
            if not told:
                _say("another start is making the environment; waiting for it")
                told = True
            if time.monotonic() > until:
                sys.exit(f"another start still holds {lock.name}; cure: end it, then start again")
            time.sleep(0.2)
        yield


def _taken(lock: TextIO) -> bool:
    """Whether the lock is ours now."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def find_uv() -> str:
    """The user's uv, or one that is put into the environment; where that fails, ends with the cure."""
    beside = ENVIRONMENT / "bin" / "uv"
    for found in (shutil.which("uv"), str(beside), str(Path.home() / ".local/bin/uv")):
        if found and os.access(found, os.X_OK):
            return found
    python = _python()
    _say(f"making {ENVIRONMENT} with {python}")
    if _run([python, "-m", "venv", str(ENVIRONMENT)], quiet=True) != 0:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        sys.exit(
            "this Python cannot make environments; cure: sudo apt install python3-venv, then start again"
        )
    _say("installing uv into it")
    if _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]) != 0:
        sys.exit(
            "uv could not be installed; cure: see that this machine reaches the network, then start again"
        )
    return str(beside)


def _sync(uv: str) -> None:
    """Make the environment what uv.lock says; what else is in it (the tests' tools) stays."""
    _say("installing the packages of uv.lock")
    if _run([uv, "sync", "--project", str(ROOT), "--frozen", "--no-dev", "--all-extras", "--inexact"]) != 0:
        sys.exit("the packages could not be installed (uv says why above); cure that, then start again")
    STAMP.write_text(_lock(), encoding="ascii")


def _synced() -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="ascii") == _lock()


def _lock() -> str:
    return hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()


def _python() -> str:
    """A Python that the lock covers."""
    if (3, 11) <= sys.version_info < (3, 13):
        return sys.executable
    for version in VERSIONS:
        if found := shutil.which(f"python{version}"):
            return found
    here = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        f"Python 3.11 or 3.12 is needed, this is {here}; cure: install uv (it brings its own), or python3.12"
    )


def _run(command: list[str], quiet: bool = False) -> int:
    """Run a command to its end; it dies with us, and what it has started (compilers, downloads) too, also
    where the terminal is closed. What is ignored (nohup) stays so."""
    output = subprocess.DEVNULL if quiet else None
    heeded = [each for each in SIGNALS if signal.getsignal(each) != signal.SIG_IGN]
    early: list[int] = []  # signals that come before we know whom to end
    before = {each: signal.signal(each, lambda *got: early.append(got[0])) for each in heeded}
    child = None
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, start_new_session=True, preexec_fn=_tied()
        )
        _handled(dict.fromkeys(heeded, signal.default_int_handler))  # by itself SIGHUP would end us alone
        if early:
            raise KeyboardInterrupt
        return child.wait()
    finally:
        if child is not None and child.returncode is None:
            _end(child)  # first: a shell that is closed sends SIGHUP, too
        _handled(before)


def _tied() -> Callable[[], Any] | None:
    """What a child does so that it ends even with a kill -9 of us; None where that cannot be had."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl  # Linux alone has it
    except (ImportError, OSError, AttributeError):
        return None
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _handled(handlers: dict[signal.Signals, Any]) -> None:
    for each, handler in handlers.items():
        signal.signal(each, handler)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask it and its family to end; whoever has not within a second is killed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie's group
        try:
            os.killpg(child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(ENDING_SECONDS)
        finally:  # one more Ctrl-C does not wait
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _say(line: str) -> None:
    sys.stderr.write(f"first start: {line}\n")


def main() -> None:
    """The command line."""
    words = sys.argv[1:]
    if not words:
        sys.exit("usage: python3 -m engines.bootstrap MODULE [ARG ...], or --uv")
    try:
        if words == ["--uv"]:
            with _alone():
                sys.stdout.write(f"{find_uv()}\n")
            return
        os.chdir(ROOT)
        enter(["-m", *words])
    except KeyboardInterrupt:
        sys.exit(130)
    os.execv(sys.executable, [sys.executable, "-m", *words])


if __name__ == "__main__":
    main()
