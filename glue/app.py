"""The composition root: the only place that builds adapters (through make) and ties them together."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import anyio
from omegaconf import DictConfig

from glue.checks import adapters, check, personas, plain
from glue.director import Director
from glue.errors import PortError
from glue.events import Event, PartDegraded, PartRecovered, StageTaken
from glue.floor import Floor, Recorder
from glue.gate import Gate
from glue.journal import Journal
from glue.make import make
from glue.mind.persona import Persona
from glue.mind.talk import Talk
from glue.ports import Prompt, Sense, Viewer
from glue.settings import When
from glue.show import Show
from glue.stage.console import Console, welcome
from glue.stage.face import Face
from glue.stage.mixer import Mixer
from glue.stage.performer import Performer
from glue.stage.stand import StageStand
from glue.supervise import supervise
from glue.turn import Member
from glue.vitals import Vitals, machine

__all__ = ["check", "run"]

Notify = Callable[[str, str, str], None]  # an engine's name, "up" or "down", why


class NoMemory:
    """The Memory port of somebody who lives in the moment: the history in her prompt is all she knows."""

    async def recall(self, who: str, author: str, text: str) -> tuple[str, ...]:
        """Nothing."""
        return ()


@dataclass(slots=True)
class Parts:
    """What is built for one show."""

    viewers: list[Viewer] = field(default_factory=list)
    senses: list[Sense] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    performers: list[Performer] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        """Tell every viewer."""
        for viewer in self.viewers:
            viewer.show(event)


async def run(
    cfg: DictConfig,
    run_dir: Path,
    processes: Mapping[str, int],
    listen: Callable[[Notify], None] = lambda notify: None,
) -> float | None:
    """Perform one show on engines that run. `processes`: their ids by name, for the report; `listen` is
    called with what wants to know of their ups and downs. Returns the median first audio in ms, if known.

    Raises ConfigError before anything starts, an exception group when a required part stays down."""
    parts = Parts()
    async with AsyncExitStack() as stack:
        parts.viewers.append(stack.enter_context(Journal(run_dir / "journal.jsonl", _head(cfg))))
        show, tasks = await _build(cfg, run_dir, processes, parts, stack)
        heads = {who: member.mind.prefix() for who, member in parts.members.items()}
        for who, head in heads.items():
            await parts.members[who].llm.settle(head)
        async with anyio.create_task_group() as tg:

            def changed(name: str, state: str, why: str) -> None:
                _tell_engine(parts.emit, name, state, why)
                if (name, state) == ("llm", "up"):
                    tg.start_soon(_warm_again, parts.members, heads)

            listen(changed)
            for task in tasks:
                tg.start_soon(task)
            _announce(cfg, parts)
            await show.run(parts.senses)
            tg.cancel_scope.cancel()
    return _report(cfg, run_dir)


def _announce(cfg: DictConfig, parts: Parts) -> None:
    """It begins: tell people where the page is, and pages who is on stage."""
    for viewer in parts.viewers:
        if isinstance(viewer, Console):
            where = welcome(viewer, cfg.avatar.engine.port, getpass.getuser(), platform.node())
            sys.stdout.write(f"{where}\n")
            sys.stdout.flush()
    for who, persona in personas(cfg).items():
        parts.emit(StageTaken(anyio.current_time(), who, persona.name))


async def _build(
    cfg: DictConfig, run_dir: Path, processes: Mapping[str, int], parts: Parts, stack: AsyncExitStack
) -> tuple[Show, list[Callable[[], Any]]]:
    """Every adapter of the show, opened, and what has to run beside the show."""
    offer: dict[str, object] = {"run_dir": run_dir, "rate": cfg.stage.rate}

    async def built(key: str, section: Mapping[str, Any]) -> Any:
        return await stack.enter_async_context(make(key, section, offer))

    sections = adapters(cfg)
    if "console" in sections:
        console = await built("console", sections.pop("console"))
        offer |= {"console": console, "desk": console}
        parts.viewers.append(console)
    recorder = Recorder(await built("llm.adapter", sections.pop("llm.adapter")))
    offer |= {"llm": recorder, "tts": await built("speech.adapter", sections.pop("speech.adapter"))}
    avatar = await built("avatar.adapter", sections.pop("avatar.adapter"))
    outputs = [await built(key, sections.pop(key)) for key in list(sections) if key.startswith("speaker.")]
    mixer = Mixer(outputs, cfg.stage.rate, cfg.stage.ahead, cfg.stage.delay)
    for who, persona in personas(cfg).items():
        _cast(cfg, who, persona, parts, offer, mixer, avatar)
    if "chat.rehearsal" in sections and cfg.rehearsal.floor:
        minds = {who: member.mind for who, member in parts.members.items()}
        offer["floor"] = await stack.enter_async_context(_floor(cfg, recorder, minds))
    for key, section in sections.items():
        adapter = await built(key, section)
        if hasattr(adapter, "events"):
            parts.senses.append(adapter)
        if hasattr(adapter, "show"):
            parts.viewers.append(adapter)

    def mute(muted: bool) -> None:
        mixer.muted = muted

    director = Director(list(parts.members), cfg.director)
    show = Show(parts.members, director, parts.viewers, cfg.turn, mute, cfg.ends_with_chat)
    vitals = Vitals(lambda: {"glue": os.getpid(), **processes})
    return show, [
        mixer.run,
        partial(supervise, "avatar", avatar.run, parts.emit),
        partial(vitals.watch, parts.emit),
        *(performer.run for performer in parts.performers),
    ]


def _cast(
    cfg: DictConfig,
    who: str,
    persona: Persona,
    parts: Parts,
    offer: Mapping[str, Any],
    mixer: Mixer,
    avatar: Any,
) -> None:
    """One character: her mind, her voice, her place on stage."""
    stage = cfg.stage
    face = Face(Random(cfg.seed or None))

    def performer(playhead: Callable[[], float]) -> Performer:
        return Performer(who, avatar, playhead, parts.emit, face, stage.rate, stage.tick_hz, stage.idle_hz)

    stand = StageStand(mixer, performer, stage.lead)
    parts.performers.append(stand.performer)
    mind = Talk(who, persona, cfg.speech.voices[persona.voice], seed=cfg.seed)
    secret = "\n".join([persona.prompt, *persona.rules])
    gate = Gate(secret, persona.blocked)
    parts.members[who] = Member(who, mind, offer["llm"], offer["tts"], NoMemory(), gate, stand)


def _floor(cfg: DictConfig, recorder: Recorder, minds: Mapping[str, Any]) -> Floor:
    """The bare loop against the same two servers, in the background's slot."""
    llm = cfg.llm.adapter
    slotted = llm.extensions == "llamacpp"
    return Floor(
        recorder,
        minds,
        llm.url,
        cfg.speech.adapter.address,
        cfg.stage.rate,
        dict(llm.models),
        slot=llm.slots.background if slotted else None,
    )


