"""How well the stream leaves OBS: samples of its counters -> events. Pure.

"Active" is not "live": a stream to nowhere is active too. What counts is that its bytes grow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glue.broadcast_events import BroadcastMeasured, Fault, StreamFaltered, StreamRestored
from glue.events import Event

CONGESTED = 0.6  # of OBS's own measure; the output's queue is filling
DROPPED = 0.05  # share of frames
EVERY = 10.0  # seconds between two measurements in the journal
SERVER = "cure: the stream's server and key in OBS's settings, or the network"
TELL = {
    Fault.OFF_AIR: "The stream does not seem to reach anybody. Mention it in one short sentence.",
    Fault.RECONNECTING: "The stream lost its connection. Mention it in one short sentence.",
    Fault.CONGESTED: "The stream may stutter: the network is slow. Mention it in one short sentence.",
    Fault.DROPPING: "The stream stutters: frames are lost. Mention it in one short sentence.",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """OBS's counters at a moment; all but `fps` and `congestion` (0 to 1) grow."""

    at: float
    wanted: bool  # the show has started the stream
    streaming: bool
    reconnecting: bool
    sent: int  # bytes
    congestion: float
    skipped: int  # frames that the network did not take ...
    frames: int  # ... of so many
    late: int  # frames that were drawn too late ...
    drawn: int  # ... of so many
    recording: bool
    scene: str
    fps: float


class Health:
    """Compares each sample with the one before. A fault must last, or be gone, for `patience` seconds."""

    def __init__(self, patience: float = 6.0) -> None:
        self._patience = patience
        self._last: Sample | None = None
        self._measured: Sample | None = None
        self._since: dict[Fault, float] = {}  # there, or told and gone, since
        self._told: dict[Fault, float] = {}  # when it began

    def take(self, sample: Sample) -> list[Event]:
        """What is worth telling. A counter that went back starts anew."""
        last, self._last = self._last, sample
        anew = last is None or sample.sent < last.sent or sample.drawn < last.drawn
        events: list[Event] = []
        if last is not None and not anew:
            present = _faults(last, sample)
            for fault in Fault:
                events += self._judge(fault, present.get(fault, ""), sample)
        first = sample if anew or self._measured is None else self._measured
        due = sample.at - first.at >= EVERY and (sample.streaming or sample.recording)
        if due or last is None or _state(last) != _state(sample):
            events.append(_measured(first, sample))
            self._measured = sample
        elif anew:
            self._measured = sample
        return events

    def _judge(self, fault: Fault, why: str, sample: Sample) -> list[Event]:
        told = fault in self._told
        if bool(why) is told:
            self._since.pop(fault, None)
            return []
        since = self._since.setdefault(fault, sample.at)
        if sample.at - since < (self._patience if sample.streaming or sample.wanted else 0.0):
            return []
        del self._since[fault]
        if told:
            return [StreamRestored(sample.at, fault, round(sample.at - self._told.pop(fault), 1))]
        self._told[fault] = since
        return [StreamFaltered(sample.at, fault, why, TELL[fault])]


def _state(sample: Sample) -> tuple[bool, bool, str]:
    """What is told as soon as it changes: what was measured before holds no longer."""
    return sample.streaming, sample.recording, sample.scene


def _faults(last: Sample, now: Sample) -> dict[Fault, str]:
    """What is wrong, and why."""
    if not now.streaming:
        return {Fault.OFF_AIR: f"OBS has stopped the stream; {SERVER}"} if now.wanted else {}
    if now.reconnecting:
        return {Fault.RECONNECTING: f"OBS does not reach the stream's server and tries again; {SERVER}"}
    if last.streaming and now.sent == last.sent:
        return {Fault.OFF_AIR: f"OBS streams, and not a byte leaves; {SERVER}"}
    found = {}
    if now.congestion >= CONGESTED:
        found[Fault.CONGESTED] = f"the output is {now.congestion:.0%} congested; cure: a lower bitrate in OBS"
    lost, of = now.skipped - last.skipped, now.frames - last.frames
    if of > 0 and lost / of >= DROPPED:
        found[Fault.DROPPING] = f"{lost} of {of} frames were dropped; cure: a lower bitrate in OBS"
    return found


def _measured(first: Sample, now: Sample) -> BroadcastMeasured:
    def share(part: Callable[[Sample], int], whole: Callable[[Sample], int]) -> float:
        return round((part(now) - part(first)) / max(1, whole(now) - whole(first)), 4)

    return BroadcastMeasured(
        now.at,
        now.streaming,
        now.recording,
        now.scene,
        kbit_s=round((now.sent - first.sent) * 8 / 1000 / max(1e-3, now.at - first.at), 1),
        congestion=round(now.congestion, 3),
        dropped=share(lambda s: s.skipped, lambda s: s.frames),
        lagged=share(lambda s: s.late, lambda s: s.drawn),
        fps=round(now.fps, 2),
    )
