"""Makes an engine bundle, once per model update: `./build_engines.sh [plan|verify] [bundle=NAME]`.

A bundle is what this machine's engines load, fetched, checked, and written down with hashes.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from engines import cache
from engines.fetch import ModelError, fetch, verify
from engines.manifest import MODELS, Model

BUNDLES_DIR = Path(__file__).parent / "bundles"
STEPS = ("plan", "build", "verify")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A choice of models for one kind of machine. `memory` is what its engines take while they run, bytes."""

    name: str
    what: str
    models: tuple[str, ...]
    memory: int


BUNDLES = {
    bundle.name: bundle
    for bundle in (
        Bundle("qwen-1.5b", "any machine with two cores or more", ("qwen-1.5b", "piper-joe"), 1_900_000_000),
        Bundle("smollm2", "tests and tiny machines", ("smollm2", "piper-joe"), 700_000_000),
    )
}


class BuildError(Exception):
    """The bundle cannot be made; one line with the cure."""


def asked(words: Sequence[str]) -> tuple[str, Bundle]:
    """The step and the bundle of a command line. Raises BuildError with the choices."""
    step, name = "build", "qwen-1.5b"
    for word in words:
        if word in STEPS:
            step = word
        elif word.startswith("bundle="):
            name = word.removeprefix("bundle=")
        else:
            raise BuildError(f"'{word}' is not known; say {', '.join(STEPS)} or bundle=NAME")
    if name not in BUNDLES:
        raise BuildError(f"no bundle '{name}'; the bundles are: {', '.join(BUNDLES)}")
    return step, BUNDLES[name]


def plan(bundle: Bundle, console: Console) -> None:
    """Show what is fetched, and what it takes of disk and memory."""
    table = Table(title=f"bundle {bundle.name}: {bundle.what}")
    for heading in ("model", "what", "licence", "size", "to fetch"):
        table.add_column(heading, justify="right" if heading in ("size", "to fetch") else "left")
    for model in _models(bundle):
        table.add_row(model.name, model.what, model.licence, _mb(model.size), _mb(_missing(model)))
    console.print(table)
    root = cache.root()
    there = next(folder for folder in (root, *root.parents) if folder.is_dir())
    console.print(f"disk: {_mb(shutil.disk_usage(there).free)} free in {root}", highlight=False)
    memory = psutil.virtual_memory()
    console.print(
        f"memory: about {_mb(bundle.memory)} while it runs; {_mb(memory.available)} available",
        highlight=False,
    )
    if memory.available < bundle.memory:
        console.print("that is not enough; cure: close other programs, or bundle=smollm2", highlight=False)


def build(bundle: Bundle, console: Console) -> None:
    """Fetch, verify, write the manifest; nothing where all is as written. Raises ModelError, BuildError."""
    if not flaws(bundle):
        console.print(f"bundle {bundle.name} is as it was built: nothing to do", highlight=False)
        return
    plan(bundle, console)
    fetch(bundle.models, console)
    if found := verify(bundle.models, console):
        raise BuildError("\n".join(found))
    target = _manifest(bundle)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(_contents(bundle), indent=2) + "\n")
    fresh.replace(target)
    console.print(f"bundle {bundle.name} is ready: {target}", highlight=False, soft_wrap=True)


def flaws(bundle: Bundle, deep: bool = False) -> list[str]:
    """What is not as the bundle's manifest says, a line each; `deep` reads every file."""
    cure = f"./build_engines.sh bundle={bundle.name}"
    try:
        written = json.loads(_manifest(bundle).read_text())
    except (OSError, ValueError):
        return [f"{_manifest(bundle)} is missing or damaged; cure: {cure}"]
    if written != _contents(bundle):
        return [f"{_manifest(bundle)} is of other models than this program's; cure: {cure}"]
    if deep:
        return verify(bundle.models)
    return [
        f"{model.name} is not whole in the cache; cure: {cure}"
        for model in _models(bundle)
        if _missing(model)
    ]


def _contents(bundle: Bundle) -> dict[str, object]:
    """The manifest: every file with its size and hash. It names no path, so that a bundle can be compared."""
    return {
        "bundle": bundle.name,
        "models": {
            model.name: {
                "licence": model.licence,
                "files": {file.name: {"size": file.size, "sha256": file.sha256} for file in model.files},
            }
            for model in _models(bundle)
        },
    }


def _models(bundle: Bundle) -> list[Model]:
    return [MODELS[name] for name in bundle.models]


def _missing(model: Model) -> int:
    return sum(file.size for file in model.files if not cache.stamped(model, file))


def _manifest(bundle: Bundle) -> Path:
    return BUNDLES_DIR / bundle.name / "manifest.json"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def main() -> None:
    """The command line. Exit status 2 for a wrong word, 1 when the bundle cannot be made or is not whole."""
    console = Console(stderr=True)
    try:
        step, bundle = asked(sys.argv[1:])
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    try:
        if step == "plan":
            plan(bundle, console)
        elif step == "build":
            build(bundle, console)
        elif found := flaws(bundle, deep=True):
            sys.exit("\n".join(found))
        else:
            console.print(f"bundle {bundle.name} is whole", highlight=False)
    except (ModelError, BuildError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
