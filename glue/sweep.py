"""Hydra's callback: at the end of a `-m` run, all its jobs side by side, from each one's report.json."""

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, ListConfig, OmegaConf

log = logging.getLogger(__name__)


class Comparison(Callback):
    """conf/config.yaml names it under hydra.callbacks."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the table; write comparison.json and comparison.html into the sweep's folder."""
        folder = Path(str(config.hydra.sweep.dir))
        found = jobs(folder, str(config.hydra.output_subdir))
        if not found:
            return
        # matplotlib: half a second, and Hydra makes this callback at every start
        from glue.report.compare import compare

        try:
            compare(found, folder)
        except OSError as error:
            log.error("the comparison cannot be written: %s", error)


def jobs(folder: Path, subdir: str) -> dict[str, Path]:
    """The jobs' folders, in their order, by what makes each different from the others."""
    folders = sorted((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
    overrides = {folder: read(folder / subdir / "overrides.yaml") for folder in folders}
    shared = set.intersection(*map(set, overrides.values())) if len(folders) > 1 else set()
    named: dict[str, Path] = {}
    for folder, words in overrides.items():
        own = " ".join(word for word in words if word not in shared)
        name = own if own and own not in named else f"{own} ({folder.name})".strip()
        named[name] = folder
    return named


def read(path: Path) -> list[str]:
    """A job's overrides as they were given; none where the file is missing."""
    if not path.is_file():
        return []
    loaded = OmegaConf.load(path)
    return [str(word) for word in loaded] if isinstance(loaded, ListConfig) else []
