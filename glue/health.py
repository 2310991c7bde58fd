"""How the show is doing, from its own events: engines and parts that are down, latency, memory and CPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from glue.events import Event, PartDegraded, PartRecovered, Stage, StageReached, TurnStarted
from glue.measured_events import VitalsTaken
from glue.song_events import SongStarted
from glue.spread import spread

LAST = 100  # replies that the latency is taken from


@dataclass(slots=True)
class Health:
    """A Viewer (ports). `engines`: names of those that this show started, and may restart."""

    engines: Iterable[str] = ()
    _down: dict[str, str] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _took: deque[float] = field(default_factory=lambda: deque(maxlen=LAST))
    _vitals: VitalsTaken | None = None
    _before: VitalsTaken | None = None

    def show(self, event: Event) -> None:
        """The Viewer port."""
        match event:
            case PartDegraded(_, part, why):
                self._down[part] = why
            case PartRecovered(_, part):
                self._down.pop(part, None)
            case VitalsTaken():
                self._before, self._vitals = self._vitals, event
            case TurnStarted(waited=False, line=line) if line.author:
                self._begun = {event.turn: event.at}
            case SongStarted(turn=turn):  # nobody has to think of one
                self._begun.pop(turn, None)
            case StageReached(at, _, turn, Stage.RECEIVED) if turn in self._begun:
                self._begun[turn] = at
            case StageReached(at, _, turn, Stage.AUDIBLE) if turn in self._begun:
                self._took.append(at - self._begun.pop(turn))
            case _:
                pass

    def told(self) -> dict[str, object]:
        """As plain values. Latency: chat to first audio of the last lines that did not wait, milliseconds."""
        took = spread(self._took, 1000, 0)
        names = dict.fromkeys([*self.engines, *self._down, *(self._vitals.rss_mb if self._vitals else ())])
        return {
            "latency": {
                "replies": took.n,
                "p50": None if took.p50 is None else int(took.p50),
                "p95": None if took.p95 is None else int(took.p95),
            },
            "parts": [self._part(name) for name in names],
        }

    def _part(self, name: str) -> dict[str, object]:
        now, before = self._vitals, self._before
        cpu = None
        if now and before and name in now.cpu_s and name in before.cpu_s and now.at > before.at:
            cpu = max(0, round(100 * (now.cpu_s[name] - before.cpu_s[name]) / (now.at - before.at)))
        return {
            "name": name,
            "up": name not in self._down,
            "why": self._down.get(name, ""),
            "rss_mb": round(now.rss_mb[name]) if now and name in now.rss_mb else None,
            "cpu_percent": cpu,
            "restarts": name in self.engines,
        }
