"""One engine's life: up when it answers, watched, restarted with back-off, ended for certain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel

from engines import port
from engines.child import Child, start

PROBE_SECONDS = 2.0  # one try
WATCH_SECONDS = 5.0  # between two probes of an engine that is up
MISSES = 4  # probes in a row without an answer: it hangs, and is restarted
BACK_OFF = (0.2, 10.0)  # seconds before a restart: doubled from the first to the second
STEADY_SECONDS = 30.0  # up for so long: the next restart is quick again

State = Literal["starting", "up", "down"]
Notify = Callable[[str, State, str], None]  # engine, state, why


class NotReady(Exception):
    """An engine does not answer properly on its wire now; `str()` says what was seen."""


class StartFailed(Exception):
    """An engine cannot be started; one line with the cure, where there is one. `ran`: it was started, and
    ended or did not answer: a damaged model may be why."""

    def __init__(self, why: str, ran: bool = False) -> None:
        super().__init__(why)
        self.ran = ran


@dataclass(frozen=True, slots=True)
class Spec:
    """An engine to run. `ready` is one probe (raises NotReady); `port_key` is the option that moves it."""

    name: str
    argv: tuple[str, ...]
    address: str
    host: str
    port: int
    ready: Callable[[], Awaitable[None]]
    port_key: str = ""
    models: tuple[str, ...] = ()  # what fetch must have brought
    prepare: Callable[[Callable[[str], None]], None] | None = None  # before the first start: may take minutes


class Keeper:
    """One engine's life."""

    def __init__(self, spec: Spec, log: Path, notify: Notify, pids: dict[str, int], within: float) -> None:
        self._spec = spec
        self._log = log
        self._notify = notify
        self._pids = pids
        self._within = within
        self._child: Child | None = None
        self._asked = anyio.Event()  # somebody wants it to start afresh

    async def up(self) -> None:
        """Start it and wait until it answers. Raises StartFailed; the process is then gone."""
        name = self._spec.name
        self._notify(name, "starting", "")
        began = anyio.current_time()
        try:
            self._child = await start(self._spec.argv, self._log)
        except OSError as error:  # no memory, no more processes, a full disk: later, perhaps
            raise StartFailed(f"{name} cannot be started: {error.strerror or error}") from error
        answered = False
        try:
            await self._answering(self._child)
            answered = True
        finally:
            if not answered:  # whatever the reason, a cancelled start among them
                await self.down()
        self._pids[name] = self._child.pid
        self._notify(name, "up", f"ready after {anyio.current_time() - began:.1f} s")

    async def down(self) -> None:
        """End it, whatever state it is in."""
        self._pids.pop(self._spec.name, None)
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    def restart(self) -> bool:
        """Start it afresh as soon as may be; False while it is not up, and so about to start anyway."""
        if self._spec.name not in self._pids:
            return False
        self._asked.set()
        return True

    async def keep(self) -> None:
        """Restart it whenever it has died or does not answer any more, for ever."""
        await anyio.lowlevel.checkpoint()  # a show that ended before this began has its own reason to tell
        pause = BACK_OFF[0]
        while True:
            began = anyio.current_time()
            why = await self._trouble()
            await self.down()
            self._asked = anyio.Event()
            self._notify(self._spec.name, "down", why)
            if anyio.current_time() - began > STEADY_SECONDS:
                pause = BACK_OFF[0]
            pause = await self._again(pause)

    async def _again(self, pause: float) -> float:
        """Try until it is up; the next pause to take."""
        while True:
            await anyio.sleep(pause)
            pause = min(2 * pause, BACK_OFF[1])
            try:
                await self.up()
            except StartFailed as error:
                self._notify(self._spec.name, "down", str(error))
            else:
                return pause

    async def _answering(self, child: Child) -> None:
        """Probe until it answers; an early exit or the time-out raises StartFailed."""
        name, seen, answers = self._spec.name, "", False
        ended: list[str] = []
        with anyio.move_on_after(self._within):
            async with anyio.create_task_group() as tg:
                tg.start_soon(self._ending, child, ended, tg.cancel_scope)
                while not answers:
                    seen = await self._probe()
                    # an answer counts only when it is ours: another copy's engine may have the port
                    answers = not seen and port.listens(child.pid, self._spec.port)
                    if not answers:
                        await anyio.sleep(0.1)
                tg.cancel_scope.cancel()
        if ended:
            raise StartFailed(f"{name} stopped while starting: {ended[0]} (log: {self._log})", ran=True)
        if not answers:
            why = f"{name} did not answer within {self._within:.0f} s: {seen} (log: {self._log})"
            raise StartFailed(why, ran=True)

    async def _ending(self, child: Child, ended: list[str], scope: anyio.CancelScope) -> None:
        ended.append(await child.wait())
        scope.cancel()

    async def _wished(self, ended: list[str], scope: anyio.CancelScope) -> None:
        await self._asked.wait()
        ended.append("a restart was asked for")
        scope.cancel()

    async def _trouble(self) -> str:
        """Wait until it has died or hangs; which of them."""
        if self._child is None:  # its start was given up: seen once, on a busy machine
            return "it is gone"
        ended: list[str] = []
        misses = 0
        seen = ""
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._ending, self._child, ended, tg.cancel_scope)
            tg.start_soon(self._wished, ended, tg.cancel_scope)
            while misses < MISSES:
                await anyio.sleep(WATCH_SECONDS)
                seen = await self._probe()
                misses = misses + 1 if seen else 0
            tg.cancel_scope.cancel()
        return ended[0] if ended else f"no answer {MISSES} times: {seen}"

    async def _probe(self) -> str:
        """Ask once; what was wrong, or ""."""
        seen = f"no answer within {PROBE_SECONDS:.0f} s"
        with anyio.move_on_after(PROBE_SECONDS):
            try:
                await self._spec.ready()
            except NotReady as error:
                return str(error) or "not ready"
            return ""
        return seen
