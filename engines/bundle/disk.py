"""The disks that a build writes to: what it still has to write on each, and whether there is room for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engines import cache
from engines.bundle import hub, pipeline, sources, steps
from engines.bundle.config import Config, Drafting
from engines.bundle.hashes import Hashes
from engines.bundle.plan import Item, Plan, linked, models, total
from engines.bundle.words import folder


@dataclass(frozen=True, slots=True)
class Disk:
    """`need` is what the plan has on it at the fullest; `there` what of that is written, or is not needed any
    more because the bundle that is there has what was made of it; `free` is left. Bytes."""

    where: Path
    need: float
    there: float
    free: float

    @property
    def short(self) -> bool:
        """Whether what is to be written finds no room."""
        return self.need - self.there > self.free


def disks(config: Config, made: Plan, names: set[str] | None = None) -> list[Disk]:
    """Those of the downloads, of environments and of the bundles, which may be one or two; `names` as todo()
    has them."""
    names = todo(config, Hashes()) if names is None else names
    cached = replace(made, download=[item for item in made.download if not item.where])
    found: dict[int, Disk] = {}
    for each in (
        downloads(config, cached, names),
        *(_disk(item.where, [item], names, 0.0) for item in made.download if item.where),
        _bundle(config, made, names),
    ):
        one = found.get(_device(each.where), Disk(each.where, 0.0, 0.0, 0.0))
        both = Disk(each.where, one.need + each.need, one.there + each.there, each.free)
        found[_device(each.where)] = both
    return list(found.values())


def downloads(config: Config, made: Plan, names: set[str] | None = None) -> Disk:
    """What is fetched, as if all of it went to the model cache; `names` as todo() has them."""
    names = todo(config, Hashes()) if names is None else names
    files = [cache.place(model, file) for model in models(config) for file in model.files]
    written = float(sum(path.stat().st_size for path in files if path.is_file()))
    if config.source and not sources.is_folder(config.source):
        written += _written(sources.checkpoint(config).rglob("*"))
    if config.draft.kind is not Drafting.never and not sources.is_folder(config.draft.source):
        written += _written(hub.place(config.draft.source, config.draft.revision).rglob("*"))
    return _disk(cache.root(), made.download, names, written)


def _bundle(config: Config, made: Plan, names: set[str]) -> Disk:
    where = folder(config)
    copied = [item for origin, item in linked(config) if _device(origin) != _device(where)]
    growing = where.with_name(f".building-{config.name}").rglob("*")
    own = _written(path for path in growing if path.is_file() and path.stat().st_nlink == 1)
    return _disk(where.parent, [*made.kept, *copied], names, own)


def todo(config: Config, known: Hashes) -> set[str]:
    """The steps that a build would do, and not take from the bundle that is there. A source that is a folder
    is hashed for it."""
    every = pipeline.steps(config, known)
    return {step.name for step in every} - steps.taken(every, folder(config))


def _disk(where: Path, items: list[Item], names: set[str], written: float) -> Disk:
    need = total(items)
    wanted = total([item for item in items if names & set(item.steps)])
    return Disk(where, need, need - max(wanted - written, 0.0), shutil.disk_usage(_there(where)).free)


def _written(paths: Iterable[Path]) -> float:
    return float(sum(path.stat().st_size for path in paths if path.is_file()))


def _device(path: Path) -> int:
    return _there(path).stat().st_dev


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.is_dir())
