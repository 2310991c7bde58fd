"""What one show is made of, and each of the cast put together from it. app.py builds the adapters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import anyio
from omegaconf import DictConfig

from glue.checks import personas
from glue.director import Director
from glue.events import ChatLine, Event, Source
from glue.gate import Gate
from glue.meant import Meant
from glue.member import Member
from glue.memory_events import LinesForgotten
from glue.memory_ports import Memories, Memory
from glue.mind.bag import Bag
from glue.mind.persona import Persona
from glue.mind.talk import Talk
from glue.pace import PacedTts
from glue.ports import Sense, Taker, Viewer, Whose
from glue.repertoire import Repertoire
from glue.safety.private import redact
from glue.safety.screen import Screen
from glue.safety_events import LineScreened, Screened
from glue.stage.face import Face
from glue.stage.mixer import Mixer
from glue.stage.mood import mood_of
from glue.stage.performer import Performer
from glue.stage.songs import WavSongs
from glue.stage.stand import StageStand
from glue.supervise import Works, supervise

Facts = Callable[[str, ChatLine], list[str]]  # what bears on a line that somebody of the cast will answer


class NoMemory:
    """The Memory port of somebody who lives in the moment: the history in her prompt is all she knows."""

    async def recall(self, who: str, line: ChatLine) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def scrolled(self, who: str, said: Sequence[tuple[ChatLine, str]]) -> None:
        """What left the history is gone."""


class Informed:
    """The Memory port, and what other parts of the show know that bears on a line: the games."""

    def __init__(self, memory: Memory, facts: Sequence[Facts]) -> None:
        self._memory, self._facts = memory, facts

    async def recall(self, who: str, line: ChatLine) -> list[str]:
        """See memory_ports.Memory. What happened in a game its line tells; her twin asks nothing."""
        if line.source is Source.TWIN:
            return []
        if line.source is Source.GAME:
            return list(await self._memory.recall(who, line))
        known = [fact for facts in self._facts for fact in facts(who, line)]
        return [*known, *await self._memory.recall(who, line)]


@dataclass(slots=True)
class Parts:
    """What is built for one show."""

    viewers: list[Viewer] = field(default_factory=list)
    senses: list[Sense] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    performers: list[Performer] = field(default_factory=list)
    takers: list[Taker] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    eyes: list[Any] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    names: list[Callable[[], Collection[str]]] = field(default_factory=list)  # of her accounts
    wishes: list[Callable[[ChatLine], bool]] = field(default_factory=list)  # whether a game could do it
    forgetting: list[Callable[[Sequence[str], Whose | None], None]] = field(default_factory=list)
    memories: Memories | None = None  # None: she lives in the moment
    voice: PacedTts | None = None  # of a paced show
    tasks: list[Callable[[], Any]] = field(default_factory=list)

    def add(self, adapter: Any) -> None:
        """A sense, a viewer, or both; what it has to run is supervised, part by part."""
        if hasattr(adapter, "events"):
            self.senses.append(adapter)
        if hasattr(adapter, "show"):
            self.viewers.append(adapter)
        if hasattr(adapter, "takes"):
            self.takers.append(adapter)
        if hasattr(adapter, "watch"):
            self.eyes.append(adapter)
        if hasattr(adapter, "facts"):
            self.facts.append(adapter.facts)
        if hasattr(adapter, "accounts"):
            self.names.append(adapter.accounts)
        if hasattr(adapter, "wishes"):
            self.wishes.append(adapter.wishes)
        if hasattr(adapter, "amend"):
            self.memories = adapter
        for part, run in getattr(adapter, "runs", dict)().items():
            self.tasks.append(partial(supervise, part, run, self.emit))

    async def pose(self, run: Callable[[Works], Awaitable[None]], works: Works) -> None:
        """The avatar's `run`; whenever it has connected, all who are on stage show it their mood again."""

        def connected() -> None:
            for performer in self.performers:
                performer.connected()
            works()

        await run(connected)

    def meant(self, aliases: Sequence[str]) -> Meant:
        """Who tells which lines are for her."""

        def accounts() -> list[str]:
            return [name for names in self.names for name in names()]

        return Meant(aliases, accounts, lambda line: any(wishes(line) for wishes in self.wishes))

    def forget(self, ids: Sequence[str], whose: Whose | None) -> None:
        """These lines, and all that are `whose()`, are to be known no more, neither here nor on a page."""
        for each in self.forgetting:
            each(ids, whose)
        if ids or whose:  # of whom no line is known, a page that is open may show something all the same
            self.emit(LinesForgotten(anyio.current_time(), tuple(ids)))

    def emit(self, event: Event) -> None:
        """Tell every viewer."""
        for viewer in self.viewers:
            viewer.show(event)


