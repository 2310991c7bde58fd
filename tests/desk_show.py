"""A whole show with a desk for tests: real console, journal and controls; scripted model and voice."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import anyio

from glue.carrier import Carrier
from glue.controls import Controls
from glue.course import Course
from glue.cues import Cues
from glue.director import Director
from glue.errors import Refused
from glue.events import ChatLine, Event, LineArrived, Source, StageTaken
from glue.gate import Gate
from glue.health import Health
from glue.journal import Journal
from glue.jukebox import Jukebox
from glue.lookup import Lookup
from glue.mind.persona import Persona
from glue.mind.talk import Talk
from glue.parts import Parts
from glue.ports import Viewer
from glue.repertoire import Repertoire
from glue.safety.blocklist import Blocklist
from glue.safety.door import Door
from glue.safety.screen import Screen
from glue.senses.console import ConsoleSense
from glue.settings import DirectorSettings, SafetySettings
from glue.show import Show
from glue.stage.board import Board
from glue.stage.console import Console
from glue.stage.face import Face
from glue.stage.performer import Performer
from glue.stage.songs import WavSongs
from tests.console_show import opened
from tests.core import RATE, Scene
from tests.test_face import Model

INSTEAD = "Wrong platform."


@dataclass
class Air:
    """What is on air. `happened` holds every event."""

    console: Console
    show: Show
    scene: Scene
    controls: Controls
    talk: Talk
    blocklist: Blocklist
    restarted: list[str] = field(default_factory=list)
    happened: list[Event] = field(default_factory=list)
    over: anyio.Event = field(default_factory=anyio.Event)  # the show has ended by itself
    _lines: int = 0

    def says(self, author: str, text: str) -> ChatLine:
        """A viewer writes."""
        self._lines += 1
        line = ChatLine(f"v{self._lines}", author, text, Source.TWITCH)
        self.show.take(LineArrived(anyio.current_time(), line))
        return line


class Tape:
    """A viewer that keeps everything."""

    def __init__(self, kept: list[Event]) -> None:
        self._kept = kept

    def show(self, event: Event) -> None:
        self._kept.append(event)


class Remembered:
    """The Memories port over a few entries."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.forgot: list[str] = []

    def found(self, words: str) -> list[dict[str, object]]:
        return [
            {"id": id, "kind": "viewer", "viewer": "mira", "text": text, "at": 0.0, "ended": 0.0}
            for id, text in self.texts.items()
            if words in text
        ]

    def amend(self, id: str, text: str) -> bool:
        if "disk" in text:
            raise Refused("memory", "no room")
        return id in self.texts and bool(self.texts.update({id: text}) or True)

    def export(self) -> Iterator[bytes]:
        return (f"{id} {text}\n".encode() for id, text in self.texts.items())

    async def take(self, data: bytes) -> int:
        if data.startswith(b"wrong"):
            raise Refused("memory", f"line 1: {data.decode()}")
        self.texts |= {f"i{n}": line.decode() for n, line in enumerate(data.splitlines())}
        return len(data.splitlines())

    def forget(self, id: str = "", viewer: str = "") -> int:
        self.forgot += [viewer] if viewer else []
        return len(self.texts) if viewer else int(self.texts.pop(id, "") != "")


@asynccontextmanager
async def on_air(
    tmp_path: Path, scene: Scene | None = None, avatar_url: str = "", waits: bool = False
) -> AsyncIterator[Air]:
    """A show of one character; ends with the block."""
    blocklist = Blocklist(tmp_path / "blocklist.txt")
    safety = SafetySettings()
    screen = Screen(safety, blocklist)
    scene = scene or Scene()
    scene.gate = Gate(screen=screen, instead=[INSTEAD])
    happened: list[Event] = scene.events
    persona = Persona("Spark", "bright", "You are Spark.", [], [], ["Say something."])
    talk = Talk("main", persona, "voice", seed=1)
    async with opened(tmp_path, avatar_url) as console:
        with Journal(tmp_path / "journal.jsonl", {}) as journal:
            lookup, health, restarted = Lookup(tmp_path / "journal.jsonl"), Health(["llm", "speech"]), []
            viewers: list[Viewer] = [journal, console, health, Tape(happened)]
            scene.mind = talk  # type: ignore[assignment]  # the real one, so that steering shows in prompts
            parts = Parts(members={"main": scene.member()}, talks=[talk])
            parts.viewers += viewers
            parts.forgetting.append(lookup.forget)
            face = Performer("main", Model(), lambda: 0.0, parts.emit, Face(Random(1)), RATE)
            parts.performers.append(face)
            settings = DirectorSettings(lonely=1e6, banter=0, waits=waits, goodbye=60.0, ending=1e6)
            director = Director(["main", "evil"], settings)

            def again(name: str) -> bool:
                restarted.append(name)
                return name in ("llm", "speech")

            mixer, away = scene.mixer, "Be right back!"
            door = Door(safety, screen)
            carrier, stage = Carrier(parts, tmp_path / "exports"), (mixer, director, blocklist)
            course = Course(director)
            board = Board(mixer, parts.emit, lambda: director.stopped, str(tmp_path / "sounds"), 0.5)
            cues = Cues(within=600.0)
            songs = WavSongs(str(tmp_path / "songs"), RATE, 0.5)
            repertoire = Repertoire(songs, now=anyio.current_time)
            desk = (board, Jukebox(repertoire, cues, director, course))
            controls = Controls(
                parts, *stage, lookup, health, again, cues, away, door, carrier, course, *desk
            )
            parts.forgetting.append(controls.forgotten)
            console.looks, console.carrier = controls.looks(), carrier
            mute, booth = partial(setattr, mixer, "muted"), controls.booth()
            tell = (parts.members, director, viewers, scene.settings, mute, mixer.duck)
            show = Show(*tell, door=door, booth=booth, course=course, repertoire=repertoire)
            air = Air(console, show, scene, controls, talk, blocklist, restarted, happened)
            async with _performed(air, [scene.mixer.run, lookup.keep, carrier.keep, board.keep, songs.keep]):
                parts.emit(StageTaken(anyio.current_time(), "main", "Spark"))
                yield air


@asynccontextmanager
async def _performed(
    air: Air, tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]]
) -> AsyncIterator[None]:
    """The show, and what works beside it; ends with the block."""

    async def perform() -> None:
        await air.show.run([ConsoleSense(air.console)])
        air.over.set()

    async with anyio.create_task_group() as tg:
        for task in (*tasks, perform):
            tg.start_soon(task)
        yield
        tg.cancel_scope.cancel()
