"""What a director can decide; and the course of a show, beyond that."""

from dataclasses import dataclass

from glue.broadcast_events import Phase
from glue.events import ChatLine, Fate


@dataclass(frozen=True, slots=True)
class Speak:
    """`who` answers `line` now. `waited`: it lay there while she was speaking. Supporters are thanked
    together: `line` then stands for `ids`, all of which this answers."""

    who: str
    line: ChatLine
    received: float
    waited: bool
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The reply in work is cut, in the middle of a word if need be."""


@dataclass(frozen=True, slots=True)
class Shorten:
    """The reply in work ends with the clause that she is at."""


@dataclass(frozen=True, slots=True)
class Close:
    """A line that nobody will answer, and why."""

    line_id: str
    fate: Fate


Decision = Speak | Interrupt | Shorten | Close


@dataclass(frozen=True, slots=True)
class Begin:
    """The show comes to its next phase."""

    phase: Phase
