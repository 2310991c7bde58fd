"""Runs NVIDIA ModelOpt's recipes in a child process, in an environment that is made when needed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from engines.bundle.errors import BundleError
from engines.options import die_with_parent

ENGINE = Path(__file__).parent.parent / "quantise"
REQUIREMENTS = ENGINE / "requirements.txt"
STAMP = "made-from"  # in the environment: the hash of the requirements that it holds
MAKING_SECONDS = 3600.0  # torch is some GB where it comes with CUDA
QUANTISING_SECONDS = 6 * 3600.0
# What is told of a child's lines: our own, and which packages pip fetches (torch is some GB, minutes long).
TOLD = re.compile(r"quantise: (.+)|(Downloading .+ [MG]B\).*|Installing collected.+)")
CURE = "see that this machine reaches the package index, or choose the weight-only quantiser"
Say = Callable[[str], None]


def quantise(source: Path, target: Path, recipe: str, say: Say = lambda _: None) -> None:
    """Quantise the checkpoint in `source` into `target` by one of ModelOpt's recipes.

    The model must fit in memory. `say` gets a line for each step. Raises BundleError with the cure."""
    python = environment(say)
    argv = [str(python), str(ENGINE), str(source.resolve()), str(target.resolve()), recipe]
    words = _run(argv, QUANTISING_SECONDS, say, f"ModelOpt, recipe {recipe}")
    if not (target / "hf_quant_config.json").is_file():
        raise BundleError(f"ModelOpt wrote no checkpoint ({_last(words)}); cure: look at the recipe's name")


def home() -> Path:
    """Where the environment lies: $SPARK_QUANTISE_ENV, or the user's cache."""
    if chosen := os.environ.get("SPARK_QUANTISE_ENV"):
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "spark-vtuber" / "env-quantise"


def made() -> bool:
    """Whether the environment is there, whole, and of this version."""
    with contextlib.suppress(OSError):
        return (home() / STAMP).read_text() == _wanted()
    return False


def environment(say: Say = lambda _: None) -> Path:
    """The environment's Python; makes the environment where there is none. Raises BundleError."""
    place = home()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_name(place.name + ".lock"), timeout=MAKING_SECONDS):
            if not made():
                _make(place, say)
    except OSError as error:
        raise BundleError(f"{place}: {error.strerror or error}; cure: set SPARK_QUANTISE_ENV") from error
    return place / "bin" / "python"


def _make(place: Path, say: Say) -> None:
    shutil.rmtree(place, ignore_errors=True)
    say(f"making ModelOpt's environment in {place}")
    python = place / "bin" / "python"
    what = "making ModelOpt's environment"
    base = getattr(sys, "_base_executable", sys.executable)
    # with the project's own pip: Debian's Python has none to put into an environment
    _run([base, "-m", "venv", "--without-pip", str(place)], MAKING_SECONDS, say, what)
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    install = ["install", "--disable-pip-version-check", "--no-input", "-r", str(REQUIREMENTS)]
    _run([*pip, *install], MAKING_SECONDS, say, what)
    (place / STAMP).write_text(_wanted())


def _wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _run(argv: Sequence[str], within: float, say: Say, what: str) -> list[str]:
    """Run a program to its end; the last lines that it said. Raises BundleError. Leaves no process behind."""
    words: list[str] = []
    ended = threading.Event()
    with _child(argv) as child:
        late = threading.Timer(within, _end, (child, ended))
        late.start()
        try:
            assert child.stdout is not None
            for line in child.stdout:
                words = [*words[-20:], line.strip()]
                if told := TOLD.match(words[-1]):
                    say((told[1] or told[2])[:120])
            code = child.wait()
        finally:
            late.cancel()
    if ended.is_set():
        raise BundleError(f"{what} did not end within {within:.0f} s; cure: {CURE}")
    if code:
        raise BundleError(f"{what} failed ({_last(words) or f'exit {code}'}); cure: {CURE}")
    return words


def _end(child: subprocess.Popen[str], ended: threading.Event) -> None:
    ended.set()
    child.kill()


@contextlib.contextmanager
def _child(argv: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    more = {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=os.environ | more,
            preexec_fn=die_with_parent,  # no pip goes on writing after a kill -9: the next run has its folder
        )
    except OSError as error:
        raise BundleError(f"{argv[0]}: {error.strerror}; cure: {CURE}") from error
    with child:
        try:
            yield child
        finally:
            child.kill()


def _last(words: Sequence[str]) -> str:
    """The last line that says anything."""
    return next((word for word in reversed(words) if word), "")


def main() -> None:
    """Make the environment: `python -m engines.bundle.modelopt`. Exit 1 with one line when it fails."""
    try:
        environment(_show)
    except BundleError as error:
        sys.exit(str(error))
    _show(f"{home()} is ready")


def _show(line: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
