"""What happened to her memory. Part of the union of glue/events.py; times as there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HistoryScrolled:
    """So many `lines` with their answers left the prompt of `who`; a summary of them is to be kept."""

    at: float
    who: str
    lines: int


@dataclass(frozen=True, slots=True)
class LinesForgotten:
    """A viewer or the operator wished it: nothing that these lines said is kept or shown any more, nor how
    she answered."""

    at: float
    line_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemoryAdded:
    """She remembers something new, by its `why`: a "summary", or a "joke" that landed."""

    at: float
    who: str
    id: str
    kind: str
    viewer: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class ReplyLanded:
    """So many viewers (`laughs`) laughed at a reply; a joke that she has made so often (`times`)."""

    at: float
    who: str
    turn: str
    text: str
    laughs: int
    times: int


@dataclass(frozen=True, slots=True)
class LookupsTimed:
    """What lookups since the last such event took, embedding and search, beside the show. Seconds."""

    at: float
    took: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TurnRecalled:
    """How many `memories` a reply had with its line, and their `tokens` in the prompt, 0 where the server
    cannot count. Not `asked`: for a comparison it had to do without."""

    at: float
    who: str
    turn: str
    asked: bool
    memories: int
    tokens: int


MemoryEvent = HistoryScrolled | LinesForgotten | MemoryAdded | ReplyLanded | LookupsTimed | TurnRecalled
