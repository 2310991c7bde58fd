"""Environments of their own, for engines whose packages do not agree with ours: made once, from a lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from engines.cache import ModelError
from engines.options import die_with_parent

STAMP = "made-from"  # in the environment: the hash of the requirements that it holds
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Environment:
    """`name` for people, `requirements` the lock, `variable` names the folder instead of the user's cache.
    It takes `size` of disk and is made `within` so many seconds, or not at all."""

    name: str
    requirements: Path
    variable: str
    size: str = "500 MB"
    within: float = 1800.0

    @property
    def folder(self) -> Path:
        """Where it lies, or would. A folder a Python: a lock's wheels are that Python's."""
        if chosen := os.environ.get(self.variable):
            return Path(chosen)
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return Path(caches) / "spark-vtuber" / f"env-{self.name}-{version}"

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def made(self) -> bool:
        """Whether it is there, whole, and of this lock."""
        with contextlib.suppress(OSError):
            return (self.folder / STAMP).read_text(encoding="ascii") == self._wanted()
        return False

    def make(self, say: Say) -> None:
        """Make it where it is not; another process that makes it is waited for. Raises ModelError."""
        if self.made:
            return
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder.with_name(f"{self.folder.name}.lock"), timeout=self.within):
                if not self.made:
                    self._make(say)
        except Timeout as error:
            raise ModelError(f"{self.folder} is being made by another process; cure: end that") from error
        except OSError as error:
            raise ModelError(
                f"{self.folder}: {error.strerror or error}; cure: set {self.variable}"
            ) from error

    def _make(self, say: Say) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        say(f"making the environment of {self.name} in {self.folder} (about {self.size})")
        base = getattr(sys, "_base_executable", sys.executable)
        self._run([base, "-m", "venv", str(self.folder)])
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        self._run([str(self.python), *pip, "-r", str(self.requirements)])
        (self.folder / STAMP).write_text(self._wanted(), encoding="ascii")

    def _run(self, argv: Sequence[str]) -> None:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.within,
                check=False,
                preexec_fn=die_with_parent,  # no pip goes on writing after a kill -9: the next has its folder
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"the environment of {self.name} was not made within {self.within:.0f} s;"
                " cure: see that this machine reaches the package index, then start again"
            ) from error
        if done.returncode:
            lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
            last = lines[-1].strip() if lines else f"exit {done.returncode}"
            raise ModelError(
                f"the environment of {self.name} cannot be made ({last});"
                " cure: see that this machine reaches the package index, then start again"
            )

    def _wanted(self) -> str:
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()
