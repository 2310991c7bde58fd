"""Engines without a show, for foreign clients, debugging and tests; ended with Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from engines.adopt import adopt
from engines.board import Board
from engines.fetch import ModelError, fetch, verify
from engines.options import OptionError
from engines.process import Spec, StartFailed, running, until_signal
from engines.specs import prepare, specs

ROOT = Path(__file__).parent.parent
USAGE = "usage: python -m engines up [ENGINE ...] [GROUP=CHOICE] [key=value ...]"


def composed(overrides: Sequence[str]) -> DictConfig:
    """The show's config. The glue's own knobs stay unchecked here: engines know nothing of the glue."""
    ConfigStore.instance().store(name="schema", node={})
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("config", overrides=list(overrides))


def told(error: Exception) -> str:
    """A refusal in one line. Behind the choices Hydra's own say where it looked."""
    lines = str(error).partition("Config search path")[0].splitlines()
    return "; ".join(line.strip() for line in lines if line.strip()).replace(":;", ":")


async def up(found: Sequence[Spec], run_dir: Path, console: Console) -> None:
    """Run engines until a signal; one JSON line of addresses when all are ready. Raises StartFailed."""
    board = Board(console)
    async with until_signal(), running(found, run_dir, board.notify) as engines:
        sys.stdout.write(json.dumps(engines.addresses) + "\n")
        sys.stdout.flush()
        await anyio.sleep_forever()


def main() -> None:
    """The command line. Exit status 2 for a wrong option, 1 when an engine cannot run; one line each."""
    words = sys.argv[1:]
    if not words or words[0] != "up":
        sys.exit(USAGE)
    console = Console(stderr=True)
    run_dir = ROOT / "runs" / time.strftime("engines_%Y-%m-%d_%H-%M-%S")
    try:
        cfg = composed([word for word in words[1:] if "=" in word])
        adopt(cfg)
        found = specs(cfg, [word for word in words[1:] if "=" not in word])
    except (OptionError, HydraException, OmegaConfBaseException) as error:
        console.print(told(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    models = [model for spec in found for model in spec.models]
    for number in (signal.SIGINT, signal.SIGTERM):  # until the event loop takes over
        signal.signal(number, signal.default_int_handler)
    try:
        fetch(models, console)
        prepare(found, Board(console).say)
        run_dir.mkdir(parents=True, exist_ok=True)
        anyio.run(up, found, run_dir, console)
    except StartFailed as error:
        sys.exit("\n".join([str(error), *(verify(models, Console(quiet=True)) if error.ran else ())]))
    except ModelError as error:
        sys.exit(str(error))
