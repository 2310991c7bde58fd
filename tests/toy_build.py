"""`python -m tests.toy_build FOLDER [merged|llamacpp] [full]`: a tiny bundle, killed at every change of the
disk, then built again. `merged`: both personas in weights of their own, and a draft; at every fifth change,
writes among them. `llamacpp`: a GGUF model with adapters. `full`: instead of a kill the disk is full, from
every third change on, and the build must say so.

Prints how many kills there were; exits 1 with a line when a build after a kill is not the same bundle."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from engines.bars import Bars
from engines.bundle import pipeline, tiny, verify, words
from engines.bundle.config import Adapters, Config, Draft, Drafting, Mode
from engines.bundle.errors import BundleError
from engines.cache import ModelError, digest
from engines.manifest import MODELS
from engines.model import File, Model, Url

CHANGES = ["replace", "rename", "link", "rmdir", "unlink"]
NEED_ROOM = ["replace", "rename", "link", "mkdir", "fsync", "pwrite", "sendfile"]
FOUND = ("models", "bundles")
DONE, FULL, WRONG = 0, 3, 4  # how the child ends, unless it is killed


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ["SPARK_MODELS"] = str(folder / "models")
    config = words.read("tiny-llama")
    formers: tuple[bool, ...] = (False, True)  # from nothing, then over another bundle
    points = range(1000)
    full = "full" in sys.argv[2:]
    if full:
        CHANGES[:], points = NEED_ROOM, range(0, 1000, 3)
    else:
        os.fsync = lambda fd: None  # a kill loses nothing that the system has; waiting for the disk is slow
    if "merged" in sys.argv[2:]:
        CHANGES[:] = {*CHANGES, "pwrite"}  # in the middle of a shard, too
        config, formers, points = merged(config, folder), (True,), range(0, 10_000, 5)
    if "llamacpp" in sys.argv[2:]:
        config = llamacpp(folder)
    plain, root = built(config, folder / "plain"), folder / "bundles"
    kills = 0
    for former in formers:
        before = begun(folder, other(config) if former else None)
        for point in points:
            again(folder, before)
            how = cut(partial(ended, config, root), point, full)
            if how == DONE:
                break
            if how != (FULL if full else -signal.SIGKILL):
                sys.exit(f"at {point} it ended with {how}")
            kills += 1
            if wrong := goes_on(config, root, plain):
                sys.exit(f"after a kill at {point} {wrong}")
    sys.stdout.write(f"{kills}\n")


def begun(folder: Path, former: Config | None) -> Path:
    """What each build finds: nothing, or another bundle and all that its build has fetched."""
    before = folder / f"before-{former is not None}"
    before.mkdir()
    again(folder, before)
    if former:
        built(former, folder / "bundles")
        for name in FOUND:
            (folder / name).mkdir(exist_ok=True)
            shutil.move(folder / name, before / name)
    return before


def again(folder: Path, before: Path) -> None:
    """Put that in place; files with two names keep them."""
    for name in FOUND:
        shutil.rmtree(folder / name, ignore_errors=True)
    subprocess.run(["cp", "-a", f"{before}/.", folder], check=True)


def goes_on(config: Config, root: Path, plain: dict[str, Any]) -> str:
    """What is wrong after a kill, and after the build that follows it; "" for nothing."""
    where = root / config.name
    if where.exists() and verify.flaws(config, where, quiet()):
        return "the bundle is there and not whole"
    if built(config, root) != plain:
        return f"it is another bundle: {where}"
    left = {path.name for path in root.iterdir()} - {config.name, f".lock-{config.name}"}
    return f"there remain {left}" if left else ""


def merged(config: Config, folder: Path) -> Config:
    """With adapters and a draft, whose folders are made."""
    for seed, who in enumerate(("main", "evil")):
        tiny.adapter(folder / who, seed=seed)
    tiny.make(folder / "head", seed=5)
    given = Adapters(Mode.merged, str(folder / "main"), str(folder / "evil"))
    draft = Draft(Drafting.eagle3, str(folder / "head"), dims="tiny-llama")
    return dataclasses.replace(config, adapters=given, draft=draft)


def llamacpp(folder: Path) -> Config:
    """For llama.cpp, of a model that comes from this machine, and adapters."""
    tiny.adapter(folder / "main", seed=1)
    tiny.adapter(folder / "evil", seed=2)
    model = folder / "toy.gguf"
    model.write_bytes(random.Random(3).randbytes(50_000))
    file = File("model.gguf", 50_000, digest(model), (Url(model.as_uri()),))
    MODELS["toy"] = Model("toy", "a toy", "none", (file,))
    given = Adapters(Mode.lora, str(folder / "main"), str(folder / "evil"))
    return dataclasses.replace(words.read("smollm2"), models=["toy"], dims="tiny-llama", adapters=given)


def other(config: Config) -> Config:
    """A bundle of the same name from other weights, with nothing merged."""
    return dataclasses.replace(config, seed=7, adapters=Adapters(), draft=Draft())


def built(config: Config, root: Path) -> dict[str, Any]:
    """Build without harm; the files' hashes."""
    pipeline.build(config, root / config.name, Console(quiet=True))
    if found := verify.flaws(config, root / config.name, quiet()):
        sys.exit(f"the bundle is not whole: {found[0]}")
    files: dict[str, Any] = json.loads((root / config.name / "manifest.json").read_text())["files"]
    return files


def quiet() -> Bars:
    return Bars(Console(quiet=True))


def cut(work: Callable[[], int], point: int, full: bool = False) -> int:
    """Do it in a child that is killed at its `point`-th change of the disk, or finds it full from there on;
    how it ended."""
    child = os.fork()
    if child == 0:
        left = point

        def deadly(change: Callable[..., Any]) -> Callable[..., Any]:
            def instead(*args: Any, **more: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0 and full:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*args, **more)

            return instead

        for name in CHANGES:
            setattr(os, name, deadly(getattr(os, name)))
        os._exit(work())
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def ended(config: Config, root: Path) -> int:
    """Build; what its user is told of a full disk is that, and the cure."""
    try:
        pipeline.build(config, root / config.name, Console(quiet=True))
    except (BundleError, ModelError) as error:
        told = re.search(r"no room .*cure: free some", str(error))
        sys.stderr.write("" if told else f"{error}\n")
        return FULL if told else WRONG
    except BaseException:
        traceback.print_exc()
        return WRONG
    return DONE


if __name__ == "__main__":
    main()
