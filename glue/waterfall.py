"""What one reply took: the marks that it passed, and what the servers counted, told as events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from glue.desk_events import TurnAsked
from glue.events import Event, Stage, StageReached
from glue.measured_events import TurnMeasured
from glue.ports import Prompt, Usage


@dataclass(slots=True)
class Waterfall:
    """Of reply `turn` of `who`. Times in seconds on the show's clock."""

    who: str
    turn: str
    emit: Callable[[Event], None]
    asked: float = 0.0  # when the LLM's request was sent
    prompt: Prompt | None = None
    recalled: Sequence[str] = ()
    usage: Usage = field(default_factory=lambda: Usage(0, 0, 0))
    _reached: dict[Stage, float] = field(default_factory=dict)

    def mark(self, stage: Stage, at: float | None = None) -> None:
        """It came to `stage`, `at` then or now; told once."""
        if stage not in self._reached:
            self._reached[stage] = anyio.current_time() if at is None else at
            self.emit(StageReached(self._reached[stage], self.who, self.turn, stage))

    def told(self, now: float, line_tokens: int, gaps: tuple[float, ...]) -> None:
        """It is over; its line has so many tokens, and these silences were between its clauses."""
        if self.prompt is not None:
            asked = tuple((message.role, message.content) for message in self.prompt.messages)
            self.emit(TurnAsked(now, self.who, self.turn, tuple(map(str, self.recalled)), asked))
        reached, usage = self._reached, self.usage
        clause = reached.get(Stage.FIRST_CLAUSE, self.asked)
        chunk = reached.get(Stage.FIRST_AUDIO, 0.0) - reached.get(Stage.CLEARED, 0.0)
        counted = (usage.prompt_tokens, usage.cached_tokens, line_tokens, usage.answer_tokens)
        timed = (gaps, clause - self.asked, max(0.0, chunk))
        self.emit(TurnMeasured(now, self.who, self.turn, *counted, *timed))
