"""What the server in its own environment is told: the options, and where each model's files lie."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from engines.cache import ModelError, locate
from engines.vision.options import Options


def files(options: Options) -> dict[str, Path]:
    """The models' files by what each is for. Raises ModelError."""
    found: dict[str, Path] = {}
    if "guard" in options.models:
        found["guard"] = locate("nudenet", "guard.onnx")
    if "text" in options.models:
        found["find"], found["spell"] = locate("ppocr", "find.onnx"), locate("ppocr", "spell.onnx")
    if options.detect:
        found["detect"] = Path(options.detect).expanduser()
        if not (found["detect"] / "model.onnx").is_file():
            raise ModelError(f"{found['detect']}/model.onnx is missing; cure: ./build_engines.sh vision")
    if options.caption:
        found["caption"] = Path(options.caption).expanduser()
    return found


def asked(options: Options, there: Mapping[str, str], workspace: str, **other: object) -> str:
    """The server's one argument, JSON. `there`: the files' paths as it sees them; `other` options win."""
    said = dataclasses.asdict(options) | {"device": options.device.value, "files": dict(there)}
    return json.dumps(said | {"workspace": workspace} | other)


def below(root: Path, found: Mapping[str, Path], mount: str) -> dict[str, str]:
    """The same files where `root` is mounted at `mount`. Raises ModelError for one that is not below it."""
    there = {}
    for name, path in found.items():
        try:
            there[name] = f"{mount}/{path.absolute().relative_to(root.absolute())}"
        except ValueError as error:
            raise ModelError(
                f"{path} is not below {root}, which is all that the container sees; cure: put it there, or"
                " engines.services without vision"
            ) from error
    return there
