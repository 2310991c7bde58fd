"""`python -m tests.toy_build FOLDER`: a tiny bundle, killed at every change of the disk, then built again.

Prints how many kills there were; exits 1 with a line when a build after a kill is not the same bundle."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from engines.bars import Bars
from engines.bundle import manifest, pipeline, words
from engines.bundle.config import Config

CHANGES = ("replace", "rename", "link", "rmdir", "unlink")


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ["SPARK_MODELS"] = str(folder / "models")
    config = words.read("tiny-llama")
    plain = built(config, folder / "plain")
    kills = 0
    for former in (False, True):  # from nothing, then over a bundle of another seed
        for point in range(1000):
            shutil.rmtree(folder / "models", ignore_errors=True)
            root = folder / f"{former}-{point}"
            if former:
                built(other(config), root)
            if survived(config, root, point):
                break
            kills += 1
            where = root / "tiny-llama"
            if where.exists() and manifest.flaws(config, where, quiet()):
                sys.exit(f"after a kill at {point} the bundle is there and not whole")
            if built(config, root) != plain:
                sys.exit(f"after a kill at {point} it is another bundle: {where}")
            if left := [
                path.name for path in root.iterdir() if path.name not in ("tiny-llama", ".lock-tiny-llama")
            ]:
                sys.exit(f"after a kill at {point} there remain {left}")
            shutil.rmtree(root)
    sys.stdout.write(f"{kills}\n")


def other(config: Config) -> Config:
    """A bundle of the same name from other weights."""
    import dataclasses

    return dataclasses.replace(config, seed=7)


def built(config: Config, root: Path) -> dict[str, Any]:
    """Build without harm; the files' hashes."""
    pipeline.build(config, root / config.name, Console(quiet=True))
    if found := manifest.flaws(config, root / config.name, quiet()):
        sys.exit(f"the bundle is not whole: {found[0]}")
    files: dict[str, Any] = json.loads((root / config.name / "manifest.json").read_text())["files"]
    return files


def quiet() -> Bars:
    return Bars(Console(quiet=True))


def survived(config: Config, root: Path, point: int) -> bool:
    """Build in a child that is killed at its `point`-th change of the disk; whether it ended before that."""
    child = os.fork()
    if child == 0:
        left = point

        def deadly(change: Callable[..., Any]) -> Callable[..., Any]:
            def instead(*args: Any, **more: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*args, **more)

            return instead

        for name in CHANGES:
            setattr(os, name, deadly(getattr(os, name)))
        pipeline.build(config, root / config.name, Console(quiet=True))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


if __name__ == "__main__":
    main()
