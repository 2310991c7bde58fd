"""Makes an engine bundle, once per model update: `./build_engines.sh [plan|build|verify] [key=value ...]`.
`./build_engines.sh vision [key=value ...]` makes what her eyes need instead (engines/vision/build.py), and
`./build_engines.sh voice data=FOLDER` teaches NeMo a voice (engines/finetune/build.py).

A bundle is what this machine's engines load: fetched, checked, quantised, and written down with hashes.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main() -> None:
    """The command line. Exit status 2 for a wrong word, 1 when the bundle cannot be made or is not whole."""
    import os

    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from engines.bundle.words import CONF, WordError, bare, explain, overrides

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if sys.argv[1:2] == ["vision"]:
        from engines.vision.build import main as vision

        return vision(sys.argv[2:])
    if sys.argv[1:2] == ["voice"]:
        from engines.finetune.build import main as voice

        return voice(sys.argv[2:])
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise, so that it can be explained here
    if "COMP_LINE" in os.environ:  # tab completion: our steps are no words of Hydra's
        os.environ["COMP_LINE"] = bare(os.environ["COMP_LINE"])
    try:
        sys.argv[1:] = overrides(sys.argv[1:])
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="build")(_run)()
    except WordError as error:
        _refuse(str(error))
    except (HydraException, OmegaConfBaseException) as error:
        _refuse(explain(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _run(cfg: DictConfig) -> None:
    """One build, plan or check, from its composed config."""
    from rich.console import Console

    from engines.bars import Bars
    from engines.bundle import pipeline, show, verify, words
    from engines.bundle.config import Step
    from engines.bundle.errors import BundleError
    from engines.cache import ModelError
    from engines.options import OptionError

    console = Console(stderr=True)
    try:
        config = words.typed(cfg)
    except OptionError as error:
        _refuse(str(error))
    target = words.folder(config)
    try:
        if config.step is Step.verify:
            with Bars(console) as bars:
                found = verify.flaws(config, target, bars)
            if found:
                sys.exit("\n".join(found))
            console.print(f"bundle {config.name} is whole", highlight=False)
            return
        made = show.show(config, console)
        if config.step is not Step.build or not pipeline.unchanged(config, target, console):
            show.refuse(config, made)  # a finished bundle writes nothing: a full disk is no reason against it
        if config.step is Step.build:
            new = pipeline.build(config, target, console)
            said = f"is ready: {target}" if new else "is as it was built: nothing to do"
            console.print(f"bundle {config.name} {said}\n{show.use(config)}", highlight=False, soft_wrap=True)
    except (BundleError, ModelError) as error:
        sys.exit(str(error))
    except OSError as error:  # while looking and verifying; a build tells its own
        sys.exit(f"{error.filename}: {error.strerror}; cure: see that you may read there")


def _refuse(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
