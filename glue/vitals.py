"""What the show's processes use: VitalsTaken every few seconds; and what machine this is, for the report."""

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import psutil

from glue.events import Event
from glue.measured_events import VitalsTaken

EVERY = 5.0  # seconds
LOOK_AGAIN = 60.0  # seconds; walking all processes for children costs milliseconds, so it is done rarely


@dataclass(slots=True)
class Vitals:
    """`processes` gives each name's process id; its children count with it, unless they have a name too."""

    processes: Callable[[], Mapping[str, int]]
    _families: dict[str, list[psutil.Process]] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)
    _looked: float = float("-inf")

    async def watch(self, emit: Callable[[Event], None], every: float = EVERY) -> None:
        """Sample for ever."""
        while True:
            emit(self.sample(anyio.current_time()))
            await anyio.sleep(every)

    def sample(self, now: float) -> VitalsTaken:
        """Resident megabytes and CPU seconds by name. A process that is gone is left out."""
        named = dict(self.processes())
        if named != self._known or now - self._looked >= LOOK_AGAIN:
            self._known, self._looked = named, now
            self._families = families(named)
        rss: dict[str, float] = {}
        cpu: dict[str, float] = {}
        for name, members in self._families.items():
            for process in members:
                try:
                    with process.oneshot():
                        memory, times = process.memory_info().rss, process.cpu_times()
                except psutil.Error:  # it ended
                    continue
                rss[name] = rss.get(name, 0.0) + memory / 1e6
                cpu[name] = cpu.get(name, 0.0) + times.user + times.system
        return VitalsTaken(
            now, {n: round(v, 1) for n, v in rss.items()}, {n: round(v, 2) for n, v in cpu.items()}
        )


def families(named: Mapping[str, int]) -> dict[str, list[psutil.Process]]:
    """Each name's process with its descendants, down to the next process that has a name of its own."""
    found: dict[str, list[psutil.Process]] = {}
    for name, pid in named.items():
        try:
            found[name] = _descendants(psutil.Process(pid), set(named.values()))
        except psutil.Error:
            continue
    return found


def _descendants(process: psutil.Process, stops: set[int]) -> list[psutil.Process]:
    children: dict[int, list[psutil.Process]] = {}
    for other in psutil.process_iter(["ppid"]):
        children.setdefault(other.info["ppid"], []).append(other)
    members, queue = [process], [process.pid]
    while queue:
        for child in children.get(queue.pop(), []):
            if child.pid not in stops:
                members.append(child)
                queue.append(child.pid)
    return members


def machine() -> dict[str, object]:
    """The machine in words and numbers, for a report that a stranger reads."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    try:
        rows = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        rows = []
    for row in rows:
        if row.lower().startswith("model name"):
            return row.partition(":")[2].strip()
    return platform.processor() or platform.machine()
