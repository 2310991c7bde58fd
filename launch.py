"""The show: `python3 launch.py [GROUP=CHOICE] [key=value] [+show=NAME]`. Here engines and glue meet.

Standard library only up to enter(), which starts this file again inside the locked environment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engines.bootstrap import enter

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from rich.console import Console

    from engines.process import Spec


def main() -> None:
    """Start the show with Hydra's command line; what it refuses is told in one line."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from glue.checks import explain
    from glue.settings import register

    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise, so that it can be explained here
    register()
    try:
        hydra.main(version_base="1.3", config_path="conf", config_name="config")(show)()
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(explain(error))


def show(cfg: DictConfig) -> float | None:
    """One show, from its checked config to its end; its one number, where it made a report.

    Nothing is started before all of the config was checked."""
    import anyio
    from rich.console import Console

    from engines.fetch import ModelError, fetch, verify
    from engines.options import OptionError
    from engines.process import StartFailed
    from engines.specs import specs
    from glue.app import check
    from glue.errors import ConfigError, PortError

    console = Console(stderr=True)
    models: list[str] = []
    try:
        check(cfg)
        found = specs(cfg) if cfg.engines.start else []
        models = [model for spec in found for model in spec.models]
        fetch(models, console)
        return anyio.run(perform, cfg, found, console)
    except (ConfigError, OptionError, ModelError) as error:
        sys.exit(str(error))
    except PortError as error:  # a neighbour that was not to be had at the start; later ones are supervised
        sys.exit(f"{error}; cure: see its log in {run_folder()}, or {error.part}.adapter for another server")
    except StartFailed as error:
        sys.exit("\n".join([str(error), *verify(models, Console(quiet=True))]))


def run_folder() -> Path:
    """Where this run's logs, journal and report go."""
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.output_dir)


async def perform(cfg: DictConfig, found: list[Spec], console: Console) -> float | None:
    """Run the engines, and the show on them, until it ends or a signal ends it."""
    from engines.board import Board
    from engines.process import running, until_signal
    from glue.app import run

    run_dir = run_folder()
    board = Board(console)
    async with until_signal(), running(found, run_dir, board.notify, cfg.engines.ready_within) as engines:
        return await run(cfg, run_dir, engines.pids, board.listen)
    return None


if __name__ == "__main__":
    try:
        enter(sys.argv)
        main()
    except KeyboardInterrupt:
        sys.exit(130)
