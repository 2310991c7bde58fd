"""`./build_engines.sh vision [device=cuda]`: her eyes' environment, and the models that no package carries.

Fetched from Hugging Face, resumed, checked by the hub's hashes: YOLO-World with a free vocabulary, CLIP's
text side that turns words into its classes, and Florence-2. What is there already is left alone.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from engines import cache
from engines.bars import Bars
from engines.bundle.errors import BundleError
from engines.bundle.hub import Hub, Listing
from engines.fetch import fetch
from engines.model import HUB
from engines.options import OptionError, parse
from engines.vision.environment import environment
from engines.vision.options import FETCHED, Device

NOTHING = re.compile(r"(?!)")
PARTS = ("vision_encoder", "embed_tokens", "encoder_model", "decoder_model")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files of a repository, and what each is called in the model's folder."""

    repository: str
    files: tuple[tuple[str, str], ...]


MODELS = {
    "detect": (
        Wanted("Instemic/yolo-world-onnx", (("yolov8s-worldv2.onnx", "model.onnx"),)),  # AGPL-3.0
        Wanted(
            "Xenova/clip-vit-base-patch32",
            (("onnx/text_model.onnx", "text.onnx"), ("tokenizer.json", "tokenizer.json")),
        ),
    ),
    "caption": (
        Wanted(  # MIT
            "onnx-community/Florence-2-base-ft",
            (
                *((f"onnx/{part}.onnx", f"{part}.onnx") for part in PARTS),
                ("tokenizer.json", "tokenizer.json"),
            ),
        ),
    ),
}


@dataclass(frozen=True)
class BuildOptions:
    """`./build_engines.sh vision key=value ...`"""

    device: Device = Device.cpu  # whose ONNX Runtime the environment gets
    detect: bool = True
    caption: bool = True
    hub: str = HUB
    revision: str = "main"


def main(words: Sequence[str]) -> None:
    """The command line. Exit status 2 for a wrong word, 1 when something is not to be had; one line each."""
    console = Console(stderr=True)
    try:
        options = parse(BuildOptions, words)
        environment(options.device).make(lambda line: console.print(line, highlight=False, soft_wrap=True))
        fetch(FETCHED.values(), console)
        used = [f"vision={'local' if options.device is Device.cpu else 'cuda'}"]
        for name in MODELS:
            if getattr(options, name):
                used.append(f"vision.engine.{name}={fetched(name, options, console)}")
        line = f"her eyes are ready: python launch.py {' '.join(used)}"
        console.print(line, highlight=False, soft_wrap=True)
    except OptionError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except BundleError as error:
        sys.exit(f"{error}; or without these models: detect=false caption=false")
    except (cache.ModelError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def fetched(name: str, options: BuildOptions, console: Console) -> Path:
    """The folder of a model, whole. Raises BundleError, OSError."""
    folder = cache.root() / f"vision-{name}"
    missing = [wanted for wanted in MODELS[name] if not _there(wanted, folder)]
    folder.mkdir(parents=True, exist_ok=True)
    if missing:
        with Bars(console) as bars:
            for wanted in missing:
                _one(wanted, folder, Hub(options.hub), options.revision, bars)
    return folder


def _there(wanted: Wanted, folder: Path) -> bool:
    return all((folder / local).is_file() for _, local in wanted.files)


def _one(wanted: Wanted, folder: Path, hub: Hub, revision: str, bars: Bars) -> None:
    said = hub.listing(wanted.repository, revision, NOTHING)
    there = {file.name: file for file in said.files}
    missing = [name for name, _ in wanted.files if name not in there]
    if missing:
        raise BundleError(
            f"{wanted.repository} has no {missing[0]}; cure: revision=, or a folder of your own"
        )
    parts = folder / "parts" / wanted.repository.replace("/", "--")
    chosen = tuple(there[name] for name, _ in wanted.files)
    hub.fetch(Listing(said.repository, said.commit, chosen), parts, bars)
    for name, local in wanted.files:
        (parts / name).replace(folder / local)
    shutil.rmtree(folder / "parts")
