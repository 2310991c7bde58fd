"""What happened: one frozen dataclass a thing, past tense, one union. The whole flow speaks in these.

Times (`at`) are seconds on the show's monotonic clock (`anyio.current_time()`), never the wall clock.
`who` ("main", "evil") is whose an event is; lines, buttons and parts are nobody's. `author`: a viewer's name.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from glue.broadcast_events import BroadcastEvent
from glue.chat_events import Deed, LinesRemoved
from glue.desk_events import DeskEvent
from glue.game_events import GameEvent
from glue.measured_events import MeasuredEvent
from glue.memory_events import MemoryEvent
from glue.safety_events import SafetyEvent
from glue.sight_events import SightEvent
from glue.song_events import SongEvent

AWAY = "away"  # the turn of a caption that no reply belongs to: the operator has stopped everything


class Source(StrEnum):
    """Where a line came from."""

    CONSOLE = "console"
    TERMINAL = "terminal"
    REHEARSAL = "rehearsal"
    VOICE = "voice"
    TWITCH = "twitch"
    YOUTUBE = "youtube"
    PLAYER = "player"  # in a game's own chat; `author` is "NAME in GAME"
    GAME = "game"  # `author` is the game: something happened in it that she may speak about
    HERSELF = "herself"  # nobody spoke: she broke a silence
    EYES = "eyes"  # nobody spoke: she remarks on what she sees
    TWIN = "twin"  # `author` is another one of the cast, `text` what was just heard of her


class Fate(StrEnum):
    """What became of a line. Every line that arrives gets exactly one."""

    ANSWERED = "answered"  # at least one clause of the reply was heard
    IGNORED = "ignored"  # waited, and better lines came; or it was not for her (glue/meant.py)
    DUPLICATE = "duplicate"
    CONTINUED = "continued"  # its speaker went on: it is the beginning of a later line
    ECHO = "echo"  # what she said herself, heard by a microphone
    SPAM = "spam"
    OVERFLOW = "overflow"  # the inbox was full
    PAUSED = "paused"  # the operator had paused chat
    EARLY = "early"  # the show had not begun, and the moment passed
    BLOCKED = "blocked"  # the gate would not let it in
    SKIPPED = "skipped"  # the operator cut the reply before any of it was heard
    SILENT = "silent"  # chosen, but the model or the voice gave nothing to say
    FAILED = "failed"  # an engine broke before anything was heard
    UNHEARD = "unheard"  # the show ended first
    VOTED = "voted"  # a move in a game that chat plays: it is counted there
    REMOVED = "removed"  # a moderator took it away
    DUMPED = "dumped"  # the operator dumped the reply before any of it was heard


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
    DUMP = "dump"  # throw away what waits to be heard, and the rest of that reply
    PANIC = "panic"  # stop everything, with a neutral face and a caption that says so
    GO = "go"  # after stop or panic, or where the show waits for it: live


class Ending(StrEnum):
    """How a turn ended."""

    FINISHED = "finished"
    CUT = "cut"  # interrupted: the rest was not heard
    DUMPED = "dumped"  # cut, and what waited to be heard was thrown away
    FAILED = "failed"
    EMPTY = "empty"  # nothing that can be spoken came back


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A viewer's line, cleaned by glue/senses. `text` is data: never HTML, a path or an instruction. With a
    `deed` it tells what `author` did: "subscribed for the 7th month, saying: hi"."""

    id: str
    author: str
    text: str
    source: Source
    supporter: bool = False
    deed: Deed | None = None
    author_id: str = ""  # who that is to the source; "" where it knows of names alone
    joined: tuple[ChatLine, ...] = ()  # the lines that it was made of, or goes back to
    certain: bool = False  # it happened, and is told word for word

    @property
    def viewer(self) -> str:
        """Who wrote it, among those of all sources: names are not unique."""
        return f"{self.source}:{self.author_id}" if self.author_id else self.author

    @property
    def parts(self) -> tuple[ChatLine, ...]:
        """The lines that it stands for."""
        return self.joined or (self,)


@dataclass(frozen=True, slots=True)
class LineArrived:
    """A line was read off its socket at `at`. `spoken`: when who said it aloud fell silent, if known."""

    at: float
    line: ChatLine
    spoken: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechHeard:
    """`author` is speaking, and these are the words so far; when they are final they arrive as a line."""

    at: float
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class LineClosed:
    """A line met its fate: `who` answered it in reply `turn`, or ""; `why` is known of BLOCKED ones."""

    at: float
    line_id: str
    fate: Fate
    turn: str = ""
    why: str = ""
    who: str = ""


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
    avatar: str = ""  # the avatar's model that shows her


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
class ReplyOpened:
    """The reply's first words, `text`, came from the small model; the main one was asked to go on."""

    at: float
    who: str
    turn: str
    text: str
    tokens: int = 0  # as which it was given them; 0: as text


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
    """The gate kept a clause from the voice. `id`: what "say it anyway" asks for."""

    at: float
    who: str
    turn: str
    text: str
    why: str
    id: str = ""


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


TurnEvent = TurnStarted | StageReached | ReplyOpened | ClauseCleared | ClauseHeld | CaptionShown | TurnEnded
Event = (
    LineArrived
    | SpeechHeard
    | LineClosed
    | SafetyEvent
    | LinesRemoved
    | ButtonPressed
    | SightEvent
    | StageTaken
    | TurnEvent
    | PartDegraded
    | PartRecovered
    | MeasuredEvent
    | GameEvent
    | MemoryEvent
    | DeskEvent
    | BroadcastEvent
    | SongEvent
)


def to_json(event: Event) -> dict[str, object]:
    """An event as plain JSON values, its class name under "event": for the journal and the pages."""
    return {"event": type(event).__name__, **asdict(event)}
