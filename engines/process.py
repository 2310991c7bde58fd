"""Owns the engines' processes: starts them, waits until they answer, restarts them, ends them for certain."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from engines import port
from engines.keeper import Keeper, Notify, NotReady, Spec, StartFailed, State

__all__ = ["Door", "Engines", "NotReady", "Notify", "Spec", "StartFailed", "State", "running", "until_signal"]

GRACE_SECONDS = 1.0  # for a port that an engine of the last show is about to leave


@dataclass(frozen=True, slots=True)
class Engines:
    """What runs, by name. A restart changes `pids`; an engine that is down has none. `restart(name)` starts
    one afresh; False where it is not ours, or is starting already."""

    addresses: dict[str, str]
    pids: dict[str, int] = field(default_factory=dict)
    restart: Callable[[str], bool] = lambda name: False


@dataclass(frozen=True, slots=True)
class Door:
    """A port that whoever uses the engines will listen on, such as the console's."""

    name: str
    host: str
    port: int
    port_key: str


def quiet(name: str, state: State, why: str) -> None:
    """A Notify that tells nobody."""


@asynccontextmanager
async def running(
    specs: Sequence[Spec],
    run_dir: Path,
    notify: Notify = quiet,
    within: float = 120.0,
    doors: Sequence[Door] = (),
) -> AsyncIterator[Engines]:
    """Engines, ready and kept alive while the block runs; all gone after it, in less than 2 s.

    Each logs to `run_dir`, which exists. Raises StartFailed when a port is taken (one of the `doors`, too:
    found out after the engines it would be waited for in vain), or an engine exits or is not ready `within`
    seconds."""
    with ExitStack() as claims:
        wanted: list[Spec | Door] = [*specs, *doors]
        for each in sorted(wanted, key=lambda each: each.port):  # so that one of two copies gets them all
            await _take_port(each, claims)
        async with _kept(specs, run_dir, notify, within) as engines:
            yield engines


@asynccontextmanager
async def _kept(
    specs: Sequence[Spec], run_dir: Path, notify: Notify, within: float
) -> AsyncIterator[Engines]:
    pids: dict[str, int] = {}
    keepers = [Keeper(spec, run_dir / f"{spec.name}.log", notify, pids, within) for spec in specs]
    by_name = dict(zip((spec.name for spec in specs), keepers, strict=True))
    engines = Engines(
        {spec.name: spec.address for spec in specs},
        pids,
        lambda name: name in by_name and by_name[name].restart(),
    )
    async with _bare_errors(), anyio.create_task_group() as tg:
        try:
            await _all_up(keepers)
            for keeper in keepers:
                tg.start_soon(keeper.keep)
            yield engines
        finally:
            tg.cancel_scope.cancel()
            await _all_down(keepers)


@asynccontextmanager
async def until_signal() -> AsyncIterator[None]:
    """Run the block until it is done, or until SIGINT, SIGTERM or SIGHUP cancels it (no traceback)."""
    async with _bare_errors(), anyio.create_task_group() as tg:
        await tg.start(_cancel_on_signal, tg.cancel_scope)
        yield
        tg.cancel_scope.cancel()


async def _cancel_on_signal(
    scope: anyio.CancelScope, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()


async def _take_port(spec: Spec | Door, claims: ExitStack) -> None:
    deadline, ours = anyio.current_time() + GRACE_SECONDS, False
    while not (ours := ours or port.claim(spec.port, claims)) or not port.free(spec.host, spec.port):
        if anyio.current_time() > deadline:
            cure = f"{spec.port_key}={port.instead(spec.host, spec.port)}" if spec.port_key else "stop that"
            raise StartFailed(f"{spec.name}: port {spec.port} is taken{port.holder(spec.port)}; cure: {cure}")
        await anyio.sleep(0.1)


async def _all_up(keepers: Sequence[Keeper]) -> None:
    """Start all at once; the first that fails ends the others' starts. Raises StartFailed."""
    async with _bare_errors(), anyio.create_task_group() as tg:
        for keeper in keepers:
            tg.start_soon(keeper.up)


async def _all_down(keepers: Sequence[Keeper]) -> None:
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as tg:
            for keeper in keepers:
                tg.start_soon(keeper.down)


@asynccontextmanager
async def _bare_errors() -> AsyncIterator[None]:
    """Raise what ended a task group as it is: callers catch StartFailed, not a group of one."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