async def _warm_again(members: Mapping[str, Member], heads: Mapping[str, Prompt]) -> None:
    """A restarted model has forgotten every prefix; without this the next reply pays for it: 10 s."""
    with suppress(PortError):
        for who, member in members.items():
            await member.llm.settle(heads[who])
            await member.llm.warm(member.mind.prefix())


def _tell_engine(emit: Callable[[Event], None], name: str, state: str, why: str) -> None:
    now = anyio.current_time()
    if state == "down":
        emit(PartDegraded(now, name, why))
    elif state == "up":
        emit(PartRecovered(now, name))


def _head(cfg: DictConfig) -> dict[str, object]:
    """The journal's first line: the machine and the models, without a secret in it."""
    engines = {name: plain(cfg[name].get("engine") or {}) for name in ("llm", "speech", "avatar")}
    return {"machine": machine(), "models": engines, "cast": list(cfg.cast), "seed": cfg.seed}


def _report(cfg: DictConfig, run_dir: Path) -> float | None:
    """The report of a show that has ended by itself."""
    if cfg.report is When.never or (cfg.report is When.auto and not cfg.ends_with_chat):
        return None
    from glue.report.table import show as print_table  # matplotlib: a second that most shows need not wait
    from glue.report.write import write

    report = write(run_dir)
    print_table(report)
    return report.first_audio_ms.p50
