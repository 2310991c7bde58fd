"""What a calibrating recipe runs through the model: chat as she reads it, ours or the owner's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from engines.bundle.errors import BundleError

SHIPPED = Path(__file__).parent.parent.parent / "glue" / "senses" / "rehearsal.jsonl"
TOGETHER = 8  # lines of a chat: activations depend on what stands before
CURE = 'a text file with a line of chat on each line, or JSON lines of {"author": ..., "text": ...}'


def file(chosen: str) -> Path:
    """The file that is meant: the shipped one for "". Raises BundleError where there is none."""
    path = Path(chosen).expanduser() if chosen else SHIPPED
    if not path.is_file():
        raise BundleError(f"calibration={path}: there is no such file; cure: {CURE}")
    return path


def chats(path: Path) -> list[str]:
    """The file's lines, some to a chat. Raises BundleError for a file without any."""
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except ValueError as error:
        raise BundleError(f"calibration={path} is no text in UTF-8; cure: {CURE}") from error
    lines = list(_json(path, rows) if path.suffix == ".jsonl" else filter(str.strip, rows))
    if not lines:
        raise BundleError(f"calibration={path} holds no line; cure: {CURE}")
    return ["\n".join(lines[at : at + TOGETHER]) for at in range(0, len(lines), TOGETHER)]


def _json(path: Path, rows: list[str]) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            said = json.loads(row)
            text = said["text"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str) or not text.strip():
            raise BundleError(f"calibration={path}:{number} has no `text`; cure: {CURE}")
        yield f"{said['author']}: {text}" if said.get("author") else text
