"""Fills the model cache: `python -m engines.fetch NAME...`. Engines ask it (locate) where their files lie."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from engines import cache, room
from engines.addresses import SourceFailed
from engines.assemble import Assembler
from engines.bars import Bars, say
from engines.cache import ModelError, known, locate
from engines.download import Downloader
from engines.manifest import MODELS
from engines.model import File, Model

__all__ = ["ModelError", "fetch", "locate", "verify"]

PARTS = ".parts"  # in a model's folder: what is not whole yet
SPARE = 200_000_000  # bytes: room for an archive beside the files, and some air


def fetch(names: Iterable[str], console: Console | None = None) -> None:
    """See that the models are in the cache and whole. Raises ModelError with the cure.

    On a warm start it reads no model file and touches no network."""
    console = console or Console(stderr=True)
    models = [known(name) for name in dict.fromkeys(names)]
    missing = [each for each in models if not all(cache.stamped(each, file) for file in each.files)]
    if not missing:
        return
    # one for all: a host that gave the first model is waited for at the next one's beginning, too
    with contextlib.closing(Downloader(say=partial(say, console))) as downloader:
        for model in missing:
            folder = cache.root() / model.name
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with _alone(model, console):
                    _complete(model, console, downloader)
            except OSError as error:
                raise ModelError(_disk(error, folder)) from error


def verify(names: Iterable[str], console: Console | None = None) -> list[str]:
    """Read every file of the models; a line with the cure for each that is missing or damaged."""
    found = []
    with Bars(console or Console(stderr=True)) as bars:
        for model in map(known, dict.fromkeys(names)):
            for file in model.files:
                bar = bars.add(f"check {model.name}/{file.name}", file.size)
                if flaw := cache.flaw(model, file, bar.more):
                    cure = f"python -m engines.fetch {model.name}"
                    found.append(f"{cache.place(model, file)}: {flaw}; cure: {cure}")
    return found


def _alone(model: Model, console: Console) -> cache.alone:
    """Hold the model's lock: of two copies started at once, the second waits and then finds the files."""
    wait = f"{model.name}: another copy is fetching it; waiting for it to finish"
    return cache.alone(cache.root() / f"{model.name}.lock", lambda: console.print(wait, highlight=False))


def _complete(model: Model, console: Console, downloader: Downloader) -> None:
    """Fetch what is missing or damaged. The model's lock is held."""
    wanted = []
    for file in model.files:
        flaw = "" if cache.stamped(model, file) else cache.flaw(model, file)
        if flaw and flaw != "missing":
            console.print(f"{model.name}/{file.name} is damaged ({flaw}): fetching it again", highlight=False)
        if flaw:
            wanted.append(file)
    if not wanted:
        return
    parts = cache.root() / model.name / PARTS
    parts.mkdir(exist_ok=True)
    _room(model, wanted, parts)
    assembler = Assembler(parts, downloader)
    with Bars(console) as bars:
        for file in wanted:
            _one(model, file, assembler, bars)
    shutil.rmtree(parts)


def _one(model: Model, file: File, assembler: Assembler, bars: Bars) -> None:
    """Try a file's sources in order: the first that gives the right bytes wins. Raises ModelError."""
    bar = bars.add(f"{model.name}/{file.name}", file.size)
    failures = []
    for source in file.sources:
        try:
            draft = assembler.draft(file, source, bar.at)
        except SourceFailed as failure:
            failures.append(str(failure))
            continue
        target = cache.place(model, file)
        target.parent.mkdir(exist_ok=True)
        draft.replace(target)
        cache.stamp(model, file)
        bar.at(file.size)
        return
    raise ModelError(
        f"{model.name}/{file.name} cannot be fetched ({'; '.join(failures)});"
        " cure: see that this machine reaches the network, then start again (what was fetched is kept)"
    )


def _room(model: Model, wanted: Sequence[File], parts: Path) -> None:
    there = sum(path.stat().st_size for path in parts.iterdir())
    need = sum(file.size for file in wanted) + SPARE - there
    free = shutil.disk_usage(parts).free
    if free < need:
        raise ModelError(
            _full(f"{model.name} needs {need / 1e6:.0f} MB, {free / 1e6:.0f} MB are free", parts.parent)
        )


def _disk(error: OSError, folder: Path) -> str:
    if room.full(error):
        return _full(str(error.strerror), folder)
    return f"{folder}: {error.strerror or error}; cure: set SPARK_MODELS to a folder that you may write"


def _full(why: str, folder: Path) -> str:
    return f"no room in {folder}: {why}; cure: free some, or set SPARK_MODELS to a folder on another disk"


def main() -> None:
    """The command line. Exit status 1 with one line when something is missing, damaged or not to be had."""
    parser = argparse.ArgumentParser(prog="python -m engines.fetch", description="Fill the model cache.")
    parser.add_argument("models", nargs="*", metavar="NAME", help=f"of: {', '.join(MODELS)}")
    parser.add_argument("--verify", action="store_true", help="read all files and check their hashes")
    parser.add_argument("--list", action="store_true", help="show the models")
    asked = parser.parse_args()
    console = Console(stderr=True)
    try:
        if asked.list or not (asked.models or asked.verify):
            _show(console)
        elif asked.verify:
            there = [name for name in MODELS if (cache.root() / name).is_dir()]
            if flaws := verify(asked.models or there, console):
                sys.exit("\n".join(flaws))
        else:
            fetch(asked.models, console)
    except ModelError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _show(console: Console) -> None:
    for model in MODELS.values():
        there = "here" if all(cache.stamped(model, file) for file in model.files) else "not here"
        console.print(
            f"{model.name:16} {model.size / 1e6:8.1f} MB  {there:8}  {model.licence:10}  {model.what}",
            highlight=False,
            soft_wrap=True,
        )


if __name__ == "__main__":
    main()
