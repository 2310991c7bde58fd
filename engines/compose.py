"""Starts the services of compose.yaml that do not run yet, and waits until all are healthy, telling of each.

It speaks to Docker through its own command line, `docker compose`; containers outlive the show on purpose: a
large model needs minutes to load. `docker compose -f engines/compose.yaml down` ends them.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from engines import docker, services
from engines.bundle import manifest
from engines.docker import ASK_SECONDS
from engines.keeper import NotReady, StartFailed
from engines.services import FILE, check, described

POLL_SECONDS = 2.0
QUIET_SECONDS = 30.0  # without a word about what is not ready: an hour of silence looks like a hang
PULL_SECONDS = 2 * 3600.0
UP_SECONDS = 300.0
TAIL = 5  # lines of a log that are shown when its container fails
FATAL = ("exited", "dead", "absent", "paused", "removing")
LABEL = re.compile(r"(?:^|,)spark\.bundle=([^,]*)")  # compose prints labels as one text
RIVA = {"asr", "speech"}  # roles of NIMs, named as our own engines on that wire
GRPC = 50051  # their port inside the container
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A service's container now. `state` and `health` are Docker's words; `state` is "absent" without one.
    `bundle` is what it was labelled with: the mark of its bundle, or options, when it was started."""

    state: str = "absent"
    health: str = ""
    exit_code: int = 0
    bundle: str = ""

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


async def started(
    names: Sequence[str], say: Say, within: float, told: Mapping[str, str] | None = None
) -> None:
    """Return when all services `names` are healthy: `within` seconds at most, after the images are here.
    `told` is what compose.yaml takes from the environment beside the bundles' seals.

    Raises StartFailed: one line with the cure."""
    there = described(names)
    await docker.there()
    seen = await look(names)
    missing = [name for name in names if seen[name].state not in ("running", "paused")]
    for name in names:
        say(f"{name}: {seen[name].words}")
    stale = [name for name in names if outdated(there[name], seen[name], told)]
    for name in stale:
        say(f"{name}: it runs with another bundle, persona, code or option than is asked for: started anew")
    if missing or stale:
        check(there, missing, os.environ)
        for name in stale:
            services.fits(name, there[name], os.environ)
        wanted = [name for name in names if name in missing or name in stale]
        await _images({name: there[name] for name in wanted}, say)
        marks = dict(filter(None, (_mark(each, told) for each in there.values())))
        for each in there.values():
            marks |= services.memory(each, os.environ)
        more = marks | dict(told or {})
        await docker.compose(["up", "--detach", "--no-deps", *wanted], UP_SECONDS, more=more)
    await _healthy({name: there[name] for name in names}, seen, say, within)


async def _images(wanted: Mapping[str, Mapping[str, Any]], say: Say) -> None:
    """Pull what is not here yet, and build what is ours: of an unchanged one nothing. Raises StartFailed."""
    ours = [name for name, service in wanted.items() if "build" in service]
    theirs = [name for name in wanted if name not in ours]
    if theirs:
        say(f"pulling what is not here yet: {', '.join(theirs)}")
        await docker.compose(["pull", "--policy", "missing", *theirs], PULL_SECONDS, say)
    if ours:
        say(f"building what is not here yet: {', '.join(ours)}")
        await docker.compose(["build", *ours], PULL_SECONDS, say)


def outdated(service: Mapping[str, Any], seen: Seen, told: Mapping[str, str] | None = None) -> bool:
    """Whether its container runs with another bundle than the whole one that is there now (a build moves the
    old one away under it, and it would go on speaking), or with something else than it is `told`."""
    mark = _mark(service, told)
    return bool(mark and mark[1] and seen.state == "running" and seen.bundle != mark[1])


def _mark(service: Mapping[str, Any], told: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """The variable that compose.yaml takes the label from, and what it is now: of a bundle's server the
    bundle's seal and who speaks with its weights. Another label is another container."""
    label = str(service["labels"].get("spark.bundle", ""))
    variable = label.removeprefix("${").removesuffix(":-}")
    if told and variable in told:
        return variable, told[variable]
    serves = services.bundle(service, os.environ)
    if serves is None:
        return None
    seal = manifest.sealed(serves.folder)
    return variable, seal and f"{seal}-{services.speaker(serves.folder, os.environ)}"


async def look(names: Sequence[str], within: float = ASK_SECONDS) -> dict[str, Seen]:
    """Every service's container now. Raises StartFailed."""
    text = await docker.compose(["ps", "--all", "--format", "json"], within)
    found = {name: Seen() for name in names}
    for row in _rows(text):
        if row.get("Service") in found:
            state, health = str(row.get("State", "")).lower(), str(row.get("Health", "")).lower()
            code, label = row.get("ExitCode"), LABEL.search(str(row.get("Labels", "")))
            found[str(row["Service"])] = Seen(
                state, health, code if isinstance(code, int) else 0, label[1] if label else ""
            )
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


async def _healthy(
    there: Mapping[str, Mapping[str, Any]], seen: Mapping[str, Seen], say: Say, within: float
) -> None:
    """Wait; a container that fails, or is late, is told with the end of its log. Raises StartFailed."""
    began = spoke = anyio.current_time()
    told = {name: each.words for name, each in seen.items()}
    while True:
        now = await look(list(there))
        lacks = {name: await _lacks(there[name], each) for name, each in now.items()}
        since = anyio.current_time() - began
        for name, each in now.items():
            words = f"{each.words}{lacks[name]}"
            if words != told[name]:
                say(f"{name}: {words} ({since:.0f} s)")
                told[name], spoke = words, anyio.current_time()
            if each.failed:
                cure = _words("unpause", name) if each.state == "paused" else f"see {_words('logs', name)}"
                raise StartFailed(f"{name}: {each.failed}{await _end(name, say)}; cure: {cure}")
        late = [name for name, each in now.items() if lacks[name] or not each.ready]
        if not late:
            return
        if since > within:
            last = await _end(late[0], say)
            cure = f"engines.ready_within=SECONDS, or see {_words('logs', late[0])}"
            raise StartFailed(f"{', '.join(late)}: not ready within {within:.0f} s{last}; cure: {cure}")
        if anyio.current_time() - spoke > QUIET_SECONDS:
            for name in late:
                say(f"{name}: {told[name]} ({since:.0f} s){await _end(name, lambda _: None)}")
            spoke = anyio.current_time()
        await anyio.sleep(min(POLL_SECONDS, within / 4))


async def _lacks(service: Mapping[str, Any], seen: Seen) -> str:
    """What a healthy speech NIM is not ready without: it says that it is before it has its models."""
    role = service["labels"]["spark.role"]
    if role not in RIVA or not seen.ready:
        return ""
    host, port = services.address(service, GRPC)
    options = importlib.import_module(f"engines.{role}.options").Options(host=host, port=port)
    try:
        await importlib.import_module(f"engines.{role}.probe").ready(options)
    except NotReady as error:
        return f", but {error}"
    return ""


async def _end(name: str, say: Say) -> str:
    """Show the end of a service's log; its last line, in brackets."""
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
