"""A session on the Neuro Game API's wire as a file: one JSON line a frame.

{"t": seconds, "from": "game" or "ai", "frame": text}. Authors of integrations keep one beside a bug report,
and play it again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

SIDES = ("game", "ai")


class BadRecording(ValueError):
    """Not such a file; the text says where."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one side sent, `t` seconds after the start."""

    t: float
    side: str
    text: str

    @property
    def message(self) -> dict[str, Any]:
        """The frame as a message; empty for what is none."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def write(file: TextIO, frame: Frame) -> None:
    """Add a frame; it is on disk when this returns."""
    file.write(json.dumps({"t": round(frame.t, 3), "from": frame.side, "frame": frame.text}) + "\n")
    file.flush()


def load(lines: Iterable[str]) -> list[Frame]:
    """All frames. Raises BadRecording."""
    return list(_load(lines))


def _load(lines: Iterable[str]) -> Iterator[Frame]:
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadRecording(f"line {number} is not JSON") from error
        match entry:
            case {"t": int() | float() as t, "from": str(side), "frame": str(frame)}:
                if side in SIDES and not isinstance(t, bool) and math.isfinite(t) and t >= 0:
                    yield Frame(float(t), side, frame)
                    continue
        raise BadRecording(f'line {number} is not {{"t": SECONDS, "from": "game" or "ai", "frame": TEXT}}')
