"""Her eyes in a container: `vision` among engines.services, instead of a child process of the show's.

The image holds engines/vision/server and its environment; what it serves it is told at its start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from engines import cache
from engines import services as described
from engines.keeper import Spec
from engines.options import OptionError, build
from engines.vision.asked import asked, below, files
from engines.vision.options import Options

NAME = "vision"
MODELS = "/models"  # where compose.yaml mounts the models' folder
WORKSPACE = "/tmp/workspace"
IMAGE = Path(__file__).parent / "vision"
SOURCES = ("Dockerfile", "requirements-cuda.txt", "server/*.py")


def services(cfg: DictConfig) -> list[str]:
    """The services of compose.yaml that the show starts: eyes only where she has some."""
    names = list(cfg.engines.services) if cfg.engines.start else []
    return names if cfg.vision.get("engine") else [name for name in names if name != NAME]


def children(cfg: DictConfig, found: Iterable[Spec]) -> list[Spec]:
    """Those of our engines that are child processes."""
    return [spec for spec in found if not (spec.name == NAME and NAME in services(cfg))]


def told(cfg: DictConfig) -> dict[str, str]:
    """What compose.yaml takes from the environment for the eyes: options, models, and the seal that tells
    whether a container runs with others, or with other code. Raises OptionError, ModelError."""
    if NAME not in services(cfg):
        return {}
    try:
        options = build(Options, OmegaConf.to_container(cfg.vision.engine, resolve=True))
    except OptionError as error:
        raise OptionError(f"vision.engine: {error}") from error
    _, number = next(described.ports(described.described([NAME])[NAME]))
    if options.port != number:
        raise OptionError(
            f"vision.engine.port: {options.port}, and engines/compose.yaml publishes {number};"
            f" cure: vision.engine.port={number}, or engines.services without vision"
        )
    there = below(cache.root(), files(options), MODELS)
    words = asked(options, there, WORKSPACE, host="0.0.0.0")  # what is published is loopback
    return {
        "SPARK_VISION": words,
        "SPARK_VISION_SEAL": _seal(words),
        "SPARK_MODELS": str(cache.root().absolute()),
    }


def _seal(words: str) -> str:
    found = hashlib.sha256(words.encode())
    for pattern in SOURCES:
        for path in sorted(IMAGE.glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]
