"""An engine that answers its probe and fails reply after reply: told of, and started afresh where it is ours.

A probe asks whether a server lives; a voice whose workers all hang says that it is busy, for ever.
"""

from collections.abc import Callable

from glue.events import Ending, Event, PartDegraded, PartRecovered, TurnEnded
from glue.measured_events import TurnMeasured

LLM = "llm"
MOST = 3  # replies in a row that failed by one engine


class Strikes:
    """A Viewer (ports), the last one: what it tells comes after what it is told."""

    def __init__(self, emit: Callable[[Event], None], restart: Callable[[str], bool]) -> None:
        """`restart(name)` starts an engine afresh; False where it cannot."""
        self._emit, self._restart = emit, restart
        self._failed: dict[str, int] = {}
        self._down: set[str] = set()  # others know already, and see to it
        self._told: set[str] = set()  # by us, and of no use since
        self._tried: set[str] = set()  # started afresh, which once is enough: it may refuse what we ask
        self._wrote: set[str] = set()  # replies for which the model wrote something, until they end

    def show(self, event: Event) -> None:
        """The Viewer port."""
        match event:
            case PartDegraded(_, part):
                self._down.add(part)
            case PartRecovered(_, part):
                self._down.discard(part)
                self._told.discard(part)
                self._failed.pop(part, None)
            case TurnMeasured(turn=turn, answer_tokens=tokens) if tokens:
                self._wrote.add(turn)
            case TurnEnded():
                self._ends(event)
                self._wrote.discard(event.turn)
            case _:
                pass

    def _ends(self, ended: TurnEnded) -> None:
        if ended.ending is Ending.FAILED:
            self._fails(ended.at, ended.why)
        elif ended.heard:  # certain words and the operator's are heard while the model is down
            parts = self._failed.keys() | self._tried
            self._works(ended.at, parts if ended.turn in self._wrote else parts - {LLM})

    def _fails(self, at: float, why: str) -> None:
        part = why.partition(":")[0]
        if part in self._down:
            return
        self._failed[part] = self._failed.get(part, 0) + 1
        if self._failed[part] < MOST:
            return
        self._told.add(part)
        self._emit(PartDegraded(at, part, f"{MOST} replies in a row failed; the last: {why}"))
        if part not in self._tried:
            self._tried.add(part)
            self._restart(part)  # whoever keeps it tells when it is up

    def _works(self, at: float, parts: set[str]) -> None:
        for part in parts:
            self._failed.pop(part, None)
        self._tried -= parts
        for part in sorted(self._told & parts):
            self._emit(PartRecovered(at, part))
