"""Step "adapters": both personas' PEFT adapters, checked against the base, as the server loads them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from engines import cache
from engines.bars import Bars
from engines.bundle import adapters, hashes, lora_bf16, lora_gguf, merge, sources
from engines.bundle.adapters import AdapterFacts
from engines.bundle.config import Config, Kind, Mode
from engines.bundle.dims import DIMS
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.places import FOLDER

WORK = ".merged"


def inputs(config: Config, known: Hashes) -> Mapping[str, object]:
    """The adapters' files, and what they are checked and made for."""
    return {
        "mode": config.adapters.mode.value,
        "max_rank": config.adapters.max_rank,
        "kind": config.kind.value,
        "dims": config.dims,
        "source": _trained_on(config) if config.adapters.given else "",
        "adapters": {who: _files(who, path, known) for who, path in config.adapters.given.items()},
    }


def _files(who: str, path: str, known: Hashes) -> Mapping[str, object]:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise BundleError(f"adapters.{who}: there is no folder {folder}; cure: the folder that PEFT saved")
    ours = (path for path in hashes.files(folder) if path.name in (adapters.CONFIG, adapters.WEIGHTS))
    return hashes.table(folder, [path for path in ours if path.parent == folder], known)


def base(config: Config) -> dict[str, object]:
    """The config.json that adapters must fit."""
    if config.source:
        return sources.base_config(sources.checkpoint(config))
    return DIMS[config.dims].config()


def run(config: Config, work: Path, bars: Bars, known: Hashes) -> Mapping[str, object]:
    """Check both, then copy or convert them. Raises BundleError that names the tensor."""
    given = config.adapters.given
    if not given:
        bars.say(
            "!! no adapters: the personas are PROMPT-ONLY. Give adapters.main=FOLDER adapters.evil=FOLDER"
        )
        return {"personas": "prompt-only"}
    if config.source:
        sources.need(config, bars, known)
    facts = {
        who: adapters.check(Path(path).expanduser(), base(config), config.adapters.max_rank)
        for who, path in given.items()
    }
    for each in facts.values():
        if (wanted := _trained_on(config)) and _named(each.base):
            adapters.based(each, wanted, config.adapters.base)
    if len(given) < 2:
        bars.say(f"!! an adapter for {', '.join(given)} only: the other persona is a prompt alone")
    else:
        adapters.same(*facts.values())
    shutil.rmtree(work / FOLDER, ignore_errors=True)
    if config.adapters.mode is Mode.lora:
        for who, each in facts.items():
            _place(config, each, work / FOLDER / who)
    return {who: _said(each) for who, each in facts.items()}


def _trained_on(config: Config) -> str:
    """What adapters of this bundle are trained on, "" where nobody else knows its weights. Others may
    have the same shapes: a Coder and its plain model, or a series and the next."""
    if config.source:
        return _named(config.source)
    return cache.known(config.models[0]).base if config.models else ""


def _named(model: str) -> str:
    """A model's name on the hub; "" for a folder or weights made on the spot, which nobody else knows."""
    return "" if sources.is_folder(model) or model == sources.RANDOM else model


def _said(facts: AdapterFacts) -> Mapping[str, object]:
    return {"rank": facts.rank, "targets": list(facts.targets), "base": facts.base, "bytes": facts.size}


def _place(config: Config, facts: AdapterFacts, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if config.kind is Kind.llamacpp:
        lora_gguf.convert(facts.folder, base(config), target.with_suffix(".gguf"))
    else:
        lora_bf16.convert(facts, target)


def merged(config: Config, who: str, path: str, work: Path, bars: Bars) -> Path:
    """The checkpoint with a persona's adapter in its weights: bf16, in a folder that is thrown away."""
    out = work / WORK / who
    bar = bars.add(f"merging {who}", int(DIMS[config.dims].bf16))
    merge.merge(sources.checkpoint(config), Path(path).expanduser(), out, lambda done, _: bar.at(done))
    return out
