"""What happened in games: a part of glue/events.py. `game` is the name that a game gives itself."""

from dataclasses import dataclass
from enum import StrEnum


class GameFate(StrEnum):
    """What became of a game's message. Every message gets exactly one."""

    TAKEN = "taken"  # it did what it is for
    MENTIONED = "mentioned"  # taken, and she may speak about it: it became a line
    ANSWERED = "answered"  # a force: an action was sent and the game took it
    REPLACED = "replaced"  # a force: a newer one came, or its actions were taken back
    GIVEN_UP = "given_up"  # a force: every try failed; `why` has the game's last word
    REFUSED = "refused"  # nothing can be done with it; `why` says what is wrong
    UNKNOWN = "unknown"  # a command that we do not know, or a result for an id that nobody sent
    LATE = "late"  # a result that came after its time
    UNREADABLE = "unreadable"  # not a message of this wire
    ABANDONED = "abandoned"  # a force: the game went, or the show ended


class Priority(StrEnum):
    """How urgently a game wants its answer while she is speaking (the wire's words)."""

    LOW = "low"  # when she has finished
    MEDIUM = "medium"  # she comes to an end sooner
    HIGH = "high"  # at once, and she comes to an end sooner
    CRITICAL = "critical"  # at once, and she is interrupted


class GameButton(StrEnum):
    """The operator's buttons for a game."""

    PAUSE = "pause"  # she decides nothing until ...
    RESUME = "resume"
    VETO = "veto"  # an action that she may not choose; a decision for it that is not sent yet is dropped
    ALLOW = "allow"  # the veto is lifted
    FORCE = "force"  # this action now, with these parameters


@dataclass(frozen=True, slots=True)
class GameChanged:
    """How it stands with a game: what a page shows of it. `force` is what it wants done, "" for nothing."""

    at: float
    who: str  # who plays it
    game: str
    connected: bool
    paused: bool
    actions: tuple[str, ...]  # name and parameters, as she reads them
    vetoed: tuple[str, ...]
    force: str
    priority: str


@dataclass(frozen=True, slots=True)
class GameMessageClosed:
    """A game's message met its fate at `at`. `number` counts them, `text` is its gist."""

    at: float
    who: str
    game: str
    number: int
    received: float
    command: str
    text: str
    fate: GameFate
    why: str = ""


@dataclass(frozen=True, slots=True)
class FloorClaimed:
    """A game wants an answer while she may be speaking."""

    at: float
    who: str
    game: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class ActionChosen:
    """`who` chose an action, and it was sent. `by`: the model, "words" (a viewer's,
    plain enough), "only choice", "fallback" or the operator."""

    at: float
    who: str
    game: str
    id: str
    name: str
    data: str  # JSON; "" where it has no parameters
    by: str
    took: float  # seconds since the game asked, or since she began to consider


@dataclass(frozen=True, slots=True)
class ActionExplained:
    """Why she chose it, in her words."""

    at: float
    who: str
    game: str
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class ActionJudged:
    """The game's answer to an action, or that none came."""

    at: float
    who: str
    game: str
    id: str
    success: bool
    message: str
    took: float  # seconds since it was sent


@dataclass(frozen=True, slots=True)
class GamePressed:
    """The operator pressed a game's button. `text`: the action, and after a blank its parameters (JSON)."""

    at: float
    game: str
    button: GameButton
    text: str = ""


@dataclass(frozen=True, slots=True)
class GamesPlayed:
    """All that was to be played of `game` is played: the show ends when she has said what she is saying."""

    at: float
    game: str


GameEvent = (
    GameChanged
    | GameMessageClosed
    | FloorClaimed
    | GamePressed
    | ActionChosen
    | ActionExplained
    | ActionJudged
    | GamesPlayed
)
