"""What happened on the way out to the audience: a part of glue/events.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What viewers suffer from."""

    OFF_AIR = "off air"  # it was asked to stream, and nothing leaves
    RECONNECTING = "reconnecting"
    CONGESTED = "congested"
    DROPPING = "dropping frames"


class Phase(StrEnum):
    """Where a show with an audience stands."""

    WAITING = "waiting"  # for the operator's Go
    LIVE = "live"
    LEAVING = "leaving"  # thanks that are due, then her goodbye; nobody else is answered
    ENDING = "ending"  # the ending scene is on, and nothing is said any more


@dataclass(frozen=True, slots=True)
class PhaseBegun:
    """The show has come so far. Not told of one that is live from its first moment and greets nobody."""

    at: float
    phase: Phase


@dataclass(frozen=True, slots=True)
class BroadcastMeasured:
    """How the broadcast does, now and then, and whenever it has begun, ended or changed its scene: `kbit_s`
    really leave; `congestion` is 0 to 1; `dropped` is the share of the last frames that the network did not
    take; `lagged` of those that this machine was too slow to draw."""

    at: float
    streaming: bool
    recording: bool
    scene: str
    kbit_s: float
    congestion: float
    dropped: float
    lagged: float
    fps: float


@dataclass(frozen=True, slots=True)
class StreamFaltered:
    """Something is wrong with the stream; `tell` is what she may say of it."""

    at: float
    fault: Fault
    why: str
    tell: str


@dataclass(frozen=True, slots=True)
class StreamRestored:
    """`fault` is over, `after` seconds."""

    at: float
    fault: Fault
    after: float


@dataclass(frozen=True, slots=True)
class BroadcastLacking:
    """Something in OBS is not as configured; the show goes on without it. `why` is a line with the cure."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class HighlightMarked:
    """A moment worth finding again, `recorded` seconds into the recording (None: there is none).
    `chapter`: the video has one there; `replay`: the replay buffer was saved; `file`: of the marks."""

    at: float
    why: str
    recorded: float | None
    chapter: bool
    replay: bool
    file: str = ""


BroadcastEvent = (
    PhaseBegun | BroadcastMeasured | StreamFaltered | StreamRestored | BroadcastLacking | HighlightMarked
)
