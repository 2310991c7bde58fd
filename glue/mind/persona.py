"""Who she is: one character of conf/persona/*.yaml, as the mind reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shot:
    """A line of chat and how she answers it: a small model learns her voice from these, not from rules."""

    author: str
    text: str
    reply: str


@dataclass(frozen=True)
class Length:
    """How much she says. Words."""

    first: int = 7  # of the first clause: it decides when she is heard
    clause: int = 22  # of a later one
    sentences: int = 3  # of a reply: it is ended after these
    reply: int = 45  # or at the next joint after so many words


@dataclass(frozen=True)
class Persona:
    """A character. `voice` is a style that conf/speech/*.yaml maps to a voice of its server."""

    name: str
    voice: str
    prompt: str
    rules: Sequence[str]
    shots: Sequence[Shot]
    topics: Sequence[str]  # what she may turn to when nobody writes
    avatar: str = ""  # the avatar's model
    blocked: Sequence[str] = ()  # words that never leave
    temperature: float = 0.8
    max_tokens: int = 90
    sampling: Mapping[str, float] = field(default_factory=dict)  # top_p, penalties, ...: the wire's words
    length: Length = field(default_factory=Length)
