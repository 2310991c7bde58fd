"""A game and a mind for the tests of the playing lane: scripted, in virtual time."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio

from glue.errors import PortError
from glue.events import ChatLine, Ending, Event, LineArrived, Source, TurnEnded, TurnStarted
from glue.game_events import ActionChosen, ActionJudged, GameFate, GameMessageClosed
from glue.games.messages import read
from glue.games.play import Play
from glue.games.player import Player, Taste
from glue.games.rules import Rules
from glue.games.voice import Voice
from glue.ports import Prompt, Role, Usage

PLACE = {
    "name": "place",
    "description": "Put your mark into a cell.",
    "schema": {"type": "object", "properties": {"cell": {"enum": [0, 4, 8]}}, "required": ["cell"]},
}
PASS = {"name": "pass", "description": "Do nothing."}
PLACES_4 = '{"action": "place", "data": {"cell": 4}}'


@dataclass
class Oracle:
    """An Llm that gives these answers one after the other, the last one for ever; an error is raised."""

    answers: Sequence[str | PortError] = (PLACES_4,)
    takes: float = 0.5
    reason: str = "The middle is best."
    summary: str = "It is a draw so far."
    asked: list[Prompt] = field(default_factory=list)
    began: list[Prompt] = field(default_factory=list)  # decisions, those that were given up as well
    closed: int = 0  # requests that were given up

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        done = False
        if prompt.schema is not None:
            self.began.append(prompt)
        try:
            await anyio.sleep(self.takes)
            if prompt.schema is None:
                yield self.summary if role is Role.BACKGROUND else self.reason
            else:
                answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
                self.asked.append(prompt)
                if isinstance(answer, PortError):
                    raise answer
                yield answer
            done = True
        finally:
            self.closed += not done

    async def warm(self, prompt: Prompt) -> int:
        return 0

    async def settle(self, prompt: Prompt) -> int:
        return 0

    def still(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def count(self, text: str) -> int:
        return 0


@dataclass
class Seat:
    """A Play and its game's end of the wire."""

    llm: Oracle = field(default_factory=Oracle)
    rules: Rules = field(default_factory=lambda: Rules(initiative=0.0))
    clears: Callable[[str], str] = lambda text: ""
    mends: Callable[[str], str] = str
    events: list[Event] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    voice: Voice = field(default_factory=Voice)

    def __post_init__(self) -> None:
        player = Player("main", self.llm, Taste(), self.clears, Random(1), self.mends)
        self.play = Play("main", "Spark", "Noughts", self.rules, player, self.voice, self.events.append)
        self.arrived = anyio.Event()

    def attach(self, session: str = "s") -> None:
        self.play.attach(session, self._deliver)

    def _deliver(self, command: str, data: Mapping[str, Any]) -> None:
        self.sent.append({"command": command, **data})
        self.arrived.set()

    def says(self, command: str, **data: object) -> None:
        """The game sends a message."""
        frame = json.dumps({"command": command, "game": "Noughts", "data": data})
        frame = frame.replace("Infinity", "1e999")  # which is JSON
        self.play.take(read(frame), anyio.current_time())

    def begins(self, *actions: Mapping[str, object]) -> None:
        self.attach()
        self.says("startup")
        self.says("actions/register", actions=actions or (PLACE, PASS))

    def takes(self, *names: str) -> None:
        """The game tells how it stands, and what it would begin now."""
        self.says("context", message="You stand.", silent=True, spark={"standing": True, "takes": names})

    def forces(self, *names: str, **more: object) -> None:
        self.says("actions/force", query="Your move.", action_names=names or ("place", "pass"), **more)

    def judges(self, success: bool = True, message: str = "", id: str = "") -> None:
        """The game's answer to the last action."""
        self.says("action/result", id=id or self.actions()[-1]["id"], success=success, message=message)

    def actions(self) -> list[dict[str, Any]]:
        """Those that were sent."""
        return [each for each in self.sent if each["command"] == "action"]

    async def action(self) -> dict[str, Any]:
        """The next action that is sent."""
        while not self.actions() or self.actions()[-1] in self._taken:
            await self.arrived.wait()
            self.arrived = anyio.Event()
        self._taken.append(self.actions()[-1])
        return self.actions()[-1]

    _taken: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Seat"]:
        async with anyio.create_task_group() as tg:
            tg.start_soon(self.play.run)
            yield self
            tg.cancel_scope.cancel()

    def speaks(self) -> None:
        now = anyio.current_time()
        self.voice.note(TurnStarted(now, "main", "t1", ChatLine("l", "mika", "hi", Source.CONSOLE), False))

    def hushes(self) -> None:
        self.voice.note(TurnEnded(anyio.current_time(), "main", "t1", Ending.FINISHED, "", ""))

    def fates(self, command: str = "actions/force") -> list[tuple[GameFate, str]]:
        closed = [e for e in self.events if isinstance(e, GameMessageClosed)]
        numbers = [e.number for e in closed]
        assert len(numbers) == len(set(numbers)), "a message met two fates"
        return [(e.fate, e.why) for e in closed if e.command == command]

    def chosen(self) -> list[ActionChosen]:
        return [e for e in self.events if isinstance(e, ActionChosen)]

    def judged(self) -> list[ActionJudged]:
        return [e for e in self.events if isinstance(e, ActionJudged)]

    def lines(self) -> list[ChatLine]:
        return [e.line for e in self.events if isinstance(e, LineArrived)]

    def mentioned(self) -> list[str]:
        return [line.text for line in self.lines()]
