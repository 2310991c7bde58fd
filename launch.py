"""The show: `python3 launch.py [GROUP=CHOICE] [key=value] [+show=NAME]`. Here engines and glue meet.

Standard library only up to enter(), which starts this file again inside the locked environment.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import sys
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engines.bootstrap import enter

if TYPE_CHECKING:
    from collections.abc import Callable

    from omegaconf import DictConfig
    from rich.console import Console

    from engines.process import Door, Spec


MEMORY = ("memory", "embeddings")
UNHEARD = ("speech", "avatar")  # engines that an exam needs not
REPORT_WITHIN = 30.0  # seconds, after Ctrl-C


def main() -> None:
    """Start the show with Hydra's command line; what it refuses is told in one line."""
    # Nothing runs yet that must be ended, and an exception can be swallowed in the middle of an import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from glue.checks import explain
    from glue.settings import register

    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise, so that it can be explained here
    os.environ.setdefault("SPARK_LLM_KEY", secrets.token_urlsafe(24))  # any page open here reaches its port
    register()
    try:
        hydra.main(version_base="1.3", config_path="conf", config_name="config")(show)()
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(explain(error))


def show(cfg: DictConfig) -> float | None:
    """One show, from its checked config to its end; its one number, where it made a report."""
    from glue.log import logged

    with logged(run_folder()):
        return started(cfg)


def started(cfg: DictConfig) -> float | None:
    """The same, its log open. Nothing is started before all of the config was checked."""
    import anyio
    from rich.console import Console

    from engines import contained
    from engines.adopt import adopt
    from engines.board import Board
    from engines.dress import dress
    from engines.fetch import ModelError, fetch, verify
    from engines.options import OptionError
    from engines.process import StartFailed
    from engines.specs import prepare, specs
    from glue.app import check, precheck
    from glue.errors import ConfigError, PortError, TooFast

    console = Console(stderr=True)
    models: list[str] = []
    try:
        check(cfg)
        adopt(cfg)
        dress(cfg)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # the last large imports are behind us
        if cfg.check.run:
            sys.exit(checked(cfg))
        if cfg.obs_setup.run:
            from glue.set_up import set_up

            return anyio.run(
                set_up, cfg, partial(console.print, soft_wrap=True, highlight=False, markup=False)
            )
        precheck(cfg)
        found = specs(cfg) if cfg.engines.start else []
        if cfg.minecraft.get("exam"):
            return minecraft_exam(cfg, found, Board(console).say)
        found = needed(cfg, found)
        models = [model for spec in found for model in spec.models]
        fetch(models, console)
        found = contained.children(cfg, found)
        prepare(found, Board(console).say)
        return anyio.run(perform, cfg, found, console)
    except (ConfigError, OptionError, ModelError, TooFast) as error:
        sys.exit(str(error))
    except PortError as error:  # a neighbour that was not to be had at the start; later ones are supervised
        sys.exit(f"{error}; cure: see its log in {run_folder()}, or {error.part}.adapter for another server")
    except StartFailed as error:
        sys.exit("\n".join([str(error), *(verify(models, Console(quiet=True)) if error.ran else ())]))


def checked(cfg: DictConfig) -> int:
    """What this machine lacks for the config, on stdout; the exit status. Raises OptionError."""
    from rich.console import Console

    from engines import doctor
    from engines.checkup.finding import Finding
    from glue.checks import songs

    lying = (Finding("stage.songs", *each) for each in songs(cfg))
    return doctor.tell(chain(doctor.examine(cfg), lying), Console(), cfg.check.json)


def needed(cfg: DictConfig, found: list[Spec]) -> list[Spec]:
    """The engines that this show has a use for: an exam has none for most of them."""
    from glue.settings import When

    if cfg.bait_exam.run:
        asked = cfg.bait_exam.model is When.always
        return [spec for spec in found if asked and spec.name not in UNHEARD]
    if cfg.memory_exam.run:
        names = ("llm", *MEMORY) if cfg.memory_exam.model is When.always else MEMORY
        return [spec for spec in found if spec.name in names]
    return found


def minecraft_exam(cfg: DictConfig, found: list[Spec], say: Callable[[str], None]) -> float:
    """The body's exam, without a show. Raises OptionError, ModelError or StartFailed."""
    import anyio
    from omegaconf import OmegaConf

    from engines.minecraft.exam import check, sit
    from engines.process import until_signal
    from engines.specs import prepare

    async def examined() -> float:
        async with until_signal():
            return await sit(config, run_folder(), say)
        return 0.0

    config = cast("dict[str, Any]", OmegaConf.to_container(cfg.minecraft, resolve=True))
    check(config)
    prepare([spec for spec in found if spec.name == "minecraft"], say)
    return anyio.run(examined)


def run_folder() -> Path:
    """Where this run's logs, journal and report go."""
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.output_dir)


async def perform(cfg: DictConfig, found: list[Spec], console: Console) -> float | None:
    """Run the engines, and the show on them, until it ends or a signal ends it."""
    from engines import compose, contained
    from engines.board import Board
    from engines.process import running, until_signal
    from glue.app import run
    from glue.exams import sit

    run_dir = run_folder()
    board = Board(console)
    async with until_signal():
        if names := contained.services(cfg):
            await compose.started(names, board.say, cfg.engines.ready_within, contained.told(cfg))
        exam = cfg.bait_exam.run or cfg.memory_exam.run
        own = [] if exam else doors(cfg)
        async with running(found, run_dir, board.notify, cfg.engines.ready_within, own) as engines:
            perform = sit if exam else run
            return await perform(cfg, run_dir, engines.pids, board.listen, engines.restart)
    await interrupted(cfg, run_dir, board.say)
    return None


def doors(cfg: DictConfig) -> list[Door]:
    """The ports that the show itself listens on."""
    from omegaconf import OmegaConf

    from engines.process import Door

    keys = {"console": "console", "games": "games.adapter"}
    there = {name: (key, OmegaConf.select(cfg, key)) for name, key in keys.items() if cfg[name]}
    return [
        Door(name, str(section.host), int(section.port), f"{key}.port")
        for name, (key, section) in there.items()
        if section.port  # 0: whichever is free
    ]


async def interrupted(cfg: DictConfig, run_dir: Path, say: Callable[[str], None]) -> None:
    """After a signal, the engines gone: the report, or how to come by it. A process of its own writes it, so
    that one more signal, or a long evening, ends that at once."""
    import anyio

    from engines.process import until_signal
    from glue.journal import begun
    from glue.settings import When

    if not begun(run_dir):
        return
    words = ["-m", "glue.report", str(run_dir)]
    if cfg.report is When.always:
        say(f"writing the report into {run_dir} (Ctrl-C leaves it)")
        async with until_signal():
            with anyio.move_on_after(REPORT_WITHIN):
                command, here = [sys.executable, *words], Path(__file__).parent
                done = await anyio.run_process(
                    command, stdout=None, stderr=None, check=False, cwd=here, start_new_session=True
                )  # in a session of its own: a terminal would send it Ctrl-C, too, and it has a traceback
                if not done.returncode:
                    return
    say(f"the show is in {run_dir}; its report: python {shlex.join(words)}")


if __name__ == "__main__":
    try:
        enter(sys.argv)
        main()
    except KeyboardInterrupt:
        sys.exit(130)
