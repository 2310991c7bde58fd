"""`./build_engines.sh verify`: every hash that a bundle's manifest holds, of outputs and inputs, taken again.

Inputs that are not here any more (downloads may be deleted once a bundle is built) are told, and are no flaw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import cache
from engines.bars import Bars
from engines.bundle import calibration, hashes, hub, native, sources
from engines.bundle.config import Config
from engines.bundle.hashes import Hashes
from engines.bundle.manifest import NAME, read, told
from engines.bundle.places import FOLDER
from engines.bundle.plan import models


@dataclass(frozen=True, slots=True)
class Told:
    """A file and the hash that it must have, sha256 or git's blob id; what to do where it has not."""

    path: Path
    hash: str
    cure: str


def flaws(config: Config, folder: Path, bars: Bars) -> list[str]:
    """What is not as the manifest says, a line each with the cure. Every file is read.

    What was read is remembered: the next build does again what depends on a damaged file. Raises OSError."""
    again = f"./build_engines.sh bundle={config.name}"
    if not folder.is_dir():
        return [f"there is no bundle {config.name}; cure: {again}"]
    said = read(folder)
    if said is None:
        return [f"{folder / NAME} is missing, damaged, or was edited by hand; cure: {again}"]
    known, seen = Hashes(), dict[tuple[int, int], str]()
    outputs = [Told(folder / name, facts["sha256"], again) for name, facts in said["files"].items()]
    found = [
        f"{each.path}: {wrong}; cure: {each.cure}"
        for each in (*outputs, *_inputs(config, said, again, bars))
        if (wrong := _wrong(each, known, seen, bars))
    ]
    known.save()
    ours = set(said["files"]) | {NAME}
    extra = [path for path in hashes.files(folder) if path.relative_to(folder).as_posix() not in ours]
    found += [f"{path}: is no part of the bundle; cure: remove it" for path in extra]
    return found + [f"{line}; cure: {again}" for line in _models(config, said, bars)]


def _wrong(each: Told, known: Hashes, seen: dict[tuple[int, int], str], bars: Bars) -> str:
    """What is wrong with a file, "" for nothing. One that was read under another name is not read again."""
    if not each.path.is_file():
        return "missing"
    facts = each.path.stat()

    def sha256(path: Path) -> str:
        inode = (facts.st_dev, facts.st_ino)
        if inode not in seen:
            seen[inode] = known.read(path, bars.add(f"check {path.name}", facts.st_size).more)
        known.learn(path, seen[inode])
        return seen[inode]

    if hub.digest(each.path, each.hash, sha256) == each.hash:
        return ""
    return f"it is not what the manifest says ({facts.st_size} bytes): its {_kind(each.hash)} is wrong"


def _kind(digest: str) -> str:
    return "sha256" if len(digest) == 64 else "git blob id"


def _inputs(config: Config, said: Mapping[str, Any], again: str, bars: Bars) -> Iterator[Told]:
    """What the bundle was made of, as far as it is here or is named."""
    steps = said["steps"]
    facts, figures = steps["fetch"]["inputs"], steps["fetch"]["figures"]
    _, draft = facts.get("draft") or ("never", None)
    made_of = {"source": (facts.get("source"), config.source), "draft.source": (draft, config.draft.source)}
    for key, (what, asked) in made_of.items():
        if isinstance(what, dict):
            folder = asked if asked and sources.is_folder(asked) else ""
            yield from _folder(key, what, folder, again, bars)
        elif what:
            yield from _fetched(what, figures[key.partition(".")[0]], again, bars)
    for who, table in steps["adapters"]["inputs"]["adapters"].items():
        asked, copies = config.adapters.given.get(who, ""), f"{FOLDER}/{who}"
        copied = all(said["files"].get(f"{copies}/{name}", {}) == each for name, each in table.items())
        if asked or not copied:
            yield from _folder(f"adapters.{who}", table, asked, again, bars)
    if lines := steps.get("quantise", {}).get("inputs", {}).get("calibration"):
        yield from _lines(config, lines, again, bars)
    if "native" in steps and native.archive().is_file():
        yield Told(native.archive(), steps["native"]["inputs"]["sha256"], again)


def _fetched(made_of: Any, figures: Mapping[str, Any], again: str, bars: Bars) -> Iterator[Told]:
    """Of the hub, or made on the spot: `made_of` says where it lies, `figures` what it must be."""
    source, revision, seed = made_of
    folder = sources.place(source, revision, seed)
    there = hub.listed(folder)
    if there and there.commit != figures["commit"]:
        bars.say(f"{source}: not checked, the cache has another commit of it ({there.commit})")
        return
    gone = [name for name in figures["files"] if not (folder / name).is_file()]
    if gone:
        bars.say(f"{source}: {len(gone)} of its files are not in the cache any more and not checked")
    for name in set(figures["files"]) - set(gone):
        yield Told(folder / name, figures["files"][name], f"{again}, which brings it anew where it needs it")


def _lines(config: Config, told: str, again: str, bars: Bars) -> Iterator[Told]:
    """What ModelOpt calibrated with: a named file, or the shipped one as long as it is still that."""
    if config.calibration:
        path = Path(config.calibration).expanduser()
        yield Told(path, told, f"put back what it was, or {again} calibration={config.calibration}")
    elif cache.digest(calibration.SHIPPED) != told:
        bars.say("calibration: not checked, since it was not with our lines; with calibration=FILE it is")


def _folder(key: str, table: Mapping[str, Any], asked: str, again: str, bars: Bars) -> Iterator[Told]:
    """A folder of this machine: the manifest has no path of it."""
    if not asked:
        bars.say(f"{key}: not checked, since the manifest holds no paths; with {key}=FOLDER it is")
    for name, facts in table.items() if asked else ():
        cure = f"put back what it was, or {again} {key}={asked}"
        yield Told(Path(asked).expanduser() / name, facts["sha256"], cure)


def _models(config: Config, said: Mapping[str, Any], bars: Bars) -> Iterator[str]:
    """The same for models of engines/manifest.py; a stamp of a wrong one is taken away."""
    for model in models(config):
        if said["models"].get(model.name, {}).get("files") != told(model):
            yield f"{model.name} in the manifest is another, or is not there"
        for file in model.files:
            bar = bars.add(f"check {model.name}/{file.name}", file.size)
            if flaw := cache.flaw(model, file, bar.more):
                yield f"{cache.place(model, file)}: {flaw}"
