"""`python -m tests.toy_eyes FOLDER HUB`: a model of her eyes, fetched by a child killed at each change
of the disk, then fetched again. Prints how many kills there were; exits 1 with a line if it is not whole."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from engines.vision import build
from tests.toy_build import DONE, cut

WANTED = build.Wanted("owner/name", (("onnx/text_model.onnx", "text.onnx"), ("tokenizer.json",) * 2))


def fetched(hub: str, revision: str = "main") -> dict[str, bytes]:
    """The files as the server finds them."""
    build.MODELS["detect"] = (WANTED,)
    folder = build.fetched("detect", build.BuildOptions(hub=hub, revision=revision), Console(quiet=True))
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def main() -> None:
    folder, hub = Path(sys.argv[1]), sys.argv[2]
    os.environ["SPARK_MODELS"] = str(folder)
    right = fetched(hub)

    def work() -> int:
        return DONE if fetched(hub) == right else 1

    for point in range(1000):
        shutil.rmtree(folder)
        if cut(work, point) == DONE:
            sys.stdout.write(f"{point}\n")
            return
        if fetched(hub) != right:
            sys.exit(f"after a kill at {point} it is not whole")


if __name__ == "__main__":
    main()
