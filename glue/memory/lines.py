"""This show's lines, as far as wishes ask for them: whose the newest are, and which may be in no prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from glue.events import ChatLine
from glue.memory.whose import Theirs, theirs
from glue.ports import Whose

Forgets = Callable[[Sequence[str], Whose | None], None]
LAST = 2000  # lines whose authors and ids are known


class Lines:
    """The newest lines, those that are being answered, and those that are to be forgotten."""

    def __init__(self, forgets: Forgets = lambda ids, whose: None) -> None:
        """`forgets` takes lines out of journal and pages."""
        self._forgets = forgets
        self._newest: dict[str, ChatLine] = {}
        self._turns: dict[str, tuple[str, ChatLine]] = {}
        self._gone: set[str] = set()
        self._wished: set[str] = set()  # those of them that a person wished away
        self._left: dict[tuple[str, str], Theirs] = {}  # who wanted to be forgotten

    def arrived(self, line: ChatLine) -> None:
        """One more; beyond LAST the oldest is let go."""
        self._newest[line.id] = line
        if len(self._newest) > LAST:
            del self._newest[next(iter(self._newest))]

    def drop(self, ids: Iterable[str]) -> None:
        """These were not let in: no wish means them."""
        for id in ids:
            self._newest.pop(id, None)

    def began(self, who: str, turn: str, line: ChatLine) -> None:
        """`who` answers it. A line that waited while more than LAST came, and while its author asked to be
        forgotten, is one of those that were meant."""
        self._turns[turn] = (who, line)
        old = [part for part in line.parts if part.id not in self._newest]
        meant = {p.id for p in old if any(whose(p.viewer, p.author) for whose in self._left.values())}
        self._gone |= meant
        self._wished |= meant

    def ended(self, turn: str) -> tuple[str, ChatLine | None, list[str]]:
        """Who answered which line, and the ids of it that have to be forgotten together with the answer, out
        of journal and pages as well where a person wished it."""
        who, line = self._turns.pop(turn, ("", None))
        gone = [part.id for part in line.parts if part.id in self._gone] if line else []
        if wished := self._wished.intersection(gone):
            self._forgets(sorted(wished), None)
        return who, line, gone

    def wish(self, ids: Sequence[str], whose: Whose | None) -> None:
        """A person wants these lines, and all that are `whose()`, to leave journal and pages."""
        self._wished.update(ids)
        self._forgets(ids, whose)

    def of(self, whose: Theirs) -> list[str]:
        """A viewer's lines, the newest last."""
        answered = [part for _, line in self._turns.values() for part in line.parts]
        lines = {line.id: line for line in (*answered, *self._newest.values())}
        return [line.id for line in lines.values() if whose(line.viewer, line.author)]

    def forget(self, ids: Sequence[str]) -> None:
        """No prompt may hold these."""
        self._gone |= set(ids)
        self.drop(ids)

    def leaves(self, viewer: str, name: str) -> list[str]:
        """A viewer wants to be forgotten, see theirs(): the lines to be forgotten for that."""
        whose = self._left[viewer, name] = theirs(viewer, name)
        return self.of(whose)
