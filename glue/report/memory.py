"""Vitals -> memory by process and the CPU that an idle show costs. Pure."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from glue.events import Stage
from glue.report.read import Run

SETTLED = 300.0  # seconds; growth counts from here
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident megabytes. `growth`: the median of the last minute less that of the minute after the first
    five. A median, since a sample may fall into an inference, whose memory is given back after it."""

    first: float | None = None
    last: float | None = None
    peak: float | None = None
    growth: float | None = None


def series(run: Run, name: str = "") -> list[tuple[float, float]]:
    """(seconds since the show began, megabytes) of a process; of all together for ""."""
    return [
        (v.at - run.began, sum(v.rss_mb.values()) if not name else v.rss_mb[name])
        for v in run.vitals
        if not name or name in v.rss_mb
    ]


def memory(run: Run, name: str = "") -> Memory:
    """Of one process, or of all of them together."""
    samples = series(run, name)
    if not samples:
        return Memory()
    values = [mb for _, mb in samples]
    end = samples[-1][0]
    then = [mb for at, mb in samples if SETTLED <= at < SETTLED + MINUTE]
    now = [mb for at, mb in samples if at > max(end - MINUTE, SETTLED)]
    growth = round(median(now) - median(then), 1) if then and now and end > SETTLED else None
    return Memory(round(values[0], 1), round(values[-1], 1), round(max(values), 1), growth)


def idle_cpu(run: Run) -> float | None:
    """Cores' worth of CPU over the stretches between two samples that no reply and no floor touches."""
    busy = [(r.marks.get(Stage.RECEIVED, 0.0), r.ended.at) for r in run.replies.values() if r.ended]
    busy += [(r.floor.at - 20.0, r.floor.at) for r in run.replies.values() if r.floor]
    spent = passed = 0.0
    for a, b in pairwise(run.vitals):
        if not any(begin < b.at and end > a.at for begin, end in busy) and a.cpu_s.keys() == b.cpu_s.keys():
            spent += sum(b.cpu_s.values()) - sum(a.cpu_s.values())
            passed += b.at - a.at
    return round(spent / passed, 3) if passed else None