def offered(cfg: DictConfig, run_dir: Path, parts: Parts) -> dict[str, object]:
    """What adapters may ask for before any of them is built."""
    selves = {who: (persona.name, persona.facts) for who, persona in personas(cfg).items()}
    stage = {"rate": cfg.stage.rate, "mood": mood_of}
    return {"run_dir": run_dir, "selves": selves, "emit": parts.emit, **stage}


def cast(
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
    voice, scrolled = cfg.speech.voices[persona.voice], partial(offer["memory"].scrolled, who)
    persona = persona.together() if len(cfg.cast) > 1 else persona
    mind = Talk(who, persona, voice, seed=cfg.seed, scrolled=scrolled)
    parts.talks.append(mind)
    gate, memory = gate_of(persona, offer["screen"]), Informed(offer["memory"], parts.facts)
    parts.members[who] = Member(who, mind, offer["llm"], offer["tts"], memory, gate, stand)


def gate_of(persona: Persona, screen: Screen | None) -> Gate:
    """What judges this character's clauses."""
    return Gate(secret_of(persona), persona.blocked, screen=screen, instead=persona.instead)


def secret_of(persona: Persona) -> str:
    """What she must not read out."""
    return "\n".join([persona.prompt, *persona.rules, persona.nudge, persona.banter])


def for_games(cfg: DictConfig, parts: Parts, screen: Screen | None) -> dict[str, object]:
    """What a game's adapter asks for: who plays, what may leave and come in, where its events go."""
    told = ""  # the last reason: a state says the same again every second

    def clears(who: str, text: str) -> str:
        # the same thing is done again, and what is done is not said: both would count as a repetition
        return parts.members[who].gate.refuses(text) if _words(text) else ""

    def mends(text: str) -> str:
        return redact(text)[0] if _words(text) else text

    def screens(text: str, data: bool) -> str:
        nonlocal told
        judged = screen.told(text, data) if screen and text else None
        if judged is None or judged.outcome is Screened.PASSED:
            return text
        why = judged.reason
        if not data or why != told:
            parts.emit(LineScreened(anyio.current_time(), "game", judged.outcome, f"in a game, {why}"))
        told = why if data else told
        return judged.text

    cast = {who: persona.name for who, persona in personas(cfg).items()}
    offered = {"clears": clears, "mends": mends, "screens": screens}
    return {"cast": cast, "emit": parts.emit, **offered}


def _words(text: str) -> bool:
    """Whether it is for people: a text of numbers and signs is a game's own value, such as a place."""
    return any(map(str.isalpha, text))


def repertoire(cfg: DictConfig, director: Director, refuses: Callable[[str], str]) -> Repertoire:
    """Her songs, whose words the filters judge with `refuses`, and what the cast says before one."""
    stage, chance = cfg.stage, Random(cfg.seed or None)
    bags = {who: Bag(persona.songs, chance) for who, persona in personas(cfg).items() if persona.songs}

    def names() -> list[str]:
        return [*director.names.values(), *director.meant.aliases, *director.meant.accounts()]

    return Repertoire(
        WavSongs(stage.songs, stage.rate, stage.songs_gain, refuses),
        stage.songs_asked,
        stage.songs_again,
        stage.songs_apart,
        names,
        lambda who, song: bags[who].draw().replace("{song}", song) if who in bags else "",
        anyio.current_time,
    )
