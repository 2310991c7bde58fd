"""`./build_engines.sh vision [device=cuda]`: her eyes' environment, and the models that no package carries.

Fetched from Hugging Face, resumed, checked by the hub's hashes: YOLO-World with a free vocabulary, CLIP's
text side that turns words into its classes, and Florence-2. What is there is read and checked each time: whom
a server that cannot load a model sends here finds it mended. A repository's files lie in FROM, with the hub's
listing, and under the names that the server wants as links.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from engines import cache, room
from engines.bars import Bars
from engines.bundle import hub
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.steps import link
from engines.fetch import fetch, verify
from engines.model import HUB
from engines.options import OptionError, parse
from engines.vision.environment import environment
from engines.vision.options import FETCHED, Device

NOTHING = re.compile(r"(?!)")
FROM = ".from"
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
        verify(FETCHED.values(), console)  # what is damaged loses its stamp, and is fetched
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
    except cache.ModelError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(room.told(error))
    except KeyboardInterrupt:
        sys.exit(130)


def fetched(name: str, options: BuildOptions, console: Console) -> Path:
    """The folder of a model, whole. Raises BundleError, OSError."""
    folder = cache.root() / f"vision-{name}"
    waiting = f"{folder.name}: another copy fetches it; waiting"
    with (
        Bars(console) as bars,
        cache.alone(folder.with_name(f"{folder.name}.lock"), lambda: bars.say(waiting)),
    ):
        known = Hashes(bars)
        stores = {}
        for wanted in MODELS[name]:
            store = hub.place(wanted.repository, options.revision, folder / FROM)
            _bring(wanted, store, folder, options, bars, known)
            stores[store] = wanted
        for store, wanted in stores.items():
            for theirs, ours in wanted.files:
                if not _same(store / theirs, folder / ours, known):
                    link(store / theirs, folder / ours)
        for other in set((folder / FROM).iterdir()) - set(stores):  # another revision's
            shutil.rmtree(other)
        known.save()
    return folder


def _bring(
    wanted: Wanted, store: Path, folder: Path, options: BuildOptions, bars: Bars, known: Hashes
) -> None:
    """See that `store` has the repository's wanted files as the hub told them. What the model's `folder` has
    of them from elsewhere, or from before there was a store, is taken where the hub says that it is right."""
    whole = hub.whole(store, known.read, bars)
    if whole and {name for name, _ in wanted.files} <= {file.name for file in whole.files}:
        return
    client = hub.Hub(options.hub)
    said = client.listing(wanted.repository, options.revision, NOTHING)
    there = {file.name: file for file in said.files}
    missing = [name for name, _ in wanted.files if name not in there]
    if missing:
        raise BundleError(
            f"{wanted.repository} has no {missing[0]}; cure: revision=, or a folder of your own"
        )
    chosen = hub.Listing(said.repository, said.commit, tuple(there[name] for name, _ in wanted.files))
    store.mkdir(parents=True, exist_ok=True)
    for theirs, ours in wanted.files:
        if (folder / ours).is_file() and not (store / theirs).exists():
            link(folder / ours, store / theirs)  # its hash is looked at below
    client.fetch(chosen, store, bars, known)
    hub.keep(store, chosen)


def _same(one: Path, other: Path, known: Hashes) -> bool:
    """Whether two names have the same content: one file, or where links cannot be, two copies."""
    return other.is_file() and (one.samefile(other) or known.read(one) == known.read(other))
