"""Which lines of a source came already, whose they were, and which deeds two wires both told of. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

KEPT = 10_000  # lines: five minutes of 2,000 a minute
TWIN_S = 60.0  # two wires tell of one deed within this
MOST_TWINS = 2000


@dataclass(slots=True)
class Ledger:
    """Every line passes once, however many connections brought it, and never after its removal."""

    kept: int = KEPT
    _seen: OrderedDict[str, str] = field(default_factory=OrderedDict)  # id -> its author's id
    _told: dict[tuple[str, ...], deque[tuple[float, str, str]]] = field(default_factory=dict)
    _twins: dict[str, str] = field(default_factory=dict)  # id -> what the other wire calls the same deed

    def first(self, id: str, author: str = "") -> bool:
        """Whether `id` is new; it is not, from now on."""
        if id in self._seen:
            return False
        self._seen[id] = author
        if len(self._seen) > self.kept:
            self._twins.pop(self._seen.popitem(last=False)[0], None)
        return True

    def __contains__(self, id: str) -> bool:
        return id in self._seen

    def of(self, author: str) -> tuple[str, ...]:
        """The lines that `author` wrote lately."""
        return tuple(id for id, who in self._seen.items() if who == author)

    def everybody(self) -> tuple[str, ...]:
        """All lines that people wrote lately."""
        return tuple(id for id, who in self._seen.items() if who)

    def with_twins(self, ids: Iterable[str]) -> tuple[str, ...]:
        """`ids`, and what another wire calls the same: a moderator's removal names only the chat's."""
        found = list(ids)
        return tuple(dict.fromkeys([*found, *(self._twins[id] for id in found if id in self._twins)]))

    def told(self, wire: str, deed: tuple[str, ...], id: str, at: float) -> bool:
        """Whether `deed`, told by `wire` as `id`, is the one that another wire told just now: each pairs
        once."""
        told = self._told.setdefault(deed, deque(maxlen=MOST_TWINS))
        while told and told[0][0] < at - TWIN_S:
            told.popleft()
        if told and told[0][1] != wire:
            _, _, twin = told.popleft()
            self._twins |= {id: twin, twin: id}
            return True
        told.append((at, wire, id))
        if len(self._told) > MOST_TWINS:
            recent = at - TWIN_S
            self._told = {key: times for key, times in self._told.items() if times and times[-1][0] > recent}
        return False
