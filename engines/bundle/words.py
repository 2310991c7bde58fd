"""The command line of `./build_engines.sh` as Hydra's, and Hydra's refusals as one line with the choices."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from engines.bundle.config import Config, Mode, Step
from engines.bundle.errors import BundleError
from engines.options import OptionError, build

CONF = Path(__file__).parent.parent.parent / "conf"
BUNDLES_DIR = Path(__file__).parent.parent / "bundles"
VALUED = ("--cfg", "-c", "--package", "-p", "--info", "-i")  # flags of Hydra that take a word
SPARK, ELSEWHERE = "llama31-70b-nvfp4", "qwen-1.5b"


class WordError(Exception):
    """A word of the command line that means nothing; one line, with the choices."""


def overrides(words: Sequence[str]) -> list[str]:
    """Our words as Hydra's. Raises WordError for one that is neither a step nor key=value."""
    flags: list[str] = []  # first: argparse does not take key=value words around them
    found: list[str] = []
    for word in words:
        if word.startswith("-") or (flags and flags[-1] in VALUED):
            flags.append(word)
        else:
            found.append(_override(word))
    for word in found:
        name = word.removeprefix("bundle=")
        if name != word and name not in bundles():
            raise WordError(f"no bundle '{name}'; the bundles are: {', '.join(bundles())}")
    if not any(word.startswith("bundle=") for word in found):
        found.insert(0, f"bundle={default()}")
    return [*flags, *found]


def bare(line: str) -> str:
    """A command line under completion without its step, which Hydra would take for a broken override."""
    program, *words = line.split(" ")
    steps = [step.value for step in Step]
    return " ".join([program, *(word for word in words if word not in steps)])


def _override(word: str) -> str:
    steps = [step.value for step in Step]
    modes = [mode.value for mode in Mode]
    if word in steps:
        return f"step={word}"
    if word.startswith("adapters="):
        mode = word.removeprefix("adapters=")
        if mode not in modes:
            raise WordError(f"'{word}': adapters is one of {', '.join(modes)}, or adapters.main=FOLDER")
        return f"adapters.mode={mode}"
    if "=" not in word:
        known = ", ".join([*steps, "vision", "voice"])
        raise WordError(f"'{word}' is not known; say {known}, bundle=NAME or key=value")
    return word


def bundles() -> list[str]:
    """The names of conf/bundle."""
    return sorted(path.stem for path in (CONF / "bundle").glob("*.yaml"))


def default() -> str:
    """The bundle of this machine."""
    return SPARK if on_spark() else ELSEWHERE


def on_spark() -> bool:
    """Whether the GPU is a GB10."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    words = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "GB10" in done.stdout


def typed(cfg: DictConfig) -> Config:
    """The composed config, checked. Raises OptionError with the choices."""
    return build(Config, OmegaConf.to_container(cfg, resolve=True))


def read(name: str) -> Config:
    """A bundle's config as its file has it: for the plan of another one beside it. Raises BundleError."""
    if name not in bundles():
        raise BundleError(f"no bundle '{name}'; the bundles are: {', '.join(bundles())}")
    try:
        return typed(cast(DictConfig, OmegaConf.load(CONF / "bundle" / f"{name}.yaml")))
    except OptionError as error:
        raise BundleError(f"conf/bundle/{name}.yaml: {error}") from error


def folder(config: Config) -> Path:
    """Where the bundle lies when it is whole."""
    return (Path(config.root).expanduser().resolve() if config.root else BUNDLES_DIR) / config.name


def explain(error: HydraException | OmegaConfBaseException) -> str:
    """A refusal in one line; for an unknown key, with the keys that there are."""
    seen: BaseException | None = error
    said = str(error).splitlines()[0]
    while seen is not None:
        if isinstance(seen, OmegaConfBaseException) and "is not in struct" in str(seen):
            where = seen.parent_node
            keys = (
                ", ".join(str(key) for key in where if key != "hydra")
                if isinstance(where, DictConfig)
                else ""
            )
            return f"no key '{seen.full_key}'; the keys are: {keys}"
        seen = seen.__cause__
    return said
