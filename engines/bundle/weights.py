"""Step "quantise": the checkpoint that trtllm-serve loads; one, or one for each merged persona."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from engines.bars import Bars
from engines.bundle import calibration, layout, modelopt, personas, quantise, sources
from engines.bundle.config import Config, Mode, Quantise
from engines.bundle.dims import DIMS
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes

PART = ".checkpoints"  # what is not whole yet, with the quantiser's own journal


def names(config: Config) -> dict[str, str]:
    """The checkpoints' folders: persona (or "") -> folder."""
    if config.adapters.mode is Mode.merged and config.adapters.given:
        return {who: f"checkpoint-{who}" for who in config.adapters.given}
    return {"": "checkpoint"}


def inputs(config: Config, known: Hashes) -> Mapping[str, object]:
    """The source, who quantises, and for merged personas the adapters."""
    if config.adapters.mode is Mode.merged and config.quantise is Quantise.never:
        raise BundleError("adapters=merged needs bf16 weights; cure: quantise=stream and a bf16 source")
    facts = {
        "source": sources.inputs(config, known).get("source"),
        "quantise": config.quantise.value,
        "merged": personas.inputs(config, known) if config.adapters.mode is Mode.merged else None,
    }
    if config.quantise is Quantise.modelopt:
        lines = known.of(calibration.file(config.calibration))
        facts |= {"recipe": config.recipe, "calibration": lines, "by": modelopt.versions()}
    return facts


def run(config: Config, work: Path, bars: Bars, known: Hashes) -> Mapping[str, object]:
    """Make each checkpoint beside its place and move it there when it is whole. Raises BundleError."""
    figures: dict[str, object] = {}
    for who, name in names(config).items():
        target = work / name
        if not target.is_dir():
            part = work / PART / name
            part.parent.mkdir(exist_ok=True)
            _make(config, who, part, work, bars, known)
            for note in part.glob(".*"):  # the quantiser's, of how far it came
                note.unlink()
            part.rename(target)
            shutil.rmtree(work / personas.WORK, ignore_errors=True)
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
        figures[name] = {"bytes": size, "planned": round(DIMS[config.dims].nvfp4)} | layout.facts(target)
    shutil.rmtree(work / PART, ignore_errors=True)
    return figures


def _make(config: Config, who: str, target: Path, work: Path, bars: Bars, known: Hashes) -> None:
    sources.need(config, bars, known)
    source = sources.checkpoint(config)
    if config.quantise is Quantise.never:
        sources.copy(source, target)
        if not (target / layout.NAME).is_file():
            raise BundleError(f"{config.source} is not quantised; cure: quantise=stream, or another source")
        sources.weighed(target, config.source)
        return
    if who:
        source = personas.merged(config, who, config.adapters.given[who], work, bars)
    if config.quantise is Quantise.modelopt:
        shutil.rmtree(target, ignore_errors=True)
        chats = calibration.chats(calibration.file(config.calibration))
        modelopt.quantise(source, target, config.recipe, chats, bars.say)
        return
    bar = bars.add(f"NVFP4 {target.name}", int(DIMS[config.dims].bf16))
    quantise.quantise(source, target, lambda done, _: bar.at(done))
