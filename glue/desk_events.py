"""What the operator asks for beyond the buttons, and what came of it. Part of glue/events.py's union."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wish(StrEnum):
    """What the operator may ask for; each is a command in the terminal, too. `text` says what it is about."""

    DELAY = "delay"  # seconds before anything is heard
    HOLD = "hold"  # "always": each clause waits until it is let go; "never"
    YES = "yes"  # a clause that waits may be spoken; with a reply's id: all the rest of it
    EDIT = "edit"  # other words for a clause that the voice does not have yet
    DROP = "drop"  # such a clause is left out
    ANYWAY = "anyway"  # what the gate refused is said all the same
    SAY = "say"  # the operator's words, with her voice; "WHO: WORDS" with that of one of the cast
    PLAY = "play"  # a sound of the operator's, by its name; "": none is heard any more
    SING = "sing"  # a song, by its name, as "WHO: NAME" where two are on stage; "": none is sung any more
    TOPIC = "topic"  # what she talks about from the next reply on; "": what she likes
    MOOD = "mood"  # how she feels about it; "": as it comes
    PERSONA = "persona"  # who of the cast answers from now on
    BLOCK = "block"  # a word or phrase that neither comes in nor goes out; "stem*" is all that begin so
    UNBLOCK = "unblock"
    TIMEOUT = "timeout"  # NAME SECONDS: nothing of a viewer is read for so long; 0 lets in again
    SLOW = "slow"  # seconds between two lines of a viewer; "": as configured, 0: over
    REMEMBER = "remember"  # an entry of her memory by its id, and after a blank what it should say
    FORGET = "forget"  # an entry by its id, or @NAME: all that is known of a viewer
    EXPORT = "export"  # her memory into a file of this name, in the data folder
    IMPORT = "import"  # such a file into her memory
    RESTART = "restart"  # an engine
    LOOK = "look"  # at the inbox, the health, the blocklist, "memory WORDS": told in the effect
    FIND = "find"  # words in the journal
    OPEN = "open"  # a reply: its prompt, clauses, verdicts, times
    END = "end"  # the show, after her goodbye; asked for once more: at once


@dataclass(frozen=True, slots=True)
class OperatorAsked:
    """The operator wishes for something, on the page or in the terminal."""

    at: float
    wish: Wish
    text: str = ""


@dataclass(frozen=True, slots=True)
class OperatorServed:
    """What a button or a wish (`what`) led to: `effect` is a line for people. Not `done`: it says why."""

    at: float
    what: str
    text: str
    done: bool
    effect: str


@dataclass(frozen=True, slots=True)
class ClauseWaits:
    """A clause waits for the operator before the voice may have it."""

    at: float
    who: str
    turn: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class ClauseChanged:
    """The operator changed a clause before it was spoken; `text` is "" where it is left out."""

    at: float
    who: str
    turn: str
    index: int
    text: str
    before: str


@dataclass(frozen=True, slots=True)
class ClauseVoiced:
    """The voice has a clause: it cannot be changed any more."""

    at: float
    who: str
    turn: str
    index: int


@dataclass(frozen=True, slots=True)
class SoundDumped:
    """The operator threw away `seconds` of sound that waited to be heard; reply `turn` ends with that."""

    at: float
    who: str
    turn: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TurnAsked:
    """What the model was asked for a reply: `messages` are role and content. Told when the reply is over."""

    at: float
    who: str
    turn: str
    recalled: tuple[str, ...]
    messages: tuple[tuple[str, str], ...]


DeskEvent = (
    OperatorAsked | OperatorServed | ClauseWaits | ClauseChanged | ClauseVoiced | SoundDumped | TurnAsked
)
