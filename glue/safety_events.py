"""What the filters did with what came in. Part of glue/events.py's union."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Screened(StrEnum):
    """What screening did with a line before the model could see it."""

    PASSED = "passed"
    SANITISED = "sanitised"  # personal data and links are named instead, a wall of text is cut
    IGNORED = "ignored"
    FLAGGED = "flagged"  # ignored, and the operator should look: somebody may be in danger


@dataclass(frozen=True, slots=True)
class LineScreened:
    """A line did not simply pass: what was done with it, and why ("hate: contempt for a group")."""

    at: float
    line_id: str
    outcome: Screened
    why: str


@dataclass(frozen=True, slots=True)
class ViewerTimedOut:
    """Nothing of `author` is read until `until` (seconds, show clock)."""

    at: float
    author: str
    until: float
    why: str


@dataclass(frozen=True, slots=True)
class SlowModeSet:
    """Chat was slowed down to a line of each viewer in `gap` seconds; 0: it is over."""

    at: float
    gap: float


SafetyEvent = LineScreened | ViewerTimedOut | SlowModeSet
