"""Labelled lines: JSON lines of `text`, `family` and `benign`, for the exam and for training.

`coded: rot13` keeps serious slurs from being read at a glance. What is no such file raises ConfigError.
"""

from __future__ import annotations

import codecs
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from glue.errors import ConfigError

BAIT = Path(__file__).with_name("bait.jsonl")
LINES = Path(__file__).with_name("lines.jsonl")
CHOICE = re.compile(r"\{([^{}]*)\}")
LONGEST = 4000  # characters of a text


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line, the kind of bait that it is or resembles, and whether it is harmless."""

    text: str
    family: str
    benign: bool

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the third that is not looked at while the filters are tuned."""
        return crc32(self.text.encode("utf-8", "replace")) % 3 == 0


def read(path: Path) -> list[Labelled]:
    """Every line of a file, in its order. Raises ConfigError with the line's number."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"bait_exam.file: {path} cannot be read ({error}); cure: correct the path"
        ) from error
    rows = [(i, row) for i, row in enumerate(text.split("\n"), 1) if row.strip()]
    if not rows:
        raise ConfigError(f"bait_exam.file: {path} holds no line")
    return [_labelled(f"bait_exam.file: {path}, line {i}", row) for i, row in rows]


def _labelled(where: str, row: str) -> Labelled:
    try:
        found = json.loads(row)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: is not JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise ConfigError(f"{where}: needs text (words), family (a word) and benign (true or false)")
    family, benign = found.get("family"), found.get("benign", False)
    if not isinstance(family, str) or not isinstance(benign, bool):
        raise ConfigError(f"{where}: needs text (words), family (a word) and benign (true or false)")
    text = found["text"][:LONGEST]
    return Labelled(codecs.decode(text, "rot13") if found.get("coded") == "rot13" else text, family, benign)


def spread(text: str) -> list[str]:
    """Every text that "{a|b} c" stands for."""
    pieces = CHOICE.split(text)  # every second one is a choice
    choices = [piece.split("|") if i % 2 else [piece] for i, piece in enumerate(pieces)]
    return [" ".join("".join(chosen).split()) for chosen in itertools.product(*choices)]
