"""What recall costs while the show runs: told as events, from which the report is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio

from glue.desk_events import TurnAsked
from glue.errors import ConfigError, PortError
from glue.events import Event, TurnStarted
from glue.memory.recall import Recalls
from glue.memory_events import LookupsTimed, TurnRecalled
from glue.ports import Llm

KEPT = 100  # turns whose figures may wait
EVERY = 0.5  # seconds
CLOSING = 1.0  # seconds


class Figures:
    """`every`: at every so many lines she recalls; at the others she does without, for a comparison."""

    def __init__(self, llm: Llm, recalls: Recalls, emit: Callable[[Event], None], every: int) -> None:
        if every < 1:
            raise ConfigError("memory.adapter.every: must be 1 or more")
        self._llm = llm
        self._recalls = recalls
        self._emit = emit
        self._every = every
        self._lines = 0
        self._with: deque[str] = deque(maxlen=KEPT)  # lines at which she recalls
        self._without: deque[str] = deque(maxlen=KEPT)  # lines that were to do without
        self._turns: deque[tuple[str, str]] = deque(maxlen=KEPT)  # a turn and its line
        self._asked: list[tuple[str, str, bool, Sequence[str]]] = []

    def recalls(self, line: str) -> bool:
        """Whether this line is one that she recalls at; the same answer whenever it is asked again."""
        if line not in self._with and line not in self._without:
            self._lines += 1
            (self._without if self._lines % self._every else self._with).append(line)
        return line in self._with

    def show(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case TurnStarted(_, _, turn, line, _):
                self._turns.append((turn, line.id))
            case TurnAsked(_, who, turn, recalled, _):
                asked = dict(self._turns).get(turn) not in self._without
                self._asked = [*self._asked[-KEPT:], (who, turn, asked, recalled)]
            case _:
                pass

    async def run(self, works: Callable[[], None]) -> None:
        """Tell what is new, for ever. A server that hangs holds up nothing but this."""
        works()
        while True:
            await self.tell()
            await anyio.sleep(EVERY)

    async def close(self) -> None:
        """The last of it, where that does not take long."""
        with anyio.move_on_after(CLOSING, shield=True):
            await self.tell()

    async def tell(self) -> None:
        """What is new. Counting is a request to the model's server, so it is done behind the reply."""
        if took := self._recalls.fresh:
            self._recalls.fresh = []
            self._emit(LookupsTimed(anyio.current_time(), tuple(took)))
        asked, self._asked = self._asked, []
        for who, turn, on, recalled in asked:
            tokens = 0
            with suppress(PortError):
                tokens = await self._llm.count(f"(You remember: {' '.join(recalled)})\n") if recalled else 0
            self._emit(TurnRecalled(anyio.current_time(), who, turn, on, len(recalled), tokens))
