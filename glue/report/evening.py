"""Events -> what a streamer wants to know afterwards: who was there, what they gave, what stayed open. Pure.

Where somebody wished to be forgotten the journal is blank: lines without an author name nobody here and are
only counted. Times (`at`, `until`) are seconds since the show began.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from glue.broadcast_events import HighlightMarked, StreamFaltered, StreamRestored
from glue.chat_events import SAYING, LinesRemoved
from glue.events import (
    ChatLine,
    ClauseHeld,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    PartRecovered,
    TurnEnded,
)
from glue.news import UNSPOKEN
from glue.safety_events import LineScreened
from glue.song_events import SongEnded

MOST = 50  # rows of a list; the counts know of all
ACTIVE = 10  # viewers
ASKED = re.compile(r"[?\uff1f\u061f](?![\w=/&])")  # not in an address
EXPIRED = frozenset(  # nobody decided that it should have no answer
    {None, Fate.IGNORED, Fate.OVERFLOW, Fate.PAUSED, Fate.SILENT, Fate.FAILED, Fate.UNHEARD}
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who wrote how many lines, and how many of them she answered."""

    name: str
    lines: int
    answered: int


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody wrote or did."""

    at: float
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Highlight:
    """A moment that was marked; `recorded` seconds into the recording, None where there is none."""

    at: float
    why: str
    recorded: float | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A part, or the stream, was down; `until` is None where the show ended first."""

    at: float
    until: float | None
    part: str
    why: str


@dataclass(frozen=True, slots=True)
class Evening:
    """Of its lists the first MOST, of questions the last; counts are of all."""

    seconds: float = 0.0
    lines: int = 0  # that people wrote or said; what they did beside that is in `deeds`
    replies: int = 0  # of which something was heard
    viewers: int = 0
    active: tuple[Viewer, ...] = ()
    deeds: dict[str, int] = field(default_factory=dict)
    given: tuple[Told, ...] = ()  # what cost something comes first
    unanswered: int = 0  # questions
    questions: tuple[Told, ...] = ()
    songs: dict[str, int] = field(default_factory=dict)  # of which something was heard: how often
    highlights: tuple[Highlight, ...] = ()
    outages: tuple[Outage, ...] = ()
    held: dict[str, int] = field(default_factory=dict)  # clauses of hers, by why
    kept_out: dict[str, int] = field(default_factory=dict)  # lines, by why


@dataclass(slots=True)
class _Tally:
    """What is noted of an evening while its events are read."""

    lines: dict[str, tuple[float, ChatLine]] = field(default_factory=dict)
    deeds: list[tuple[float, ChatLine]] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    unshown: set[str] = field(default_factory=set)  # lines whose words a filter or a moderator did not want
    replies: int = 0
    songs: Counter[str] = field(default_factory=Counter)
    highlights: list[HighlightMarked] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    kept_out: Counter[str] = field(default_factory=Counter)

    def take(self, event: Event) -> None:
        match event:
            case LineArrived(at, line) if line.deed:
                self.deeds.append((at, line))
            case LineArrived(at, line) if line.source not in UNSPOKEN:
                self.lines[line.id] = at, line
            case LineClosed(_, id, fate, _, why):
                self.fates[id] = fate
                self.kept_out[why] += fate is Fate.BLOCKED
            case LineScreened(line_id=id):
                self.unshown.add(id)
            case LinesRemoved(line_ids=ids):
                self.unshown.update(ids)
            case TurnEnded(heard=heard):
                self.replies += bool(heard)
            case ClauseHeld(why=why):
                self.held[why] += 1
            case SongEnded(song=song, sung=sung) if song:
                self.songs[song] += sung > 0
            case HighlightMarked():
                self.highlights.append(event)
            case _:
                self._health(event)

    def _health(self, event: Event) -> None:
        match event:
            case PartDegraded(at, part, why):
                self._down(at, part, why)
            case StreamFaltered(at, fault, why):
                self._down(at, f"stream, {fault}", why)
            case PartRecovered(at, part):
                self._up(at, part)
            case StreamRestored(at, fault):
                self._up(at, f"stream, {fault}")

    def _down(self, at: float, part: str, why: str) -> None:
        """Of the avatar both its process and its connection are told."""
        if not any(each.part == part and each.until is None for each in self.outages):
            self.outages.append(Outage(at, None, part, why))

    def _up(self, at: float, part: str) -> None:
        self.outages = [
            replace(each, until=at) if each.part == part and each.until is None else each
            for each in self.outages
        ]


def evening(events: Iterable[Event]) -> Evening:
    """What the events of one show amount to."""
    tally, began, ended = _Tally(), 0.0, 0.0
    for event in events:
        began = began or event.at
        ended = max(ended, event.at)
        tally.take(event)
    open_questions = _unanswered(tally, began)
    people = {line.viewer for _, line in tally.lines.values() if line.author}
    return Evening(
        seconds=round(ended - began, 1),
        lines=len(tally.lines),
        replies=tally.replies,
        viewers=len(people),
        active=_active(tally),
        deeds=dict(Counter(line.deed.value for _, line in tally.deeds if line.deed).most_common()),
        given=_given(tally, began),
        unanswered=len(open_questions),
        questions=open_questions[-MOST:],
        songs=dict((+tally.songs).most_common(MOST)),
        highlights=tuple(Highlight(_since(h.at, began), h.why, h.recorded) for h in tally.highlights[:MOST]),
        outages=tuple(_counted_from(each, began) for each in tally.outages[:MOST]),
        held=dict(tally.held.most_common()),
        kept_out=dict((+tally.kept_out).most_common()),
    )


def _active(tally: _Tally) -> tuple[Viewer, ...]:
    """Who wrote most, by the name of their last line."""
    named = [line for _, line in tally.lines.values() if line.author]
    names = {line.viewer: line.author for line in named}
    wrote = Counter(line.viewer for line in named)
    answered = Counter(line.viewer for line in named if tally.fates.get(line.id) is Fate.ANSWERED)
    return tuple(Viewer(names[who], n, answered[who]) for who, n in wrote.most_common(ACTIVE))


def _given(tally: _Tally, began: float) -> tuple[Told, ...]:
    """Without the words that came with it, which the filters may have refused."""
    named = [(at, line, line.deed) for at, line in tally.deeds if line.author and line.deed]
    dearest = sorted(named, key=lambda each: not each[2].paid)[:MOST]
    return tuple(
        Told(_since(at, began), line.author, line.text.partition(SAYING)[0]) for at, line, _ in dearest
    )


def _unanswered(tally: _Tally, began: float) -> tuple[Told, ...]:
    return tuple(
        Told(_since(at, began), line.author, line.text)
        for id, (at, line) in tally.lines.items()
        if line.author and id not in tally.unshown and tally.fates.get(id) in EXPIRED
        if ASKED.search(line.text)
    )


def _counted_from(outage: Outage, began: float) -> Outage:
    until = None if outage.until is None else _since(outage.until, began)
    return replace(outage, at=_since(outage.at, began), until=until)


def _since(at: float, began: float) -> float:
    return round(at - began, 1)
