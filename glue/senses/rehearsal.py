"""WORLD -> EVENTS: a chat log, played in real time; between the turns it has the floor measured.

It is a Sense that speaks and a Viewer that listens: while the show is idle the log's clock can stand still,
so a measurement never falls into a reply, and no line is late because of one.
"""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import anyio

from glue.errors import ConfigError, PortError
from glue.events import ChatLine, Ending, Event, LineArrived, LineClosed, Source, TurnEnded, TurnStarted
from glue.measured_events import FloorMeasured
from glue.ports import Llm
from glue.senses.busy import keep_busy
from glue.senses.chatlog import Said, load
from glue.senses.clean import clean, name

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_suffix(".jsonl")
SETTLE = 0.3  # seconds of idleness before a measurement: what the last reply left behind is done by then
PENDING = 6  # replies whose floor may wait to be measured; the newest are kept


class Floor(Protocol):
    """The bare loop (glue/floor.py), seen from here."""

    def asked(self, who: str) -> object | None:
        """What was asked for the last reply of `who`, to be handed to measure()."""
        ...

    async def measure(self, turn: str, who: str, asked: object) -> FloorMeasured:
        """Ask the same again. Raises PortError."""
        ...


@dataclass(slots=True)
class LogClock:
    """Seconds of the log; what is lost() does not count."""

    speed: float
    _began: float = 0.0

    def start(self) -> None:
        """The log begins now."""
        self._began = anyio.current_time()

    def until(self, t: float) -> float:
        """Real seconds until the log shows `t`; negative when it is past."""
        return self._began + t / self.speed - anyio.current_time()

    def lost(self, seconds: float) -> None:
        """`seconds` went by that do not count."""
        self._began += seconds


class Rehearsal:
    """Plays `log` ("" is the shipped one) once, or over and over for `minutes`; `lines` cuts it short."""

    def __init__(
        self,
        log: str = "",
        minutes: float = 0.0,
        lines: int = 0,
        speed: float = 1.0,
        pause: float = 8.0,
        busy: bool = False,
        *,
        floor: Floor | None = None,
        llm: Llm | None = None,
    ) -> None:
        """`pause`: seconds between the log's end and its beginning again; `busy` keeps the background lane of
        `llm` at work and measures no floor (it would use that lane); `floor` None: none is measured."""
        if speed <= 0 or minutes < 0 or lines < 0 or pause < 0:
            raise ConfigError("chat.rehearsal: speed must be positive; minutes, lines, pause not negative")
        self._path = _path(log)
        self._minutes, self._lines, self._pause = minutes, lines, pause
        self._clock = LogClock(speed)
        self._floor = None if busy else floor
        self._lane = llm if busy else None
        self._said: list[Said] = []
        self._stack = AsyncExitStack()
        self._changed = anyio.Event()
        self._open: set[str] = set()  # lines without a fate yet
        self._turn: TurnStarted | None = None
        self._idle_since = 0.0
        self._pending: deque[tuple[str, str, object]] = deque(maxlen=PENDING)
        self._measuring: anyio.CancelScope | None = None

    @staticmethod
    def precheck(log: str = "") -> None:
        """Before an engine is loaded for it. Raises ConfigError for a log that cannot be played."""
        load(_path(log))

    async def __aenter__(self) -> Self:
        """Read the log. Raises ConfigError."""
        self._said = load(self._path)[: self._lines or None]
        if self._lane is not None:
            lane = await self._stack.enter_async_context(anyio.create_task_group())
            self._stack.callback(lane.cancel_scope.cancel)
            lane.start_soon(keep_busy, self._lane)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def show(self, event: Event) -> None:
        """The Viewer port: know when the show is idle, and what was asked for each reply."""
        match event:
            case LineArrived(_, line):
                self._open.add(line.id)
            case LineClosed(_, line_id):
                self._open.discard(line_id)
            case TurnStarted():
                self._turn = event
                if self._measuring is not None:  # another sense's line: speech comes first
                    self._measuring.cancel()
            case TurnEnded():
                self._note(event)
                self._turn = None
            case _:
                return
        self._idle_since = anyio.current_time()
        self._changed.set()

    def _note(self, ended: TurnEnded) -> None:
        """Keep what was asked for a reply to a line that came while she was idle."""
        turn = self._turn
        if (
            self._floor is None
            or turn is None
            or turn.waited
            or turn.line.source in (Source.HERSELF, Source.EYES, Source.TWIN)
        ):
            return
        if ended.ending is Ending.FINISHED and (asked := self._floor.asked(turn.who)) is not None:
            self._pending.append((turn.turn, turn.who, asked))

    async def events(self) -> AsyncGenerator[Event, None]:
        """The Sense port: the log's lines when they are due, and the floors measured between them."""
        self._clock.start()
        for id, due, said in self._played():
            while (wait := self._clock.until(due)) > 0:
                measured = await self._meanwhile(wait)
                if measured is not None:
                    yield measured
            text = clean(said.text).text
            line = ChatLine(id, name(said.author), text, Source.REHEARSAL, said.supporter)
            yield LineArrived(anyio.current_time(), line)
        while not self._idle or self._pending:
            measured = await self._meanwhile(float("inf"))
            if measured is not None:
                yield measured

    def _played(self) -> Iterator[tuple[str, float, Said]]:
        """An id, when it is due in the log's seconds, and the line; over and over where `minutes` says so."""
        period = self._said[-1].t + self._pause
        for loop in itertools.count():
            for number, said in enumerate(self._said, 1):
                due = loop * period + said.t
                if self._minutes and due > self._minutes * 60:
                    return
                yield f"r{loop}-{number}", due, said
            if not self._minutes:
                return

    @property
    def _idle(self) -> bool:
        return self._turn is None and not self._open

    async def _meanwhile(self, wait: float) -> FloorMeasured | None:
        """Measure one floor if the time is right; else wait for `wait` seconds or for a change."""
        if self._idle and self._pending:
            wait = min(wait, self._idle_since + SETTLE - anyio.current_time())
            if wait <= 0:
                return await self._measure(*self._pending.popleft())
        self._changed = anyio.Event()
        with anyio.move_on_after(wait):
            await self._changed.wait()
        return None

    async def _measure(self, turn: str, who: str, asked: object) -> FloorMeasured | None:
        assert self._floor is not None  # nothing is pending without one
        began, measured = anyio.current_time(), None
        with anyio.CancelScope() as self._measuring:
            try:
                measured = await self._floor.measure(turn, who, asked)
            except PortError as error:
                log.warning("the floor was not measured: %s", error)
        self._measuring = None
        self._clock.lost(anyio.current_time() - began)
        return measured


def _path(log: str) -> Path:
    return Path(log).expanduser() if log else SHIPPED
