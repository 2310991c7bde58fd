"""Environments of their own, for engines whose packages do not agree with ours: made once, from a lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from engines import room
from engines.cache import ModelError
from engines.folders import caches
from engines.program import Failed, run

STAMP = "made-from"  # in the environment: the hash of the requirements that it holds
# What is told of pip's lines: which large packages it fetches (torch is some GB, minutes long).
TOLD = re.compile(r"Downloading .+ [MG]B\)|Installing collected")
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
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return caches() / f"env-{self.name}-{version}"

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def made(self) -> bool:
        """Whether it is there, whole, and of this lock."""
        with contextlib.suppress(OSError):
            stamp = (self.folder / STAMP).read_text(encoding="ascii")
            return stamp == self._wanted() and self.python.exists()  # its Python is the system's
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
            cure = f"set {self.variable}" if not room.full(error) else f"free some, or set {self.variable}"
            raise ModelError(f"{self.folder}: {error.strerror or error}; cure: {cure}") from error

    def _make(self, say: Say) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        say(f"making the environment of {self.name} in {self.folder} (about {self.size})")
        base = getattr(sys, "_base_executable", sys.executable)
        # with the project's own pip: Debian's Python has none to put into an environment
        self._run([base, "-m", "venv", "--without-pip", str(self.folder)], say)
        pip = [sys.executable, "-m", "pip", "--python", str(self.python)]
        flags = ["--disable-pip-version-check", "--no-input", "--require-hashes"]
        self._run([*pip, "install", *flags, "-r", str(self.requirements)], say)
        (self.folder / STAMP).write_text(self._wanted(), encoding="ascii")

    def _run(self, argv: Sequence[str], say: Say) -> None:
        try:
            run(argv, self.within, lambda line: say(line[:120]) if TOLD.match(line) else None)
        except Failed as error:
            shutil.rmtree(self.folder, ignore_errors=True)  # pip cannot go on with it, and it takes the room
            usual = "see that this machine reaches the package index, then start again"
            cure = room.cure(error.words, self.folder.parent, usual)
            raise ModelError(f"making the environment of {self.name} {error}; cure: {cure}") from error

    def _wanted(self) -> str:
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()
