"""Who she is: one character of conf/persona/*.yaml, as the mind reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from glue.mind.asides import Feeling


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
    clause: int = 22  # of a later one, which grows to it by what was said before
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
    # stands before each line, prefilled with what is before it: a long history wears a model down
    nudge: str = ""
    banter: str = ""  # stands in its place before what another one of the cast said; "": the nudge does
    sparring: Sequence[Shot] = ()  # more of them where others are on stage: what these say, and what she says
    avatar: str = ""  # the avatar's model; "": whatever is loaded
    blocked: Sequence[str] = ()  # words that never leave
    instead: Sequence[str] = ()  # said in turn where a clause was refused, and the reply ends with it
    asides: Mapping[Feeling, Sequence[str]] = field(default_factory=dict)  # added to what happened in a game
    songs: Sequence[str] = ()  # said in turn before a song, which is called {song}
    temperature: float = 0.8
    max_tokens: int = 90
    # top_p, penalties, logit_bias, ...: the wire's words
    sampling: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)
    length: Length = field(default_factory=Length)

    def together(self) -> Persona:
        """She with others beside her: without such examples a small model thanks her twin, or takes herself
        for her. Alone she is asked as ever."""
        return replace(self, shots=[*self.shots, *self.sparring])
