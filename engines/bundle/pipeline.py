"""A bundle from its config: steps into .building-NAME, then one rename. Whole, or not there."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from rich.console import Console

from engines import room
from engines.bars import Bars
from engines.bundle import hashes, manifest, native, personas, repack, serving, sources, weights
from engines.bundle.config import Config, Kind
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.places import FOLDER
from engines.bundle.steps import JOURNAL, Journal, Step, perform
from engines.cache import alone
from engines.llm.options import MODEL, REPACKED


def steps(config: Config, known: Hashes) -> list[Step]:
    """What this bundle is made by, in order."""
    found = [
        Step(
            "fetch",
            lambda: sources.inputs(config, known),
            ("model.gguf", "draft"),
            lambda work, bars: sources.run(config, work, bars, known),
        ),
        Step(
            "adapters",
            lambda: personas.inputs(config, known),
            (FOLDER,),
            lambda work, bars: personas.run(config, work, bars, known),
            version=2,
        ),
    ]
    if config.kind is Kind.trtllm:
        found += [
            Step(
                "quantise",
                lambda: weights.inputs(config, known),
                ("checkpoint", "checkpoint-main", "checkpoint-evil"),
                lambda work, bars: weights.run(config, work, bars, known),
            ),
            Step(
                "serve config",
                lambda: serving.inputs(config, known),
                ("serve.yaml", "serve.json"),
                lambda work, bars: serving.run(config, work, bars),
            ),
        ]
    return [*found, *_compiled(config)] if config.native else found


def _compiled(config: Config) -> list[Step]:
    """llama.cpp's server for this CPU, and before it what it reads, with which it is tried."""
    server = Step(
        "native", native.inputs, ("native",), lambda work, bars: native.run(work, config.threads, bars)
    )
    if not repack.pays(native.cpu()):
        return [server]
    layout = Step(
        "repack",
        lambda: {"model": config.models[0]},
        (REPACKED,),
        lambda work, bars: repack.run(work / MODEL, work / REPACKED, bars),
    )
    return [layout, server]


def build(config: Config, target: Path, console: Console) -> bool:
    """Make the bundle; False when it was there, as asked. Raises BundleError, ModelError with the cure."""
    work = target.with_name(f".building-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(f".lock-{target.name}")
        with alone(lock, lambda: _waiting(console, config)), Bars(console) as bars:
            return _build(config, target, work, bars)
    except OSError as error:
        raise BundleError(_disk(error, target.parent)) from error


def unchanged(config: Config, target: Path, console: Console) -> bool:
    """Whether the bundle is there, as asked: a build would write nothing. Raises BundleError, OSError."""
    with Bars(console) as bars:
        known = Hashes(bars)
        same = _unchanged(steps(config, known), target, known)
    known.save()
    return same


def _build(config: Config, target: Path, work: Path, bars: Bars) -> bool:
    known = Hashes(bars)
    _recover(target, work)
    todo = steps(config, known)
    if _unchanged(todo, target, known):
        _drop(work)
        known.save()
        return False
    work.mkdir(exist_ok=True)
    _forget(todo, work)
    perform(todo, work, target, known, bars)
    manifest.write(config, work)
    known.save()
    _publish(work, target)
    return True


def _unchanged(todo: list[Step], target: Path, known: Hashes) -> bool:
    entries = Journal(target).entries
    if set(entries) != {step.name for step in todo} or not manifest.fresh(target, known):
        return False
    return all(
        entries[step.name].get("key") == hashes.key({"version": step.version, **step.inputs()})
        for step in todo
    )


def _forget(todo: list[Step], work: Path) -> None:
    """Take away what steps made that this build has not."""
    journal = Journal(work)
    for name in set(journal.entries) - {step.name for step in todo}:
        for path in journal.entries[name].get("outputs", {}):
            (work / path).unlink(missing_ok=True)
        journal.write(name, None)


def _publish(work: Path, target: Path) -> None:
    """`work` becomes the bundle. Between the two renames there is none: _recover() mends a kill there."""
    for path in work.iterdir():
        if path.name.startswith(".") and path.name != JOURNAL:
            _drop(path)
    former = target.with_name(f".old-{target.name}")
    _drop(former)
    if target.exists():
        target.rename(former)
    work.rename(target)
    _drop(former)


def _recover(target: Path, work: Path) -> None:
    """After a kill while publishing: the new bundle where it is whole, else the former one."""
    former = target.with_name(f".old-{target.name}")
    if not target.exists() and former.exists():
        if manifest.read(work) is not None:
            work.rename(target)
        else:
            former.rename(target)
    _drop(former)


def _drop(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _waiting(console: Console, config: Config) -> None:
    console.print(f"another copy is building {config.name}; waiting for it to finish", highlight=False)


def _disk(error: OSError, folder: Path) -> str:
    if room.full(error):
        where = error.filename or folder
        return (
            f"no room on the disk ({where}): {error.strerror}; cure: free some, or root=FOLDER (bundles) and"
            " SPARK_MODELS=FOLDER (downloads) on a larger one, then start again: what is done is kept"
        )
    return f"{error.filename or folder}: {error.strerror or error}; cure: see that you may write there"
