"""Runs NVIDIA ModelOpt's recipes in a child process, in an environment that is made when needed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from engines import room
from engines.bundle import layout
from engines.bundle.errors import BundleError
from engines.cache import ModelError
from engines.environment import Environment
from engines.program import Failed, run

ENGINE = Path(__file__).parent.parent / "quantise"
REQUIREMENTS = ENGINE / "requirements.txt"
PINNED = re.compile(r"^([\w-]+)==([^\s;]+)", re.MULTILINE)
DECIDING = ("nvidia-modelopt", "torch", "transformers")
ENVIRONMENT = Environment("quantise", REQUIREMENTS, "SPARK_QUANTISE_ENV", "5.1 GB", 3600.0)
QUANTISING_SECONDS = 6 * 3600.0
TOLD = re.compile(r"quantise: (.+)")  # what is told of a child's lines: our own
CURE = "choose the weight-only quantiser (quantise=stream)"
Say = Callable[[str], None]


def quantise(
    source: Path, target: Path, recipe: str, chats: Sequence[str], say: Say = lambda _: None
) -> None:
    """Quantise the checkpoint in `source` into `target` by one of ModelOpt's recipes.

    The model must fit in memory. A recipe that calibrates runs `chats` through it.
    `say` gets a line for each step. Raises BundleError with the cure."""
    python = environment(say)
    lines = target.with_name(f"{target.name}.chats.json")
    lines.write_text(json.dumps(chats))
    argv = [str(python), str(ENGINE), str(source.resolve()), str(target.resolve()), recipe, str(lines)]
    try:
        last = _run(argv, QUANTISING_SECONDS, say, f"ModelOpt, recipe {recipe}", target.parent)
    finally:
        lines.unlink()
    if not (target / layout.NAME).is_file():
        raise BundleError(f"ModelOpt wrote no checkpoint ({last}); cure: look at the recipe's name")
    layout.check(target, recipe)


def versions() -> dict[str, str]:
    """Of what decides the bytes, as the lock pins them."""
    found = dict(PINNED.findall(REQUIREMENTS.read_text()))
    return {name: found[name] for name in DECIDING}


def environment(say: Say = lambda _: None) -> Path:
    """The environment's Python; makes the environment where there is none. Raises BundleError."""
    try:
        ENVIRONMENT.make(say)
    except ModelError as error:
        raise BundleError(f"{error}, or {CURE}") from error
    return ENVIRONMENT.python


def _run(argv: Sequence[str], within: float, say: Say, what: str, where: Path) -> str:
    """Run a program that writes to `where` to its end; the last line that it said. Raises BundleError."""

    def hear(line: str) -> None:
        if told := TOLD.match(line):
            say(told[1][:120])

    try:
        return run(argv, within, hear, HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    except OSError as error:
        raise BundleError(f"{argv[0]}: {error.strerror}; cure: {CURE}") from error
    except Failed as error:
        raise BundleError(f"{what} {error}; cure: {room.cure(error.words, where, CURE)}") from error


def main() -> None:
    """Make the environment: `python -m engines.bundle.modelopt`. Exit 1 with one line when it fails."""
    try:
        environment(_show)
    except BundleError as error:
        sys.exit(str(error))
    _show(f"{ENVIRONMENT.folder} is ready")


def _show(line: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
