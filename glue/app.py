"""The composition root: the only place that builds adapters (through make) and ties them together."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from glue.carrier import Carrier
from glue.checks import adapters, check, personas, plain, precheck, safety
from glue.controls import Controls
from glue.course import Course, greets
from glue.cues import Cues
from glue.director import Director
from glue.errors import PortError, TooFast
from glue.events import Event, PartDegraded, PartRecovered, StageTaken
from glue.floor import Recorder
from glue.folders import data
from glue.health import Health
from glue.journal import Journal
from glue.jukebox import Jukebox
from glue.lookup import Lookup
from glue.make import make
from glue.member import Member
from glue.offer import floor, model, neighbours, page, voice
from glue.pace import VOICE, kept
from glue.parts import Parts, cast, for_games, offered, repertoire
from glue.ports import Prompt
from glue.safety.blocklist import Blocklist, kept_at
from glue.safety.door import Door
from glue.safety.screen import Screen
from glue.settings import SafetySettings, When
from glue.show import Show
from glue.stage.board import Board
from glue.stage.console import Console, welcome
from glue.stage.mixer import Mixer
from glue.stage.shared import Shared
from glue.strikes import Strikes
from glue.supervise import supervise
from glue.vitals import Vitals, machine

__all__ = ["check", "precheck", "run"]

Notify = Callable[[str, str, str], None]  # an engine's name, "up" or "down", why


async def run(
    cfg: DictConfig,
    run_dir: Path,
    processes: Mapping[str, int],
    listen: Callable[[Notify], None] = lambda notify: None,
    restart: Callable[[str], bool] = lambda name: False,
) -> float | None:
    """Perform one show on engines that run. `processes`: their ids by name, for the report; `listen` is
    called with what wants to know of their ups and downs; `restart` starts one afresh, for the operator.
    Returns the median first audio in ms, if known.

    Raises ConfigError before anything starts, an exception group when a required part stays down, TooFast
    at the end of a paced show that was faster than it states."""
    parts = Parts()
    async with AsyncExitStack() as stack:
        parts.viewers.append(stack.enter_context(Journal(run_dir / "journal.jsonl", _head(cfg))))
        show, tasks = await _build(cfg, run_dir, processes, parts, stack, restart)
        heads = {who: member.mind.prefix() for who, member in parts.members.items()}
        for who, head in heads.items():
            await parts.members[who].llm.settle(head)
        async with anyio.create_task_group() as tg:

            def changed(name: str, state: str, why: str) -> None:
                _tell_engine(parts.emit, name, state, why)
                if (name, state) == ("llm", "up") and not tg.cancel_scope.cancel_called:
                    tg.start_soon(_warm_again, parts.members, heads)

            listen(changed)
            for task in tasks:
                tg.start_soon(task)
            _announce(cfg, parts)
            await show.run(parts.senses)
            if pace := cfg.pace.get("engine"):
                for event in await kept(f"http://{pace.host}:{pace.port}", parts.voice):
                    parts.emit(event)
            tg.cancel_scope.cancel()
    return _report(cfg, run_dir)


def _announce(cfg: DictConfig, parts: Parts) -> None:
    """It begins: tell people where the page is, and pages who is on stage."""
    for viewer in parts.viewers:
        if isinstance(viewer, Console):
            where = welcome(viewer, cfg.avatar.engine.port, getpass.getuser(), platform.node())
            sys.stdout.write(f"{where}\n")
            sys.stdout.flush()
    for sense in parts.senses:
        if welcomed := getattr(sense, "welcome", ""):  # games: where they connect
            sys.stdout.write(f"{welcomed}\n")
            sys.stdout.flush()
    for who, persona in personas(cfg).items():
        parts.emit(StageTaken(anyio.current_time(), who, persona.name, persona.avatar))


async def _build(
    cfg: DictConfig,
    run_dir: Path,
    processes: Mapping[str, int],
    parts: Parts,
    stack: AsyncExitStack,
    restart: Callable[[str], bool],
) -> tuple[Show, list[Callable[[], Any]]]:
    """Every adapter of the show, opened, and what has to run beside the show."""
    filters = Filters(safety(cfg))
    offer = offered(cfg, run_dir, parts)

    async def built(key: str, section: Mapping[str, Any]) -> Any:
        return await stack.enter_async_context(make(key, section, offer))

    sections = adapters(cfg)
    await page(sections, offer, parts, built)
    recorder = Recorder(await model(sections, offer, built))
    offer |= {"llm": recorder, "tts": await voice(cfg, sections, parts, built)}
    if "asr.adapter" in sections:
        offer["asr"] = await built("asr.adapter", sections.pop("asr.adapter"))
    avatar = await built("avatar.adapter", sections.pop("avatar.adapter"))
    shared = Shared(avatar)
    outputs = [await built(key, sections.pop(key)) for key in list(sections) if key.startswith("speaker.")]
    for output in outputs:
        parts.add(output)
    mixer = Mixer(outputs, cfg.stage.rate, cfg.stage.ahead, cfg.stage.delay)
    await neighbours(sections, offer, parts, built, filters.refuses)
    for who, persona in personas(cfg).items():
        cast(cfg, who, persona, parts, offer | {"screen": filters.screen}, mixer, shared.seat())
    if "vision.adapter" in sections:
        offer["vision"] = await built("vision.adapter", sections.pop("vision.adapter"))
    if "chat.rehearsal" in sections and cfg.rehearsal.floor:
        minds = {who: member.mind for who, member in parts.members.items()}
        offer["floor"] = await stack.enter_async_context(floor(cfg, recorder, minds))
    offer |= for_games(cfg, parts, filters.screen)
    for key, section in sections.items():
        parts.add(await built(key, section))
    show, controls = _tied(cfg, run_dir, parts, mixer, filters, Health(list(processes)), restart)
    songs = controls.jukebox.repertoire.songs
    vitals = Vitals(lambda: {"glue": os.getpid(), **processes})
    return show, [
        *parts.tasks,
        mixer.run,
        *(each.keep for each in (controls.lookup, controls.carrier, controls.board, songs)),
        partial(supervise, "avatar", partial(parts.pose, avatar.run), parts.emit),
        partial(vitals.watch, parts.emit),
        *(partial(supervise, eyes.part, partial(eyes.watch, show.take), parts.emit) for eyes in parts.eyes),
        *(performer.run for performer in parts.performers),
    ]


class Filters:
    """What may come in and go out. Raises ConfigError for a list that cannot be read."""

    def __init__(self, limits: SafetySettings) -> None:
        self.limits = limits
        self.blocklist = Blocklist(kept_at(limits.desk))
        self.screen = Screen(limits, self.blocklist) if limits.screen else None
        self.refuses: Callable[[str], str] = self.screen.refuses if self.screen else lambda text: ""


def _tied(
    cfg: DictConfig,
    run_dir: Path,
    parts: Parts,
    mixer: Mixer,
    filters: Filters,
    health: Health,
    restart: Callable[[str], bool],
) -> tuple[Show, Controls]:
    """The loop in the middle, and the operator's desk on it."""

    def mute(muted: bool) -> None:
        mixer.muted = muted

    names = {who: persona.name for who, persona in personas(cfg).items()}
    director = Director(list(parts.members), cfg.director, names, parts.meant(list(cfg.director.aliases)))
    lookup, cues = Lookup(run_dir / "journal.jsonl"), Cues(within=cfg.turn.anyway_within)
    blocklist = filters.blocklist if filters.screen else None
    door, ends, away = Door(filters.limits, filters.screen), cfg.ends_with_chat, cfg.stage.away
    carrier = Carrier(parts, data("exports"))
    course = Course(director, greets(cfg.director, ends), lambda: mixer.delay)
    board = Board(mixer, parts.emit, lambda: director.stopped, cfg.stage.sounds, cfg.stage.sounds_gain)
    songs = repertoire(cfg, director, filters.refuses)
    parts.wishes.append(songs.wishes)
    parts.facts.append(songs.facts)
    desk = (board, Jukebox(songs, cues, director, course))
    controls = Controls(
        parts, mixer, director, blocklist, lookup, health, restart, cues, away, door, carrier, course, *desk
    )
    parts.viewers += [health, Strikes(parts.emit, restart)]
    parts.forgetting += [lookup.forget, controls.forgotten, director.forget]
    for viewer in parts.viewers:
        if isinstance(viewer, Console):
            viewer.looks, viewer.carrier = controls.looks(), carrier
    show = Show(
        parts.members,
        director,
        parts.viewers,
        cfg.turn,
        mute,
        mixer.duck,
        ends_with_chat=ends,
        door=door,
        takers=parts.takers,
        booth=controls.booth(),
        course=course,
        repertoire=songs,
    )
    return show, controls


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
    engines = {name: plain(cfg[name].get("engine") or {}) for name in ("llm", "speech", "avatar", "vision")}
    head = {"machine": machine(), "models": engines, "cast": list(cfg.cast), "seed": cfg.seed}
    head["shows"] = shows(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    if goals := plain(cfg.pace.get("goals") or {}):
        head["pace"] = {"goals": goals, "opener": str(cfg.llm.get("opener"))}
    return head


def shows(words: Iterable[str]) -> list[str]:
    """What stands behind +show= on a command line: one, or several in brackets."""
    given = (word.partition("=")[2] for word in words if word.startswith("+show="))
    return [name.strip() for names in given for name in names.strip("[]").split(",")]


def _report(cfg: DictConfig, run_dir: Path) -> float | None:
    """The report of a show that has ended by itself, or after her goodbye."""
    if cfg.report is When.never:
        return None
    from glue.report.table import show as print_table  # matplotlib: a second that most shows need not wait
    from glue.report.write import write

    report = write(run_dir)
    print_table(report)
    if report.faster_than_stated:
        raise TooFast(f"{report.faster_than_stated} answers were faster than stated: no figure of it holds")
    if cfg.pace.get("engine") and not any(pace["route"] != VOICE for pace in report.paces):
        raise TooFast("the pacing proxy did not say which pace it kept: no figure of it holds")
    return report.first_audio_ms.p50
