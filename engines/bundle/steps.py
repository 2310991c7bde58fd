"""The steps of a build: each shown, timed, and skipped when its inputs are those of the last time.

A bundle grows in .building-NAME. A step writes into folders and files of its own there; when it is done, the
journal gets its inputs' hash, its outputs' hashes and its seconds. A kill costs the running step at most, and
what that step itself can resume, it finds where it left it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.bars import Bars
from engines.bundle import hashes
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes

JOURNAL = ".journal.json"
Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `inputs` are the facts that its outputs depend on; `outputs` what it makes in the bundle.

    `run` is given the bundle's folder and the display; it goes on where a killed run of it stopped.
    What it returns goes into the manifest."""

    name: str
    inputs: Callable[[], Facts]
    outputs: tuple[str, ...]
    run: Callable[[Path, Bars], Facts]
    version: int = 1  # counted up when the same inputs give other outputs


class Journal:
    """What the steps of a folder have done."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / JOURNAL
        try:
            entries = json.loads(self._file.read_text())
        except (OSError, ValueError):  # none yet, or torn: the steps are done again
            entries = {}
        self.entries: dict[str, dict[str, Any]] = entries if isinstance(entries, dict) else {}

    def write(self, step: str, entry: dict[str, Any] | None) -> None:
        """Set a step's entry, or take it away; on the disk before this returns."""
        self.entries.pop(step, None)
        if entry is not None:
            self.entries[step] = entry
        fresh = self._file.with_name(f"{JOURNAL}.new")
        with fresh.open("w") as stream:
            json.dump(self.entries, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._file)


def taken(steps: list[Step], old: Path) -> set[str]:
    """The steps that perform() takes from `old`, by their inputs and their outputs' sizes; none is read."""
    entries, found = Journal(old).entries, set()
    for step in steps:
        entry = entries.get(step.name, {})
        with contextlib.suppress(BundleError):  # what is wrong with its inputs, the step tells
            if "key" in entry and entry["key"] == hashes.key({"version": step.version, **step.inputs()}):
                sizes = {old / name: facts["size"] for name, facts in entry["outputs"].items()}
                if all(path.is_file() and path.stat().st_size == size for path, size in sizes.items()):
                    found.add(step.name)
    return found


def perform(steps: list[Step], work: Path, old: Path, known: Hashes, bars: Bars) -> None:
    """Do every step that is not done in `work`; what `old`, a whole one, has from the same inputs is taken.

    Raises what a step raises: BundleError, ModelError, OSError."""
    for step in steps:
        step.inputs()  # what is wrong with an adapter is told now, and not when 140 GB have been fetched
    journal, former = Journal(work), Journal(old)
    for number, step in enumerate(steps, 1):
        head = f"{number}/{len(steps)} {step.name}"
        facts = {"version": step.version, **step.inputs()}
        key = hashes.key(facts)
        if _holds(journal.entries.get(step.name), key, work, known):
            bars.say(f"{head}: done before")
            continue
        if _holds(former.entries.get(step.name), key, old, known) and step.outputs:
            _take(step, old, work)
            journal.write(step.name, former.entries[step.name])
            bars.say(f"{head}: as in the bundle that is there")
            continue
        if journal.entries.get(step.name, {}).get("begun") != key:
            _clear(step, work)
            journal.write(step.name, {"begun": key})
        bars.say(f"{head} ...")
        began = time.monotonic()
        said = step.run(work, bars)
        outputs = hashes.table(work, _outputs(step, work), known)
        known.save()
        seconds = round(time.monotonic() - began, 2)
        journal.write(
            step.name,
            {"key": key, "inputs": facts, "outputs": outputs, "figures": dict(said), "seconds": seconds},
        )
        bars.say(f"{head}: {seconds:.1f} s")


def _holds(entry: dict[str, Any] | None, key: str, folder: Path, known: Hashes) -> bool:
    """Whether a journal's entry is of these inputs and its outputs are still as they were made."""
    if not entry or entry.get("key") != key:
        return False
    for name, facts in entry["outputs"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["size"] or known.of(path) != facts["sha256"]:
            return False
    return True


def _outputs(step: Step, work: Path) -> list[Path]:
    found: list[Path] = []
    for name in step.outputs:
        path = work / name
        found += hashes.files(path) if path.is_dir() else [path] if path.is_file() else []
    return found


def _clear(step: Step, work: Path) -> None:
    for name in step.outputs:
        path = work / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _take(step: Step, old: Path, work: Path) -> None:
    """The step's outputs from the bundle that is there, linked: steps replace files and never change them."""
    _clear(step, work)
    for path in _outputs(step, old):
        link(path, work / path.relative_to(old))


def link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no links, or it is another one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        fresh = target.with_name(f".{target.name}.new")
        shutil.copyfile(source, fresh)
        shutil.copymode(source, fresh)
        fresh.replace(target)
