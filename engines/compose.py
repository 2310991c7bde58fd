"""Starts the services of compose.yaml that do not run yet, and waits until all are healthy, telling of each.

It speaks to Docker through its own command line, `docker compose`; containers outlive the show on purpose: a
large model needs minutes to load. `docker compose -f engines/compose.yaml down` ends them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from engines import docker
from engines.docker import ASK_SECONDS
from engines.keeper import StartFailed
from engines.services import FILE, check, described

POLL_SECONDS = 2.0
PULL_SECONDS = 2 * 3600.0
UP_SECONDS = 300.0
TAIL = 5  # lines of a log that are shown when its container fails
FATAL = ("exited", "dead", "absent", "paused", "removing")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A service's container now. `state` and `health` are Docker's words; `state` is "absent" without one."""

    state: str = "absent"
    health: str = ""
    exit_code: int = 0

    @property
    def ready(self) -> bool:
        """It runs, and its health check says so, if it has one."""
        return self.state == "running" and self.health in ("healthy", "")

    @property
    def failed(self) -> str:
        """Why waiting on is of no use, or ""."""
        if self.state in ("exited", "dead"):
            return f"{self.words}, exit {self.exit_code}"
        return self.words if self.state in FATAL or self.health == "unhealthy" else ""

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.state}, {self.health}" if self.health else self.state


async def started(services: Sequence[str], say: Say, within: float) -> None:
    """Return when all `services` are healthy: `within` seconds at most, after the images were pulled.

    Raises StartFailed: one line with the cure."""
    there = described(services)
    await docker.there()
    seen = await look(services)
    missing = [name for name in services if seen[name].state not in ("running", "paused")]
    for name in services:
        say(f"{name}: {seen[name].words}")
    if missing:
        check(there, missing, os.environ)
        say(f"pulling what is not here yet: {', '.join(missing)}")
        await docker.compose(["pull", "--policy", "missing", *missing], PULL_SECONDS, say)
        await docker.compose(["up", "--detach", "--no-deps", *missing], UP_SECONDS)
    await _healthy(services, seen, say, within)


async def look(services: Sequence[str], within: float = ASK_SECONDS) -> dict[str, Seen]:
    """Every service's container now. Raises StartFailed."""
    text = await docker.compose(["ps", "--all", "--format", "json"], within)
    found = {name: Seen() for name in services}
    for row in _rows(text):
        if row.get("Service") in found:
            state, health = str(row.get("State", "")).lower(), str(row.get("Health", "")).lower()
            code = row.get("ExitCode")
            found[str(row["Service"])] = Seen(state, health, code if isinstance(code, int) else 0)
    return found


def _rows(text: str) -> list[dict[str, Any]]:
    """Compose prints a JSON object a line since 2.21, and one list before. Raises StartFailed."""
    try:
        if text.lstrip().startswith("["):
            rows = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise StartFailed(
            f"docker compose ps: not JSON: {text[:80]!r}; cure: Docker Compose 2.24 or newer"
        ) from error
    return [row for row in rows if isinstance(row, dict)]


async def _healthy(services: Sequence[str], seen: Mapping[str, Seen], say: Say, within: float) -> None:
    """Wait; a container that fails, or is late, is told with the end of its log. Raises StartFailed."""
    began = anyio.current_time()
    told = dict(seen)
    while True:
        now = await look(services)
        since = anyio.current_time() - began
        for name, each in now.items():
            if each != told.get(name):
                say(f"{name}: {each.words} ({since:.0f} s)")
            if each.failed:
                cure = _words("unpause", name) if each.state == "paused" else f"see {_words('logs', name)}"
                raise StartFailed(f"{name}: {each.failed}{await _end(name, say)}; cure: {cure}")
        told = now
        late = [name for name, each in now.items() if not each.ready]
        if not late:
            return
        if since > within:
            last = await _end(late[0], say)
            cure = f"engines.ready_within=SECONDS, or see {_words('logs', late[0])}"
            raise StartFailed(f"{', '.join(late)}: not ready within {within:.0f} s{last}; cure: {cure}")
        await anyio.sleep(min(POLL_SECONDS, within / 4))


async def _end(name: str, say: Say) -> str:
    """Show the end of a service's log; its last line, for the error."""
    words = ["logs", "--no-color", "--no-log-prefix", "--tail", str(TAIL), name]
    try:
        lines = (await docker.compose(words, ASK_SECONDS)).split("\n")
    except StartFailed as error:
        return f" ({error})"
    found = [line.strip() for line in lines if line.strip()]
    for line in found:
        say(f"{name} | {line[:300]}")
    return f" ({found[-1][:200]})" if found else " (it logged nothing)"


def _words(command: str, name: str) -> str:
    return f"docker compose -f {FILE.parent.name}/{FILE.name} {command} {name}"
