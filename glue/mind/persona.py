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
    second: int = 8  # of the second, where the first was a word or two
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
    facts: Sequence[str] = ()  # about herself: in no prompt, recalled where a line asks for one
    nudge: str = (
        ""  # stands before each line, prefilled with what is before it: a long history wears a model down
    )
    avatar: str = ""  # the avatar's model
    blocked: Sequence[str] = ()  # words that never leave
    instead: Sequence[str] = ()  # said in turn where a clause was refused, and the reply ends with it
    temperature: float = 0.8
    max_tokens: int = 90
    # top_p, penalties, logit_bias, ...: the wire's words
    sampling: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)
    length: Length = field(default_factory=Length)
