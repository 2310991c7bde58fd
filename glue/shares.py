"""Who was answered when, and whose plain lines louder ones keep from an answer. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from glue.interest import score
from glue.meant import can_wait
from glue.waiting import Waiting

LOUDER = 4  # replies to louder lines, before somebody who was never answered has her ear
LEAD = 1.0  # points that make a line louder
WORTH = 1.0  # points at least of such a line: a sentence, and no shout


@dataclass(slots=True)
class Shares:
    """Remembers both, within bounds. Times in seconds."""

    _answered: dict[str, float] = field(default_factory=dict)  # viewer: when last
    _louder: int = 0  # replies since such a one had her ear
    _before: dict[str, float | None] = field(default_factory=dict)  # both, before the last were chosen
    _louder_before: int = 0

    def since(self, viewer: str, now: float) -> float | None:
        """How long ago `viewer` was answered; None for never."""
        last = self._answered.get(viewer)
        return None if last is None else now - last

    def fair(self, best: Waiting | None, inbox: Iterable[Waiting]) -> Waiting | None:
        """The one to answer: `best`, or the longest waiting of those whom louder ones kept from it. Her name
        and a question mark outweigh every age that patience allows: where each second brings another such
        line, a plain one would never be answered."""
        if best is None or best.line.deed or not can_wait(best.line) or self._louder < LOUDER:
            return best
        return min(filter(self._kept, inbox), key=lambda waiting: waiting.received, default=best)

    def spoke(
        self,
        chosen: Sequence[Waiting],
        inbox: Iterable[Waiting],
        now: float,
        most: int,
        points: Callable[[Waiting], float],
    ) -> None:
        """Lines were chosen out of `inbox`, which has the others. `points`: what a line counts when it comes,
        for those who only wait behind others are not kept; at most so many viewers are remembered."""
        self._louder_before = self._louder
        self._louder = 0 if any(map(self._kept, chosen)) else self._louder + 1
        most_points = max(map(points, chosen))
        for waiting in inbox:
            waiting.passed += points(waiting) + LEAD <= most_points
        self._before = {each.line.viewer: self._answered.get(each.line.viewer) for each in chosen}
        self._answered |= dict.fromkeys(self._before, now)
        while len(self._answered) > most:
            del self._answered[min(self._answered, key=lambda viewer: self._answered[viewer])]

    def unspoke(self, again: Iterable[Waiting]) -> None:
        """These lines were chosen last and wait again: their viewers have not been answered."""
        for viewer in {waiting.line.viewer for waiting in again} & self._before.keys():
            self._louder = self._louder_before
            if (before := self._before[viewer]) is None:
                self._answered.pop(viewer, None)
            else:
                self._answered[viewer] = before

    def _kept(self, waiting: Waiting) -> bool:
        if waiting.passed < LOUDER or waiting.failed or waiting.line.viewer in self._answered:
            return False
        return can_wait(waiting.line) and score(waiting.line, (), 0.0, None) >= WORTH
