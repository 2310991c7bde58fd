"""Where each part's server is: an address that was given, or what the show's config would use and start."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from engines.adopt import adopt, folders
from engines.bench.dialects import PERSONAS
from engines.bench.errors import BenchFailed
from engines.bench.options import Dialect, Options
from engines.cache import root
from engines.llm import options as llm
from engines.options import OptionError, build
from engines.port import unused
from engines.process import Spec
from engines.specs import specs
from engines.up import ROOT, composed, told

# A part: the config's group, where its adapter has the address, and which engines stand behind it.
GROUPS = {
    "llm": ("llm", "url", ("llm", "pace")),
    "tts": ("speech", "address", ("speech",)),
    "asr": ("asr", "address", ("asr",)),
    "vision": ("vision", "address", ("vision",)),
}
EMBEDDED = {"asr": "asr=tiny", "vision": "vision=local"}  # the config has none of these by default
CONTEXT = 1536  # tokens of a slot: enough for the longest prompt, and eight slots fit into any memory


@dataclass(frozen=True, slots=True)
class Target:
    """A server to measure. What follows is of the LLM's, but `models`."""

    address: str
    dialect: Dialect = Dialect.auto
    model: str = ""
    adapters: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    weights: str = ""  # the file or folder that it serves, where that is known
    cpu: bool = False  # it computes there, whatever else the machine has
    paced: bool = False  # it answers as another machine would
    models: Sequence[str] = ()  # of the eyes: PyTriton keeps its list to itself


def is_override(word: str) -> bool:
    """Whether a word of the command line is the show's config's and not an option: llm=smollm2."""
    group = word.partition("=")[0].partition(".")[0]
    return group in ("stack", "engines") or (group.isidentifier() and (ROOT / "conf" / group).is_dir())


def given(part: str, address: str, options: Options) -> Target:
    """A server that runs. Raises BenchFailed where its key is not in the environment."""
    key = os.environ.get(options.key_from, "") if options.key_from else ""
    if options.key_from and not key:
        raise BenchFailed(f"key_from={options.key_from}: the environment has no such variable")
    if part == "llm" and "://" not in address:
        address = f"http://{address}"
    return Target(address, options.dialect, options.model, options.adapters, key)


def configured(
    parts: Sequence[str], options: Options, overrides: Sequence[str]
) -> tuple[dict[str, Target], list[Spec]]:
    """The config's servers for `parts`, and the engines to start for them, on ports of their own.

    A part that the config does without has no server. Raises OptionError."""
    chosen = {word.partition("=")[0] for word in overrides}
    embedded = (
        () if "stack" in chosen else [part for part in parts if part in EMBEDDED and part not in chosen]
    )
    words = [EMBEDDED[part] for part in embedded]
    try:
        cfg = composed([*words, *overrides])
        for part in parts:
            for name in GROUPS[part][2]:
                _own(cfg, name, options, chosen)
        adopt(cfg)
        found = {part: _target(cfg, part, options) for part in parts}
    except (HydraException, OmegaConfBaseException) as error:
        raise OptionError(told(error)) from error
    wanted = [name for part in parts for name in GROUPS[part][2] if _engine(cfg, name)]
    targets = {part: target for part, target in found.items() if target is not None}
    return targets, specs(cfg, wanted) if wanted else []


def _own(cfg: DictConfig, name: str, options: Options, chosen: set[str]) -> None:
    """A free port, so that a show may run beside, and a slot for each persona of each client."""
    if not _engine(cfg, name):
        return
    changes: dict[str, int] = {"port": unused()}
    if name == "llm":
        changes |= {"slots": PERSONAS * max(options.clients), "context": CONTEXT}
    for key, value in changes.items():
        if f"{name}.engine.{key}" not in chosen:
            OmegaConf.update(cfg, f"{name}.engine.{key}", value)


def _engine(cfg: DictConfig, name: str) -> bool:
    return bool(OmegaConf.select(cfg, f"{name}.engine"))


def _target(cfg: DictConfig, part: str, options: Options) -> Target | None:
    group, word, _ = GROUPS[part]
    adapter = OmegaConf.select(cfg, f"{group}.adapter")
    if not adapter:
        return None
    address = str(adapter[word])  # each key by itself: others want the schema of the glue
    if part == "vision":
        names = [str(name) for name in adapter.models]
        return Target(address, models=[*names, *(each for each in ("detect", "caption") if adapter[each])])
    if part != "llm":
        return Target(address)
    models = _plain(adapter.models)
    model = models.pop("default", "")
    return Target(
        address,
        Dialect[adapter.extensions] if options.dialect is Dialect.auto else options.dialect,
        options.model or model,
        options.adapters or _plain(adapter.adapters) or models,  # vLLM's adapters are models by name
        str(adapter.key),
        _weights(cfg),
        cpu=_engine(cfg, "llm"),
        paced=_engine(cfg, "pace"),
    )


def _weights(cfg: DictConfig) -> str:
    """What the main model's server loads, where that is here: our engine's file, or a built checkpoint."""
    if _engine(cfg, "llm"):
        options = build(llm.Options, OmegaConf.to_container(cfg.llm.engine, resolve=True))
        if llm.is_path(options.model):
            return options.model
        return str(llm.bundled(options, llm.MODEL) or root() / options.model / llm.MODEL)
    found = [folder / "checkpoint" for folder in folders(cfg)]
    return next((str(path) for path in found if path.is_dir()), "")


def _plain(section: DictConfig) -> dict[str, str]:
    found: Any = OmegaConf.to_container(section, resolve=True)
    return {str(key): str(value) for key, value in found.items()}
