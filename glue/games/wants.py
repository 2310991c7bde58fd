"""What lies on a game's table: a force, an action that is not judged yet, how the game stands."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from glue.games.errands import Errand
from glue.games.messages import Force
from glue.games.voice import AT_ONCE

HURRY = 2.0  # seconds for a judgement, once something else is wanted at once
PUT_OFF = 5  # times that a force waits for what viewers say


@dataclass(slots=True, eq=False)
class Want:
    """A force that is not settled yet."""

    force: Force
    number: int
    received: float
    since: float  # when it came, or its last try failed
    tries: int = 0
    unheard: int = 0  # of them, those that the game never judged
    put_off: int = 0  # times that a viewer's wish came first
    failed: list[str] = field(default_factory=list)  # what the game did not take
    complaints: list[str] = field(default_factory=list)

    @property
    def hurries(self) -> bool:
        """Whether it will not wait for anything."""
        return self.force.priority in AT_ONCE

    @property
    def yields(self) -> bool:
        """Whether it waits for one more wish of a viewer's: it has to be answered, too."""
        return self.put_off < PUT_OFF


@dataclass(slots=True, eq=False)
class Pending:
    """An action that was sent and is not judged yet."""

    id: str
    said: str  # the action as she reads it: name and parameters
    sent: float
    want: Want | None  # the force that it answers
    errand: Errand | None  # what a viewer said that she had in mind
    judged: anyio.Event = field(default_factory=anyio.Event)

    def holds_up(self, want: Want | None) -> bool:
        """Whether `want` is another one and in a hurry: the game may do nothing before it is answered."""
        return want is not None and want is not self.want and want.hurries


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the game, in its words; a force's ends with it where it is `ephemeral`."""

    text: str
    at: float
    want: Want | None = None
