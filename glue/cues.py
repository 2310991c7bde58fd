"""The clauses on their way to the voice, which the operator may hold, change, leave out or add to.

Nothing waits here unless the operator holds it, and nobody else does anything to it: without a desk a clause
goes through in the same instant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

import anyio

from glue.errors import Declined
from glue.events import ChatLine
from glue.song_ports import Song

LATELY = 50  # refused clauses that may still be said


@dataclass(slots=True, eq=False)
class Cue:
    """Clause `index` of a reply, before the voice has it. `text` is "" where it is left out."""

    turn: str
    who: str
    index: int
    text: str
    free: anyio.Event = field(default_factory=anyio.Event)  # set where it waits for nobody any more

    @property
    def id(self) -> str:
        """What the operator calls it."""
        return f"{self.turn}.{self.index}"


@dataclass(frozen=True, slots=True)
class Script:
    """Words that `who` says as they are, or what she sings, as an answer to `line`."""

    who: str
    line: ChatLine
    text: str
    song: Song | None = None


@dataclass(frozen=True, slots=True)
class RefusedClause:
    """A clause that was refused until somebody says otherwise; `cue` is said in its place, "" for none."""

    script: Script
    cue: str
    until: float


@dataclass(slots=True)
class Cues:
    """Those of all characters, in the order in which they will be spoken."""

    hold: bool = False  # every clause waits until the operator lets it go
    within: float = 30.0  # seconds that a refused clause may be said after all
    scripts: deque[Script] = field(default_factory=deque)
    _waiting: dict[str, Cue] = field(default_factory=dict)
    _passed: set[str] = field(default_factory=set)  # replies that are held no more
    _refused: dict[str, RefusedClause] = field(default_factory=dict)

    def add(self, turn: str, who: str, index: int, text: str) -> Cue:
        """A clause was cleared by the gate."""
        cue = Cue(turn, who, index, text)
        self._waiting[cue.id] = cue
        return cue

    def holds(self, cue: Cue) -> bool:
        """Whether it has to wait for the operator."""
        return self.hold and cue.turn not in self._passed and not cue.free.is_set() and bool(cue.text)

    def take(self, cue: Cue) -> str:
        """The voice has it from now on; its words, "" where it is left out."""
        self._waiting.pop(cue.id, None)
        return cue.text

    def leave(self, turn: str) -> None:
        """A reply is over."""
        self._passed.discard(turn)
        for id in [id for id, cue in self._waiting.items() if cue.turn == turn]:
            del self._waiting[id]

    def refuse(self, id: str, script: Script, now: float, cue: str = "") -> None:
        """The gate would not have it; the operator may."""
        self._refused[id] = RefusedClause(script, cue, now + self.within)
        if len(self._refused) > LATELY:
            del self._refused[next(iter(self._refused))]

    def forget(self, ids: Collection[str]) -> None:
        """Lines were removed: nothing that was to be said about one is said any more."""
        gone = set(ids)

        def stays(script: Script) -> bool:
            return gone.isdisjoint(part.id for part in script.line.parts)

        self.scripts = deque(filter(stays, self.scripts))
        self._refused = {id: each for id, each in self._refused.items() if stays(each.script)}

    def held(self, hold: bool) -> None:
        """Hold every clause from now on, or let go all that wait."""
        self.hold = hold
        if not hold:
            for cue in self._waiting.values():
                cue.free.set()

    def let_go(self, id: str) -> str:
        """A clause ("t3.1"), the rest of a reply ("t3"), or the next that waits (""); what was let go."""
        if any(cue.turn == id for cue in self._waiting.values()):
            self._passed.add(id)
            for cue in self._waiting.values():
                if cue.turn == id:
                    cue.free.set()
            return f"all of reply {id}"
        cue = self.find(id)
        cue.free.set()
        return cue.text

    def change(self, id: str, text: str) -> Cue:
        """Other words for a clause, or none. It is let go with that, for a person has seen it."""
        cue = self.find(id)
        cue.text = text
        cue.free.set()
        return cue

    def find(self, id: str) -> Cue:
        """The clause of this id, "" for the next. Raises Declined where the voice has it already."""
        cue = self._waiting.get(id) if id else next(iter(self._waiting.values()), None)
        if cue is None:
            raise Declined(f"too late: {id} is spoken, or gone" if id else "nothing waits to be spoken")
        return cue

    def anyway(self, id: str, now: float) -> str:
        """Say what was refused (the last of it for ""): in the place of what would be said instead, or, where
        that is spoken already, as soon as she is silent. Raises Declined where its time is over."""
        for old in [key for key, refused in self._refused.items() if refused.until < now]:
            del self._refused[old]
        id = id or next(reversed(self._refused), "")
        refused = self._refused.pop(id, None)
        if refused is None:
            raise Declined(f"too late, or said already: it has to be asked for within {self.within:.0f} s")
        if refused.cue in self._waiting:
            self.change(refused.cue, refused.script.text)
            return f"said in its place: {refused.script.text}"
        self.scripts.append(refused.script)
        return f"said next: {refused.script.text}"
