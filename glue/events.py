"""What happened: one frozen dataclass a thing, past tense, one union. The whole flow speaks in these.

Times (`at`) are seconds on the show's monotonic clock (`anyio.current_time()`), never the wall clock.
`who` is always the character that an event belongs to ("main", "evil"), `author` a viewer's name.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a line came from."""

    CONSOLE = "console"
    TERMINAL = "terminal"
    REHEARSAL = "rehearsal"
    HERSELF = "herself"  # nobody spoke: she broke a silence


class Fate(StrEnum):
    """What became of a line. Every line that arrives gets exactly one."""

    ANSWERED = "answered"  # at least one clause of the reply was heard
    IGNORED = "ignored"  # waited, and the moment passed: better lines came
    DUPLICATE = "duplicate"
    SPAM = "spam"
    OVERFLOW = "overflow"  # the inbox was full
    PAUSED = "paused"  # the operator had paused chat
    BLOCKED = "blocked"  # the gate would not let it in
    SKIPPED = "skipped"  # the operator cut the reply before any of it was heard
    SILENT = "silent"  # chosen, but the model or the voice gave nothing to say
    FAILED = "failed"  # an engine broke before anything was heard
    UNHEARD = "unheard"  # the show ended first


class Stage(StrEnum):
    """Marks on the way of one reply, in this order (the waterfall's rows)."""

    RECEIVED = "received"
    CHOSEN = "chosen"
    RECALLED = "recalled"
    FIRST_TOKEN = "first_token"
    FIRST_CLAUSE = "first_clause"
    CLEARED = "cleared"
    FIRST_AUDIO = "first_audio"
    AUDIBLE = "audible"


class Button(StrEnum):
    """The operator's buttons."""

    SKIP = "skip"  # stop this reply; go on with the next line
    MUTE = "mute"  # no sound leaves; she goes on
    UNMUTE = "unmute"
    PAUSE_CHAT = "pause_chat"
    RESUME_CHAT = "resume_chat"
    STOP = "stop"  # stop everything: this reply and what waits
    GO = "go"  # after stop: live again


class Ending(StrEnum):
    """How a turn ended."""

    FINISHED = "finished"
    CUT = "cut"  # interrupted: the rest was not heard
    FAILED = "failed"
    EMPTY = "empty"  # nothing that can be spoken came back


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A viewer's line, cleaned by glue/senses. `text` is data: never HTML, a path or an instruction."""

    id: str
    author: str
    text: str
    source: Source
    supporter: bool = False


@dataclass(frozen=True, slots=True)
class LineArrived:
    """A line was read off its socket at `at`."""

    at: float
    line: ChatLine


@dataclass(frozen=True, slots=True)
class LineClosed:
    """A line met its fate. `turn` is the reply that answered it, or ""."""

    at: float
    line_id: str
    fate: Fate
    turn: str = ""


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """The operator pressed a button, on the page or in the terminal."""

    at: float
    button: Button


@dataclass(frozen=True, slots=True)
class StageTaken:
    """`who` is on stage, and is called `name`."""

    at: float
    who: str
    name: str


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """`who` began to answer `line` (its source is HERSELF where she breaks a silence)."""

    at: float
    who: str
    turn: str
    line: ChatLine
    waited: bool  # the line waited while she was speaking


@dataclass(frozen=True, slots=True)
class StageReached:
    """A reply passed a mark of its waterfall."""

    at: float
    who: str
    turn: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class ClauseCleared:
    """The gate let a clause go to the voice; `changed` where it altered the words."""

    at: float
    who: str
    turn: str
    index: int
    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class ClauseHeld:
    """The gate kept a clause from the voice."""

    at: float
    who: str
    turn: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class CaptionShown:
    """These words of clause `index` are being heard now. `spoken` characters of `text` have been heard."""

    at: float
    who: str
    turn: str
    index: int
    text: str
    spoken: int


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """What the servers counted for a reply. Times in seconds; token counts as the server gave them."""

    at: float
    who: str
    turn: str
    prompt_tokens: int
    cached_tokens: int
    line_tokens: int
    answer_tokens: int
    gaps: tuple[float, ...]  # silences between clauses, seconds
    llm_to_clause: float  # request sent -> first clause complete
    tts_to_chunk: float  # clause sent -> first chunk back


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A reply is over. `heard` is what the audience heard of `said`."""

    at: float
    who: str
    turn: str
    ending: Ending
    said: str
    heard: str
    why: str = ""  # what broke, where it FAILED


@dataclass(frozen=True, slots=True)
class PartDegraded:
    """A part of the show is down and the show goes on without it."""

    at: float
    part: str
    why: str


@dataclass(frozen=True, slots=True)
class PartRecovered:
    """A part came back."""

    at: float
    part: str


@dataclass(frozen=True, slots=True)
class VitalsTaken:
    """What the show's processes used, by name: resident megabytes, and CPU seconds since they started."""

    at: float
    rss_mb: dict[str, float]
    cpu_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class FloorMeasured:
    """The same request as reply `turn`'s, asked of the same servers by a bare loop. Times in seconds."""

    at: float
    who: str
    turn: str
    llm_to_clause: float  # request sent -> first clause complete
    tts_to_chunk: float  # clause sent -> first chunk back
    to_audible: float  # request sent -> first sample that is content
    new_tokens: int  # of the prompt, not in the cache; 0 where the server does not say


Event = (
    LineArrived
    | LineClosed
    | ButtonPressed
    | StageTaken
    | TurnStarted
    | StageReached
    | ClauseCleared
    | ClauseHeld
    | CaptionShown
    | TurnMeasured
    | TurnEnded
    | PartDegraded
    | PartRecovered
    | VitalsTaken
    | FloorMeasured
)


def to_json(event: Event) -> dict[str, object]:
    """An event as plain JSON values, its class name under "event": for the journal and the pages."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}
