"""journal.jsonl -> Run: what happened to every line and every reply, for the numbers and the plots.

A show that was killed leaves half a line at the end; what cannot be read is counted, never guessed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from glue.events import (
    ClauseCleared,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    ReplyOpened,
    Source,
    SpeechHeard,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import ActionChosen
from glue.measured_events import FloorMeasured, PaceKept, ScriptSpoken, TurnMeasured, VitalsTaken
from glue.memory_events import LookupsTimed, TurnRecalled
from glue.news import UNSPOKEN
from glue.report.evening import Evening, evening
from glue.song_events import SongStarted

READERS: dict[str, TypeAdapter[Event]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Event)}


@dataclass(slots=True)
class Line:
    """A line that came in; `fate` is None while it has none."""

    at: float
    author: str
    text: str
    spoken: float | None = None  # when who said it aloud fell silent
    fate: Fate | None = None
    aloud: bool = False  # whether a microphone heard it


TIMED = frozenset({Stage.RECEIVED, Stage.CHOSEN, Stage.AUDIBLE})  # what its times are counted from


@dataclass(slots=True)
class Reply:
    """One turn. `marks` are show-clock seconds; `before` is the end of the reply before it (-inf: none)."""

    turn: str
    who: str
    author: str
    text: str
    to_chat: bool  # false where nobody spoke to her: a silence, a sight, news of a game
    before: float
    clauses: int = 0
    opening: str = ""  # its first words, where a small model said them
    marks: dict[Stage, float] = field(default_factory=dict)
    measured: TurnMeasured | None = None
    ended: TurnEnded | None = None
    floor: FloorMeasured | None = None
    recalled: TurnRecalled | None = None
    spoken: float | None = None  # when who said the line aloud fell silent
    sang: bool = False  # no figure is of songs: nobody has to think of one

    @property
    def waited(self) -> bool:
        """Whether the line came while she spoke; by the clock, which knows of lines that came together."""
        return self.marks.get(Stage.RECEIVED, self.before) < self.before

    @property
    def begins(self) -> float:
        """Where its time to first audio counts from: the line's arrival, or the end of the speech before."""
        return max(self.marks[Stage.RECEIVED], self.before)

    @property
    def after_speech(self) -> float | None:
        """Seconds from the end of words said aloud to the first audible sample of the answer."""
        if self.sang or self.spoken is None or self.waited or Stage.AUDIBLE not in self.marks:
            return None
        return self.marks[Stage.AUDIBLE] - self.spoken

    @property
    def first_audio(self) -> float | None:
        """Seconds from chat (or the speech before) to the first audible sample; None: none was heard, or the
        journal has lost a row that it takes."""
        timed = not self.sang and self.marks.keys() >= TIMED
        return self.marks[Stage.AUDIBLE] - self.begins if timed else None


@dataclass(slots=True)
class Run:
    """A journal, read. `at`s are seconds on the show's clock; `began` and `ended` are its first and last."""

    head: dict[str, Any] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    lines: dict[str, Line] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    vitals: list[VitalsTaken] = field(default_factory=list)
    degraded: list[PartDegraded] = field(default_factory=list)
    paces: list[PaceKept] = field(default_factory=list)
    interims: list[SpeechHeard] = field(default_factory=list)
    script: list[ScriptSpoken] = field(default_factory=list)
    loud: Sequence[float] = ()  # milliseconds of the show's recording in which something is to be heard
    lookups: list[float] = field(default_factory=list)  # seconds of each of memory's
    decisions: list[str] = field(default_factory=list)  # in games: who made each (ActionChosen.by)
    evening: Evening = field(default_factory=Evening)
    unreadable: int = 0


def read(path: Path) -> Run:
    """Read a journal. Raises OSError."""
    head: dict[str, Any] = {}
    events: list[Event] = []
    unreadable = 0
    with path.open("rb") as rows:
        for row in rows:
            record = _record(row)
            kind = str(record.pop("event", ""))
            if kind == "ShowStarted":  # the show was started again into this folder: the last one counts
                head, events = record, []
            elif kind in READERS:
                try:
                    events.append(READERS[kind].validate_python(record))
                except ValidationError:
                    unreadable += 1
            else:
                unreadable += 1
    run = fold(events)
    run.head, run.unreadable = head, unreadable
    return run


def _record(row: bytes) -> dict[str, Any]:
    try:
        record = json.loads(row)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def fold(events: Iterable[Event]) -> Run:
    """What the events amount to, in the order in which they came."""
    events = list(events)
    run = Run(evening=evening(events))
    spoke_until = float("-inf")
    for event in events:
        run.began = run.began or event.at
        run.ended = max(run.ended, event.at)
        _note(run, event, spoke_until)
        if isinstance(event, TurnEnded):
            spoke_until = event.at
    return run


def _note(run: Run, event: Event, spoke_until: float) -> None:  # noqa: C901  (a table of events, a line each)
    reply = run.replies.get(getattr(event, "turn", ""))
    match event:
        case TurnStarted():
            run.replies[event.turn] = _reply(event, spoke_until, run.lines.get(event.line.id))
        case LineArrived(at, line, spoken):
            aloud = line.source is Source.VOICE
            run.lines[line.id] = Line(at, line.author, line.text, spoken, aloud=aloud)
        case LineClosed(_, id, fate) if id in run.lines:
            run.lines[id].fate = fate
        case StageReached(at, _, _, stage) if reply:
            reply.marks[stage] = at
        case SongStarted() if reply:
            reply.sang = True
        case ClauseCleared() if reply:
            reply.clauses += 1
        case ReplyOpened(text=text) if reply:
            reply.opening = text
        case TurnMeasured() if reply:
            reply.measured = event
        case TurnRecalled() if reply:
            reply.recalled = event
        case TurnEnded() if reply:
            reply.ended = event
        case FloorMeasured() if reply:
            reply.floor = event
        case LookupsTimed():
            run.lookups += event.took
        case ActionChosen():
            run.decisions.append(event.by)
        case PaceKept():
            run.paces.append(event)
        case SpeechHeard():
            run.interims.append(event)
        case ScriptSpoken():
            run.script.append(event)
        case VitalsTaken():
            run.vitals.append(event)
        case PartDegraded():
            run.degraded.append(event)


def _reply(event: TurnStarted, spoke_until: float, arrived: Line | None) -> Reply:
    line = event.line
    to_chat = line.source not in UNSPOKEN
    spoken = arrived.spoken if arrived else None
    return Reply(event.turn, event.who, line.author, line.text, to_chat, spoke_until, spoken=spoken)
