"""What lies on a game's table: a force, an action that is not judged yet, how the game stands."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from glue.games.errands import Errand
from glue.games.messages import Force


@dataclass(slots=True, eq=False)
class Want:
    """A force that is not settled yet."""

    force: Force
    number: int
    received: float
    since: float  # when it came, or its last try failed
    tries: int = 0
    unheard: int = 0  # of them, those that the game never judged
    failed: list[str] = field(default_factory=list)  # what the game did not take
    complaints: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pending:
    """An action that was sent and is not judged yet."""

    id: str
    said: str  # the action as she reads it: name and parameters
    sent: float
    want: Want | None  # the force that it answers
    errand: Errand | None  # what a viewer said that she had in mind
    judged: anyio.Event = field(default_factory=anyio.Event)


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the game, in its words; a force's ends with it where it is `ephemeral`."""

    text: str
    at: float
    want: Want | None = None
