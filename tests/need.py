"""What a test may find missing on somebody's machine: it skips with the cure, and fails where CI=true."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from engines.cache import ModelError, known, locate

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def need(there: object, what: str, cure: str) -> None:
    """Go on when `there`; otherwise skip with the reason and the cure, or fail where CI=true."""
    if there:
        return
    reason = f"{what} is missing; cure: {cure}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def need_models(*names: str) -> None:
    """The models are in the cache, at their right size."""
    for name in names:
        missing = ""
        try:
            for file in known(name).files:
                locate(name, file.name)
        except ModelError as error:
            missing = str(error)
        need(not missing, f"model {name} ({missing})", f"python -m engines.fetch {name}")


def need_browser() -> Path:
    """A Chromium of the system's."""
    found: Sequence[str] = [path for name in BROWSERS if (path := shutil.which(name))]
    need(found, "chromium", "sudo apt install chromium")
    return Path(found[0])


def need_program(name: str, cure: str) -> Path:
    """A program on PATH, or one of the system's servers."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    need(found, name, cure)
    return Path(str(found))


def need_compose() -> list[str]:
    """The command line of Docker Compose, as a plugin or by itself; to validate a file it asks no daemon."""
    ways = (["docker", "compose"], ["docker-compose"])
    found = [way for way in ways if shutil.which(way[0]) and _runs([*way, "version"])]
    need(found, "Docker Compose", "sudo apt install docker-compose")
    return found[0]


def _runs(argv: Sequence[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def need_package(name: str, cure: str) -> None:
    """A Python package that is an extra; for a whole file, before it imports what needs it."""
    if find_spec(name) is None and os.environ.get("CI") != "true":
        pytest.skip(f"package {name} is missing; cure: {cure}", allow_module_level=True)
